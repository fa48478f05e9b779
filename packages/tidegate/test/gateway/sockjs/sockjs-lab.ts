import { once } from 'node:events';
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { type WebSocket, WebSocketServer } from 'ws';
import type { RouteOptions } from '../../../src/gateway/options.ts';
import type { Limits } from '../../../src/kernel/index.ts';
import type { TlsSettings } from '../../../src/listeners/options.ts';
import { type Trust, until } from '../../listeners/lab.ts';
import { type GatewayLab, openGatewayLab } from '../lab.ts';

/** A whole answer. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** An answer that goes on. */
export class OpenAnswer {
  readonly response: IncomingMessage;
  #text = '';
  isEnded = false;
  isCut = false;

  constructor(response: IncomingMessage) {
    this.response = response;
    response.setEncoding('utf8');
    response.on('data', (text: string) => {
      this.#text += text;
    });
    response.on('end', () => {
      this.isEnded = true;
    });
    response.on('error', () => {
      this.isCut = true;
    });
  }

  /** Waits until so much is there, and takes it. */
  async take(characters: number): Promise<string> {
    await until(
      () => this.#text.length >= characters,
      () => `${characters} characters in ${JSON.stringify(this.#text)}`,
    );
    const taken = this.#text.slice(0, characters);
    this.#text = this.#text.slice(characters);
    return taken;
  }

  /** Waits for the end, and takes what came before it. */
  async rest(): Promise<string> {
    await until(
      () => this.isEnded,
      () => `the end after ${JSON.stringify(this.#text)}`,
    );
    return this.#text;
  }

  /** What came and was not taken. */
  get untaken(): string {
    return this.#text;
  }

  close(): void {
    this.response.destroy();
  }
}

/** A route with SockJS at `/echo`, whose origin answers each message with itself, and `bye` with an end. */
export interface SockJsLab extends GatewayLab {
  /** Connections of the origin in their order, open or not. */
  readonly sockets: readonly { readonly socket: WebSocket; readonly request: IncomingMessage }[];
  /** How each connection of the origin ended, in the order of the ends. */
  readonly ends: readonly { readonly code: number; readonly reason: string }[];
  ask(
    method: string,
    path: string,
    body?: string,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer>;
  post(path: string, body?: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  open(method: string, path: string): Promise<OpenAnswer>;
}

export interface SockJsLabOptions {
  readonly route?: Partial<RouteOptions>;
  readonly limits?: Partial<Limits>;
  /** What the origin does with a connection; echoes by default. */
  readonly serve?: (socket: WebSocket) => void;
  /** Over TLS, with HTTP/2; `ask`, `post`, `get` and `open` are not for it. */
  readonly tls?: TlsSettings;
  readonly trust?: Trust;
  /** The extension that the origin accepts; none by default. */
  readonly accepts?: string | null;
  /** Refuses handshakes with this status. */
  readonly refuses?: () => number | null;
}

export function echo(socket: WebSocket): void {
  socket.on('message', (data) => {
    if (String(data) === 'bye') socket.close(3000, 'Go away!');
    else socket.send(String(data));
  });
}

export async function openSockJsLab(t: TestContext, options: SockJsLabOptions = {}): Promise<SockJsLab> {
  const sockets: { socket: WebSocket; request: IncomingMessage }[] = [];
  const ends: { code: number; reason: string }[] = [];
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    verifyClient: (_info, done) => {
      const status = options.refuses?.() ?? null;
      if (status === null) done(true);
      else done(false, status, 'Not today', { 'x-why': 'closed' });
    },
  });
  await once(server, 'listening');
  const { accepts } = options;
  if (accepts) server.on('headers', (headers) => headers.push(`Sec-WebSocket-Extensions: ${accepts}`));
  server.on('connection', (socket, asked) => {
    sockets.push({ socket, request: asked });
    socket.on('close', (code, reason) => ends.push({ code, reason: String(reason) }));
    socket.on('error', () => {});
    (options.serve ?? echo)(socket);
  });
  t.after(() => {
    for (const { socket } of sockets) socket.terminate();
    server.close();
  });
  const lab = await openGatewayLab(t, {
    routes: {
      chat: { match: { path: '/*' }, upstream: 'app', sockjs: { path: '/echo' }, ...options.route },
    },
    upstreams: { app: { targets: [{ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }] } },
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    tls: options.tls ?? null,
    ...(options.trust === undefined ? {} : { trust: options.trust }),
  });
  const begin = async (
    method: string,
    path: string,
    body = '',
    headers: Readonly<Record<string, string>> = {},
  ): Promise<IncomingMessage> => {
    const asked = request({
      host: '127.0.0.1',
      port: lab.listener.port,
      method,
      path,
      headers,
      agent: false,
    });
    asked.end(body);
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    t.after(() => response.destroy());
    return response;
  };
  const ask: SockJsLab['ask'] = async (method, path, body, headers) => {
    const response = await begin(method, path, body, headers);
    const parts: Buffer[] = [];
    for await (const part of response) parts.push(part as Buffer);
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      body: Buffer.concat(parts).toString('utf8'),
    };
  };
  return {
    ...lab,
    sockets,
    ends,
    ask,
    post: (path, body, headers) => ask('POST', path, body, headers),
    get: (path, headers) => ask('GET', path, '', headers),
    open: async (method, path) => new OpenAnswer(await begin(method, path)),
  };
}

export const NOT_CACHED = 'no-store, no-cache, must-revalidate, max-age=0';

/** Waits until a number that grows has stood still for many turns of the event loop. */
export async function standsStill(read: () => number): Promise<void> {
  let before = read();
  let turns = 0;
  await until(() => {
    turns = read() === before && before > 0 ? turns + 1 : 0;
    before = read();
    return turns === 50;
  });
}
