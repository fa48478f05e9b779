import {
  noMetrics,
  resolveLimits,
  silentLogger,
  systemClock,
  TidegateError,
} from '../../packages/tidegate/src/kernel/index.ts';
import {
  createHttpListener,
  type HttpHandler,
  type Listener,
} from '../../packages/tidegate/src/listeners/index.ts';
import {
  acceptHandshake,
  type ReceiverOptions,
  ReceiverPool,
  WEBSOCKET_VERSION,
} from '../../packages/tidegate/src/wire/websocket/index.ts';
import { EchoConnection } from './echo-connection.ts';

export interface EchoOptions {
  /** 0 lets the system choose one. */
  readonly port: number;
  /** Whether permessage-deflate is agreed to. */
  readonly compression: ReceiverOptions['compression'];
  /** Larger messages are refused with 1009. */
  readonly messageBytesMax: number;
}

/** As many fragments as one message can have, for clients that fuzz. */
const FRAMES_MAX = 1_000_000;

/** Opens a WebSocket echo on loopback: any path, any number of clients. */
export function startEchoServer(options: EchoOptions): Promise<Listener> {
  const { port, compression, messageBytesMax } = options;
  const receiver = { role: 'server', messageBytesMax, framesMax: FRAMES_MAX } as const;
  const pools = {
    none: new ReceiverPool({ ...receiver, compression: 'none' }),
    deflate: new ReceiverPool({ ...receiver, compression: 'deflate' }),
  };
  const handler: HttpHandler = (exchange) => {
    try {
      const { headers, deflate } = acceptHandshake(exchange.request, { subprotocols: [], compression });
      const connection = new EchoConnection(pools[deflate === null ? 'none' : 'deflate'], deflate);
      connection.open(exchange.upgrade(headers, connection));
    } catch (error) {
      exchange.fail(TidegateError.from(error), { 'sec-websocket-version': WEBSOCKET_VERSION });
    }
  };
  const common = { limits: resolveLimits(), clock: systemClock, logger: silentLogger, metrics: noMetrics };
  return createHttpListener({ ...common, host: '127.0.0.1', port }, handler);
}
