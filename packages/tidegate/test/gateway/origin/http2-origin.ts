import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import {
  createSecureServer,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from 'node:http2';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { RouteOptions, UpstreamOptions } from '../../../src/gateway/options.ts';
import type { Limits } from '../../../src/kernel/index.ts';
import type { TlsSettings } from '../../../src/listeners/options.ts';
import { ACK, DATA, type Frame, frame, HEADERS, SETTINGS } from '../../listeners/http2-lab.ts';
import { until } from '../../listeners/lab.ts';
import { type GatewayLab, openGatewayLab } from '../lab.ts';

/** A request that an origin has got. */
export class ReceivedRequest {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly raw: readonly string[];
  body = '';
  trailers: IncomingHttpHeaders | null = null;
  isEnded = false;
  isClosed = false;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, raw: readonly string[]) {
    this.stream = stream;
    this.headers = headers;
    this.raw = raw;
    stream.on('error', () => {});
    stream.on('trailers', (trailers) => {
      this.trailers = trailers;
    });
    stream.on('end', () => {
      this.isEnded = true;
    });
    stream.on('close', () => {
      this.isClosed = true;
    });
  }

  /** Reads the body from now on. */
  read(): this {
    this.stream.on('data', (slice: Buffer) => {
      this.body += slice.toString('latin1');
    });
    return this;
  }

  async bodyUntil(text: string): Promise<void> {
    await until(
      () => this.body.includes(text),
      () => `${JSON.stringify(text)} in ${JSON.stringify(this.body.slice(-200))}`,
    );
  }

  answer(body: string, headers: Readonly<Record<string, string | readonly string[]>> = {}): void {
    this.stream.respond({ ':status': '200', ...headers } as Record<string, string>);
    this.stream.end(body);
  }
}

/** An origin of Node's own, whose requests wait for the test. */
export class Http2Origin {
  readonly requests: ReceivedRequest[] = [];
  readonly sessions: ServerHttp2Session[] = [];
  readonly port: number;
  readonly scheme: 'http' | 'https';
  #taken = 0;

  constructor(server: Http2Server, scheme: 'http' | 'https') {
    this.port = (server.address() as AddressInfo).port;
    this.scheme = scheme;
    server.on('session', (session) => this.sessions.push(session));
    server.on('stream', (stream, headers, _flags, raw) => {
      this.requests.push(
        new ReceivedRequest(stream as ServerHttp2Stream, headers, raw as unknown as readonly string[]),
      );
    });
  }

  get url(): string {
    return `${this.scheme}://${this.scheme === 'https' ? 'localhost' : '127.0.0.1'}:${this.port}`;
  }

  /** The next request that was not asked for yet. */
  async request(): Promise<ReceivedRequest> {
    const index = this.#taken++;
    await until(
      () => this.requests.length > index,
      () => `request ${index} to the origin`,
    );
    return this.requests[index];
  }

  get openSessions(): number {
    return this.sessions.filter(({ destroyed }) => !destroyed).length;
  }
}

/** Opens an origin that the end of the test closes; over TLS with these files. */
export async function openHttp2Origin(
  t: TestContext,
  options: ServerOptions = {},
  tls: { readonly cert: string; readonly key: string } | null = null,
): Promise<Http2Origin> {
  const server = tls === null ? createServer(options) : createSecureServer({ ...options, ...tls });
  server.on('sessionError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = new Http2Origin(server as Http2Server, tls === null ? 'http' : 'https');
  t.after(() => {
    for (const session of origin.sessions) session.destroy();
    server.close();
  });
  return origin;
}

export interface Http2LabOptions {
  readonly route?: Omit<RouteOptions, 'match' | 'upstream'>;
  readonly upstream?: Omit<UpstreamOptions, 'targets' | 'protocol'>;
  readonly limits?: Partial<Limits>;
  /** Of the gateway towards clients. */
  readonly tls?: TlsSettings;
}

/** A gateway whose every request goes to one origin over HTTP/2. */
export function openHttp2Lab(
  t: TestContext,
  origin: { readonly url: string },
  options: Http2LabOptions = {},
): Promise<GatewayLab> {
  return openGatewayLab(t, {
    routes: { all: { ...options.route, match: { path: '/*' }, upstream: 'app' } },
    upstreams: { app: { ...options.upstream, protocol: 'http2', targets: [{ url: origin.url }] } },
    limits: options.limits ?? {},
    ...(options.tls === undefined ? {} : { tls: options.tls }),
  });
}

const PREFACE_BYTES = 24;
const HEAD_BYTES = 9;

/** A connection to an origin that says what a test says, frame by frame. Its settings are acknowledged and announced by itself. */
export class RawHttp2Connection {
  readonly socket: Socket;
  readonly frames: Frame[] = [];
  isClosed = false;
  #rest = Buffer.alloc(0);
  #hasPreface = false;

  constructor(socket: Socket, settings: Buffer | null) {
    this.socket = socket;
    if (settings !== null) this.send(frame(SETTINGS, 0, 0, settings));
    socket.on('data', (bytes: Buffer) => this.#received(bytes));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.isClosed = true;
    });
  }

  send(...frames: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(frames));
  }

  /** The streams whose requests have come. */
  get streams(): readonly number[] {
    return this.frames.filter(({ type }) => type === HEADERS).map(({ stream }) => stream);
  }

  /** Waits for a frame of this type, and of this stream if one is named. */
  async frame(type: number, stream: number | null = null): Promise<Frame> {
    const isIt = (one: Frame): boolean => one.type === type && (stream === null || one.stream === stream);
    await until(
      () => this.frames.some(isIt),
      () => `a frame ${type} among ${this.frames.map((one) => `${one.type}/${one.stream}`).join(' ')}`,
    );
    return this.frames.find(isIt) as Frame;
  }

  /** Bytes of body that a stream has brought. */
  dataBytes(stream: number): number {
    return this.frames
      .filter((one) => one.type === DATA && one.stream === stream)
      .reduce((sum, { payload }) => sum + payload.length, 0);
  }

  #received(bytes: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    if (!this.#hasPreface) {
      if (this.#rest.length < PREFACE_BYTES) return;
      this.#rest = this.#rest.subarray(PREFACE_BYTES);
      this.#hasPreface = true;
    }
    while (this.#rest.length >= HEAD_BYTES) {
      const end = HEAD_BYTES + this.#rest.readUIntBE(0, 3);
      if (this.#rest.length < end) return;
      const one = {
        type: this.#rest[3],
        flags: this.#rest[4],
        stream: this.#rest.readUInt32BE(5) & 0x7fffffff,
        payload: Buffer.from(this.#rest.subarray(HEAD_BYTES, end)),
      };
      this.#rest = this.#rest.subarray(end);
      if (one.type === SETTINGS && (one.flags & ACK) === 0) this.send(frame(SETTINGS, ACK, 0));
      this.frames.push(one);
    }
  }
}

/** An origin that a test plays frame by frame. */
export class RawHttp2Origin {
  readonly connections: RawHttp2Connection[] = [];
  readonly port: number;
  #taken = 0;

  constructor(port: number) {
    this.port = port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async connection(): Promise<RawHttp2Connection> {
    const index = this.#taken++;
    await until(
      () => this.connections.length > index,
      () => `connection ${index} to the origin`,
    );
    return this.connections[index];
  }

  /** The next connection with its first request. */
  async asked(): Promise<RawHttp2Connection> {
    const connection = await this.connection();
    await connection.frame(HEADERS);
    return connection;
  }
}

/** @param settings what the origin announces (RFC 9113, section 6.5); null for nothing, so that it does not greet */
export async function openRawHttp2Origin(
  t: TestContext,
  settings: Buffer | null = Buffer.alloc(0),
): Promise<RawHttp2Origin> {
  const accepted: Socket[] = [];
  const server = createTcpServer({ noDelay: true }, (socket) => {
    accepted.push(socket);
    origin.connections.push(new RawHttp2Connection(socket, settings));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = new RawHttp2Origin((server.address() as AddressInfo).port);
  t.after(() => {
    for (const socket of accepted) socket.destroy();
    server.close();
  });
  return origin;
}
