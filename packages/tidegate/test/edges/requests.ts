import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import type { EdgeServer } from './edge-server.ts';

/** A message as an edge delivers it. */
export interface Delivered {
  readonly channel: string;
  readonly cursor: string;
  readonly id: string;
  readonly time: string;
  readonly data?: unknown;
  readonly data_base64?: string;
  readonly datacontenttype?: string;
  readonly gap?: { readonly reason: string; readonly cursor: string };
  readonly [attribute: string]: unknown;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The body, parsed. */
  readonly body: Record<string, unknown> & { readonly code?: string; readonly detail?: string };
}

export function post(
  server: EdgeServer,
  path: string,
  body: string | Uint8Array | undefined,
  headers: Record<string, string> = {},
): Promise<Answer> {
  // A body of bytes has no content type of its own, unlike text, to which fetch adds one.
  const content = body === undefined ? undefined : Buffer.from(body);
  return answerOf(fetch(server.url + path, { method: 'POST', headers, body: content }));
}

export function get(server: EdgeServer, path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return answerOf(fetch(server.url + path, { headers }));
}

async function answerOf(pending: Promise<Response>): Promise<Answer> {
  const response = await pending;
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) };
}

/** Everything that is stored of a channel. */
export async function stored(server: EdgeServer, channel: string): Promise<readonly Delivered[]> {
  const { status, body } = await get(server, `/v1/history/${channel}`);
  assert.equal(status, 200, JSON.stringify(body));
  return body.messages as Delivered[];
}

/** The data of everything that is stored of a channel, as the text of the JSON that arrives. */
export async function storedJson(server: EdgeServer, channel: string): Promise<string> {
  return (await fetch(`${server.url}/v1/history/${channel}`)).text();
}

/** Asserts that a request was refused, with the status and the stable code. */
export function assertProblem(answer: Answer, status: number, code: string, detail?: RegExp): void {
  assert.equal(answer.body.code, code, JSON.stringify(answer.body));
  assert.equal(answer.status, status);
  assert.equal(answer.headers.get('content-type'), 'application/problem+json');
  if (detail !== undefined) assert.match(String(answer.body.detail), detail);
}

/** Resolves once the edges hold so many subscriptions. */
export async function untilSubscriptions(server: EdgeServer, count: number): Promise<void> {
  while (server.subscriptions() !== count) await setImmediate();
}

/** A connection that says exactly what a test wants. */
export class RawClient {
  readonly socket: Socket;
  #received = Buffer.alloc(0);
  #ended = false;
  #wake: (() => void) | null = null;

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('data', (bytes: Buffer) => {
      this.#received = Buffer.concat([this.#received, bytes]);
      this.#wake?.();
    });
    const ended = (): void => {
      this.#ended = true;
      this.#wake?.();
    };
    this.socket.on('end', ended);
    this.socket.on('close', ended);
    this.socket.on('error', () => {});
  }

  send(bytes: string | Uint8Array): void {
    this.socket.write(bytes);
  }

  /** What has arrived so far. */
  get text(): string {
    return this.#received.toString('latin1');
  }

  get bytes(): Buffer {
    return this.#received;
  }

  /** Resolves once what has arrived matches; fails if the connection ends before. */
  async until(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.text)) {
      if (this.#ended) throw new Error(`The connection ended before ${pattern}: ${this.text}`);
      await this.#more();
    }
    return this.text;
  }

  /** Resolves with everything once the server has ended the connection. */
  async untilEnd(): Promise<string> {
    while (!this.#ended) await this.#more();
    return this.text;
  }

  async close(): Promise<void> {
    if (this.socket.closed) return;
    this.socket.destroy();
    await once(this.socket, 'close');
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

/** A response that does not end by itself, read with fetch. */
export class OpenStream {
  readonly response: Response;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #abort: AbortController;
  readonly #decoder = new TextDecoder();
  text = '';

  private constructor(response: Response, abort: AbortController) {
    assert.ok(response.body !== null);
    this.response = response;
    this.#reader = response.body.getReader();
    this.#abort = abort;
  }

  static async open(
    server: EdgeServer,
    path: string,
    headers: Record<string, string> = {},
  ): Promise<OpenStream> {
    const abort = new AbortController();
    const response = await fetch(server.url + path, { headers, signal: abort.signal });
    assert.equal(response.status, 200);
    return new OpenStream(response, abort);
  }

  /** Resolves once what has arrived holds so many of `mark`. */
  async until(mark: string, count = 1): Promise<string> {
    while (this.text.split(mark).length <= count) {
      const { value, done } = await this.#reader.read();
      if (done) throw new Error(`The stream ended before ${JSON.stringify(mark)}: ${this.text}`);
      this.text += this.#decoder.decode(value, { stream: true });
    }
    return this.text;
  }

  /** Resolves with everything once the server has ended the stream; fails if it broke off. */
  async untilEnd(): Promise<string> {
    for (;;) {
      const { value, done } = await this.#reader.read();
      if (done) return this.text;
      this.text += this.#decoder.decode(value, { stream: true });
    }
  }

  close(): void {
    this.#abort.abort();
  }
}
