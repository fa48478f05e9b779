import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { Centrifuge, type Options, type TransportName } from 'centrifuge';
import { Centrifuge as ProtobufCentrifuge } from 'centrifuge/build/protobuf';
import { EventSource } from 'eventsource';

/** Each way in which the client can be connected. */
export const TRANSPORTS = [
  { name: 'WebSocket', transport: 'websocket', protocol: 'json' },
  { name: 'WebSocket with protobuf', transport: 'websocket', protocol: 'protobuf' },
  { name: 'HTTP stream', transport: 'http_stream', protocol: 'json' },
  { name: 'HTTP stream with protobuf', transport: 'http_stream', protocol: 'protobuf' },
  { name: 'SSE', transport: 'sse', protocol: 'json' },
] as const satisfies readonly { name: string; transport: TransportName; protocol: 'json' | 'protobuf' }[];

export type Way = (typeof TRANSPORTS)[number];

/** The unchanged client, which comes back quickly. */
export function newClient(port: number, way: Way, options: Partial<Options> = {}): Centrifuge {
  const scheme = way.transport === 'websocket' ? 'ws' : 'http';
  const endpoint = `${scheme}://127.0.0.1:${port}/connection/${way.transport}`;
  const settings: Partial<Options> = {
    websocket: WebSocket,
    fetch,
    readableStream: ReadableStream,
    eventsource: EventSource,
    emulationEndpoint: `http://127.0.0.1:${port}/emulation`,
    minReconnectDelay: 5,
    maxReconnectDelay: 20,
    ...options,
  };
  const transports = [{ transport: way.transport, endpoint }];
  return way.protocol === 'json'
    ? new Centrifuge(transports, settings)
    : (new ProtobufCentrifuge(transports, settings) as unknown as Centrifuge);
}

/** Data as a client of this way publishes it, and as it gets it, as a value. */
export function packed(way: Way, value: unknown): unknown {
  return way.protocol === 'json' ? value : new TextEncoder().encode(JSON.stringify(value));
}

export function unpacked(way: Way, data: unknown): unknown {
  return way.protocol === 'json' ? data : JSON.parse(new TextDecoder().decode(data as Uint8Array));
}

/** A network between clients and a server, which can be lost. */
export class LossyNetwork {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #target: number;

  constructor(server: Server, target: number) {
    this.#server = server;
    this.#target = target;
    server.on('connection', (socket) => this.#join(socket));
  }

  static async to(port: number): Promise<LossyNetwork> {
    const server = createServer();
    const network = new LossyNetwork(server, port);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return network;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Leads new connections to another server. */
  leadTo(port: number): void {
    this.#target = port;
  }

  /** Loses all connections, without a word to either side. */
  lose(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.lose();
    await closed;
  }

  #join(near: Socket): void {
    const far = connect(this.#target, '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ]) {
      this.#sockets.add(one);
      one.on('error', () => {});
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  }
}

/** Resolves once `count` values were added. */
export class Collected<Value> {
  readonly values: Value[] = [];
  #waiting: { readonly count: number; readonly resolve: () => void }[] = [];

  add(value: Value): void {
    this.values.push(value);
    const done = this.#waiting.filter(({ count }) => this.values.length >= count);
    this.#waiting = this.#waiting.filter(({ count }) => this.values.length < count);
    for (const { resolve } of done) resolve();
  }

  async reaches(count: number): Promise<readonly Value[]> {
    if (this.values.length < count)
      await new Promise<void>((resolve) => this.#waiting.push({ count, resolve }));
    return this.values;
  }
}
