import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';

/** A request with its whole body, as an origin was asked it. */
export interface AskedRequest {
  readonly method: string;
  /** With the query. */
  readonly url: string;
  /** In lower case. */
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** What an origin does with a request; `turn` counts from 1. */
export type Script = (request: AskedRequest, response: ServerResponse, turn: number) => void;

/** What an origin does with a WebSocket that it has accepted. */
export type SocketScript = (socket: WebSocket, request: AskedRequest) => void;

interface Part {
  readonly script: Script;
  readonly socketScript: SocketScript | undefined;
  readonly extensions: string | undefined;
  readonly asked: AskedRequest[];
}

/**
 * The origin of all scenarios on one side. Each plays under a name of its own, which is the second segment of its paths:
 * `/grip/NAME/…`.
 */
export class ScriptedOrigin {
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true, clientTracking: true });
  readonly #parts = new Map<string, Part>();
  readonly #connections = new Set<Duplex>();

  private constructor() {
    this.#server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      void this.#answer(request, response);
    });
    this.#server.on('connection', (socket: Duplex) => {
      this.#connections.add(socket);
      socket.once('close', () => this.#connections.delete(socket));
    });
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  static async start(): Promise<ScriptedOrigin> {
    const origin = new ScriptedOrigin();
    origin.#server.listen(0, '127.0.0.1');
    await once(origin.#server, 'listening');
    return origin;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /**
   * Plays a part.
   * @param extensions what the origin answers as Sec-WebSocket-Extensions
   * @returns the requests that it is asked, in order
   */
  play(
    name: string,
    script: Script,
    socketScript?: SocketScript,
    extensions?: string,
  ): readonly AskedRequest[] {
    if (this.#parts.has(name)) throw new Error(`two scenarios are called ${name}`);
    const asked: AskedRequest[] = [];
    this.#parts.set(name, { script, socketScript, extensions, asked });
    return asked;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate();
    for (const socket of this.#connections) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #part(request: IncomingMessage): Part | undefined {
    return this.#parts.get((request.url ?? '').split(/[/?]/)[2] ?? '');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const part = this.#part(request);
    let body: string;
    try {
      body = await bodyOf(request);
    } catch {
      return;
    }
    if (part === undefined) {
      response.writeHead(404).end('nobody plays this part');
      return;
    }
    const asked = askedOf(request, body);
    part.asked.push(asked);
    part.script(asked, response, part.asked.length);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const part = this.#part(request);
    const asked = askedOf(request, '');
    part?.asked.push(asked);
    const { socketScript, extensions } = part ?? {};
    if (socketScript === undefined) {
      const refusal = 'no sockets here';
      const fields = `Content-Type: text/plain\r\nContent-Length: ${refusal.length}\r\nConnection: close`;
      socket.end(`HTTP/1.1 404 Not Found\r\n${fields}\r\n\r\n${refusal}`);
      return;
    }
    // The library agrees on extensions that it knows only.
    const addExtensions = (fields: string[]): void => {
      if (extensions !== undefined) fields.push(`Sec-WebSocket-Extensions: ${extensions}`);
    };
    this.#sockets.once('headers', addExtensions);
    this.#sockets.handleUpgrade(request, socket, head, (accepted) => {
      accepted.on('error', () => {});
      socketScript(accepted, asked);
    });
    // It has been called by now, unless the handshake was none.
    this.#sockets.off('headers', addExtensions);
  }
}

function askedOf(request: IncomingMessage, body: string): AskedRequest {
  return { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const slices: Buffer[] = [];
  for await (const slice of request) slices.push(slice as Buffer);
  return Buffer.concat(slices).toString('latin1');
}
