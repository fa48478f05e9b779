import { Buffer } from 'node:buffer';
import { WebSocket } from 'ws';
import { until } from './patience.ts';

/** What a client of a WebSocket sees, in order. */
export type SocketEvent =
  | { readonly text: string }
  | { readonly binary: string }
  | { readonly ping: string }
  | { readonly pong: string }
  | { readonly close: number; readonly reason: string };

/** What a client sees of a refused handshake. */
export interface Refusal {
  readonly status: number;
  readonly type: string | undefined;
  readonly body: string;
}

/** A WebSocket client (of the library `ws`) that keeps what it sees. */
export class SocketClient {
  readonly socket: WebSocket;
  readonly events: SocketEvent[] = [];
  #refusal: Refusal | undefined;
  #handshake: Readonly<Record<string, string | string[] | undefined>> = {};
  #isOpen = false;
  #isClosed = false;

  constructor(
    port: number,
    path: string,
    { protocols = [] as string[], headers = {} as Record<string, string> } = {},
  ) {
    this.socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols, {
      headers,
      autoPong: true,
      perMessageDeflate: false,
    });
    const { socket, events } = this;
    socket.on('open', () => {
      this.#isOpen = true;
    });
    socket.on('upgrade', (response) => {
      this.#handshake = response.headers;
    });
    socket.on('message', (data: Buffer, isBinary) => {
      events.push(isBinary ? { binary: data.toString('latin1') } : { text: data.toString() });
    });
    socket.on('ping', (data: Buffer) => events.push({ ping: data.toString() }));
    socket.on('pong', (data: Buffer) => events.push({ pong: data.toString() }));
    socket.on('close', (code, reason) => {
      events.push({ close: code, reason: reason.toString() });
      this.#isClosed = true;
    });
    socket.on('error', () => {});
    socket.on('unexpected-response', (_request, response) => {
      const slices: Buffer[] = [];
      response.on('data', (slice: Buffer) => slices.push(slice));
      response.on('end', () => {
        this.#refusal = {
          status: response.statusCode ?? 0,
          type: response.headers['content-type'],
          body: Buffer.concat(slices).toString(),
        };
        socket.terminate();
      });
    });
  }

  /** The fields of the answer to the handshake. */
  get handshake(): Readonly<Record<string, string | string[] | undefined>> {
    return this.#handshake;
  }

  async opened(): Promise<this> {
    await until(
      () => this.#isOpen || this.#isClosed || this.#refusal !== undefined,
      () => 'a WebSocket to open',
    );
    if (!this.#isOpen) throw new Error(`the WebSocket was refused: ${JSON.stringify(this.#refusal)}`);
    return this;
  }

  /** Waits for the refusal of the handshake. */
  async refused(): Promise<Refusal | SocketEvent> {
    await until(
      () => this.#refusal !== undefined || this.#isOpen || this.#isClosed,
      () => 'the refusal of a WebSocket',
    );
    if (this.#refusal !== undefined) return this.#refusal;
    if (this.#isOpen) throw new Error('the WebSocket was accepted');
    return this.events.at(-1) as SocketEvent;
  }

  /** Waits for a message with this text, or with it in it. */
  async until(text: string): Promise<void> {
    await this.untilOrClosed(text);
    if (!this.#has(text))
      throw new Error(`the WebSocket ended without ${text}: ${JSON.stringify(this.events)}`);
  }

  /** The same for those who may not get it: waits for the text, or for the close. */
  async untilOrClosed(text: string): Promise<void> {
    await until(
      () => this.#isClosed || this.#has(text),
      () => `${text}, or a close, in ${JSON.stringify(this.events)}`,
    );
  }

  #has(text: string): boolean {
    return this.events.some((event) => JSON.stringify(event).includes(text));
  }

  async closed(): Promise<void> {
    await until(
      () => this.#isClosed,
      () => `the close of a WebSocket after ${JSON.stringify(this.events)}`,
    );
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }
}
