import type { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request as makeRequest } from 'node:http';
import { connect } from 'node:net';
import { until } from './patience.ts';

export interface RequestOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Buffer;
}

/** What a client sees of an answer. */
export interface Answer {
  readonly status: number;
  readonly reason: string;
  /** By names in lower case, in alphabetical order. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** As latin1. */
  readonly body: string;
  readonly end: 'whole' | 'cut off';
}

/** An answer that is read while it comes. */
export class OpenAnswer {
  readonly #response: IncomingMessage;
  readonly #request: ClientRequest;
  #text = '';
  #end: 'open' | 'whole' | 'cut off' = 'open';

  constructor(request: ClientRequest, response: IncomingMessage) {
    this.#request = request;
    this.#response = response;
    response.setEncoding('latin1');
    response.on('data', (text: string) => {
      this.#text += text;
    });
    response.on('end', () => {
      this.#end = 'whole';
    });
    response.on('error', () => {});
    response.on('close', () => {
      if (this.#end === 'open') this.#end = 'cut off';
    });
  }

  get status(): number {
    return this.#response.statusCode ?? 0;
  }

  get reason(): string {
    return this.#response.statusMessage ?? '';
  }

  get headers(): Answer['headers'] {
    return sorted(this.#response.headers);
  }

  /** What of the body has come, as latin1. */
  get text(): string {
    return this.#text;
  }

  get end(): 'open' | 'whole' | 'cut off' {
    return this.#end;
  }

  async until(text: string): Promise<void> {
    await this.untilOrEnd(text);
    if (!this.#text.includes(text)) throw new Error(`the answer ended without ${text}: ${this.#text}`);
  }

  /** The same for those who may not get it: waits for the text, or for the end. */
  async untilOrEnd(text: string): Promise<void> {
    await until(
      () => this.#text.includes(text) || this.#end !== 'open',
      () => `${text}, or the end, in ${this.#text}`,
    );
  }

  async ended(): Promise<Answer> {
    await until(
      () => this.#end !== 'open',
      () => `the end of ${this.#text}`,
    );
    const { status, reason, headers } = this;
    return { status, reason, headers, body: this.#text, end: this.#end === 'whole' ? 'whole' : 'cut off' };
  }

  close(): void {
    this.#request.destroy();
  }
}

function sorted(headers: IncomingMessage['headers']): Answer['headers'] {
  const entries = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return Object.fromEntries(entries.sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** Makes a request on a connection of its own; resolves with the head of the answer. */
export async function openRequest(
  port: number,
  path: string,
  { method = 'GET', headers = {}, body }: RequestOptions,
): Promise<OpenAnswer> {
  const fields = Object.fromEntries(
    Object.entries({ Accept: '*/*', ...headers }).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : [...value],
    ]),
  );
  const request = makeRequest({ host: '127.0.0.1', port, path, method, headers: fields, agent: false });
  request.on('error', () => {});
  if (body === undefined) request.end();
  else request.end(body);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return new OpenAnswer(request, response);
}

/**
 * What is sent as it is, and what comes until the other end closes: for what no client library would send.
 * @param more what is sent once something has come
 */
export async function rawExchange(
  port: number,
  sent: string,
  more?: { readonly after: string; readonly send: string },
): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    received += text;
  });
  socket.on('error', () => {});
  let closed = false;
  socket.once('close', () => {
    closed = true;
  });
  socket.write(sent, 'latin1');
  if (more !== undefined) {
    await until(
      () => received.includes(more.after) || closed,
      () => `${more.after} in ${received}`,
    );
    socket.write(more.send, 'latin1');
  }
  await until(
    () => closed,
    () => `the end of ${received}`,
  );
  return received;
}
