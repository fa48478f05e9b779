import type { Channels, FrameEncoder } from '../../channels/index.ts';
import { type Clock, type Limits, Liveness, TidegateError } from '../../kernel/index.ts';
import type { HttpExchange } from '../../listeners/port.ts';
import { acceptHandshake, ReceiverPool, WEBSOCKET_VERSION } from '../../wire/websocket/index.ts';
import { CURSOR_HEADER } from '../cursor-header.ts';
import { type QueryRules, queryDefaults, readSubscriptionQuery } from '../subscription-query.ts';
import { createWebSocketEncoder, type WebSocketForm } from './codec.ts';
import { type ErrorForm, type SessionContext, WebSocketSession } from './session.ts';

/** What the edge needs. */
export interface WebSocketEdgeOptions {
  readonly clock: Clock;
  readonly limits: Limits;
  /** Whether permessage-deflate is agreed to. */
  readonly compression: 'none' | 'deflate';
}

/** Channels over WebSocket. Errors before the upgrade are answered; nothing is thrown. */
export class WebSocketEdge {
  readonly #options: WebSocketEdgeOptions;
  readonly #rules: QueryRules;
  readonly #liveness: Liveness;
  readonly #pools: Readonly<Record<WebSocketEdgeOptions['compression'], ReceiverPool>>;
  readonly #contexts = new Map<string, SessionContext>();
  readonly #encoders = new Map<string, FrameEncoder>();

  constructor(options: WebSocketEdgeOptions) {
    const { clock, limits } = options;
    this.#options = options;
    this.#rules = { parameters: new Set(['from', 'envelope', 'slow']), defaults: queryDefaults(limits) };
    this.#liveness = new Liveness({
      clock,
      intervalMs: limits.keepAliveIntervalMs,
      closeTimeoutMs: limits.webSocketCloseTimeoutMs,
    });
    const receiver = {
      role: 'server',
      messageBytesMax: Math.min(limits.webSocketMessageBytesMax, limits.messageBytesMax),
      framesMax: limits.webSocketFramesMax,
    } as const;
    this.#pools = {
      none: new ReceiverPool({ ...receiver, compression: 'none' }),
      deflate: new ReceiverPool({ ...receiver, compression: 'deflate' }),
    };
  }

  /** `GET /v1/channels/{channel}` with `Upgrade: websocket`. */
  subscribe(exchange: HttpExchange, channels: Channels, channel: string): void {
    try {
      this.#open(exchange, channels, channel);
    } catch (error) {
      const told = TidegateError.from(error);
      // RFC 6455, section 4.4: a client of another version learns which one there is.
      const isHandshake = told.code === 'upgrade_invalid';
      exchange.fail(told, isHandshake ? { 'sec-websocket-version': WEBSOCKET_VERSION } : {});
    }
  }

  #open(exchange: HttpExchange, channels: Channels, channel: string): void {
    const { request } = exchange;
    const { limits, compression } = this.#options;
    const handshake = acceptHandshake(request, { subprotocols: [], compression });
    if (request.body.lengthBytes !== 0) throw new TidegateError('upgrade_invalid', 'the request has a body');
    const query = readSubscriptionQuery(request, this.#rules, limits);
    const windowBits = handshake.deflate?.windowBits ?? 0;
    const bare = query.envelope === 'none';
    const session = new WebSocketSession(
      channel,
      channels,
      this.#contextFor(bare ? 'close' : 'frame', windowBits),
    );
    const subscription = channels.subscribe({
      channels: [channel],
      from: query.from,
      encoder: this.#encoderFor({ envelope: query.envelope, windowBits }),
      sink: session,
      slowPolicy: query.slow,
      protocol: 'websocket',
      gapEnds: bare,
    });
    try {
      const headers = { ...handshake.headers, [CURSOR_HEADER]: subscription.cursor() };
      session.open(exchange.upgrade(headers, session), subscription);
    } catch (error) {
      subscription.close();
      throw error;
    }
  }

  /** Encoders are shared: there are as many as forms, not as subscribers. */
  #encoderFor(form: WebSocketForm): FrameEncoder {
    const key = `${form.envelope} ${form.windowBits}`;
    let encoder = this.#encoders.get(key);
    if (encoder === undefined) {
      encoder = createWebSocketEncoder(form);
      this.#encoders.set(key, encoder);
    }
    return encoder;
  }

  #contextFor(errorForm: ErrorForm, windowBits: number): SessionContext {
    const compression = windowBits === 0 ? 'none' : 'deflate';
    const key = `${errorForm} ${compression}`;
    let context = this.#contexts.get(key);
    if (context === undefined) {
      const { limits } = this.#options;
      context = {
        limits,
        liveness: this.#liveness,
        receivers: this.#pools[compression],
        errorForm,
      };
      this.#contexts.set(key, context);
    }
    return context;
  }
}
