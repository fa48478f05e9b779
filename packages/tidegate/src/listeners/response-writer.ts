import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { TidegateError } from '../kernel/index.ts';
import { isWithoutContent, REASON_PHRASES, responseHead } from '../wire/http1/index.ts';
import type { DateHeader } from './date-header.ts';
import type { RelayedHead, RelayedLines, ResponseHeaders, StreamFraming } from './port.ts';
import { problemResponse } from './problem.ts';
import type { RelayFraming } from './relay.ts';

/** A body is handed to the socket in pieces of this size, so that a client that reads slowly shows progress. */
const PIECE_BYTES = 64 * 1024;

const CLOSE = 'Connection: close\r\n';

/** What of a request, and of the connection after it, the response to it depends on. */
export interface ResponseFrame {
  readonly method: string;
  readonly minorVersion: number;
  /** Whether another request may follow. */
  readonly persists: boolean;
}

/** Writes the responses of one connection to its socket. */
export class ResponseWriter {
  readonly #socket: Socket;
  readonly #date: DateHeader;
  /** The rest of a body that is too large to be handed over at once. */
  #unsent: Uint8Array | null = null;

  constructor(socket: Socket, date: DateHeader) {
    this.#socket = socket;
    this.#date = date;
  }

  /** A response with its whole body: one write, and so one system call, unless the body is large. */
  whole(status: number, headers: ResponseHeaders, body: string | Uint8Array, frame: ResponseFrame): void {
    const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    const isBare = isWithoutContent(status);
    let framing = this.#date.line();
    if (!isBare) framing += `Content-Length: ${length}\r\n`;
    if (!frame.persists) framing += CLOSE;
    else if (frame.minorVersion === 0) framing += 'Connection: keep-alive\r\n';
    const head = responseHead(status, headers, framing);

    if (length === 0 || isBare || frame.method === 'HEAD') {
      this.#socket.write(head, 'latin1');
    } else if (typeof body === 'string' && length <= PIECE_BYTES) {
      this.#socket.write(head + body, 'utf8');
    } else {
      this.#begin(head, typeof body === 'string' ? Buffer.from(body, 'utf8') : body);
    }
  }

  #begin(head: string, body: Uint8Array): void {
    const first = Math.min(body.length, PIECE_BYTES);
    const joined = Buffer.allocUnsafe(head.length + first);
    joined.write(head, 0, 'latin1');
    joined.set(first === body.length ? body : body.subarray(0, first), head.length);
    this.#socket.write(joined);
    if (first < body.length) this.#unsent = body.subarray(first);
  }

  /** An error to a client of whom no request could be read. Returns the status. */
  refusal(error: TidegateError): number {
    const { status, headers, body } = problemResponse(error);
    this.whole(status, headers, body, { method: '', minorVersion: 1, persists: false });
    return status;
  }

  /** The head of a response whose body others write; the connection ends with it. */
  streamHead(status: number, headers: ResponseHeaders, framing: StreamFraming, minorVersion: number): string {
    if (framing === 'close') return responseHead(status, headers, this.#date.line() + CLOSE);
    if (minorVersion === 0) throw new TidegateError('internal', 'A chunked response needs HTTP/1.1.');
    return responseHead(status, headers, `${this.#date.line()}Transfer-Encoding: chunked\r\n${CLOSE}`);
  }

  /** The head of another server's response, whose fields were checked when they were read. */
  relayedHead(
    relayed: RelayedHead,
    framing: RelayFraming,
    persistence: 'persists' | 'closes',
    minorVersion: number,
  ): string {
    const { status, reason, bodyBytes } = relayed;
    const { text, isDated } = relayed.lines ?? linesOf(relayed.fields);
    let head = `HTTP/1.1 ${status} ${reason === '' ? (REASON_PHRASES[status] ?? '') : reason}\r\n${text}`;
    // RFC 9110, section 6.6.1: who passes a response on without a date adds it.
    if (!isDated) head += this.#date.line();
    if (framing === 'chunked') head += 'Transfer-Encoding: chunked\r\n';
    // Section 8.6: responses of these statuses have none.
    else if (bodyBytes !== null && status >= 200 && status !== 204)
      head += `Content-Length: ${bodyBytes}\r\n`;
    if (persistence === 'closes') head += CLOSE;
    else if (minorVersion === 0) head += 'Connection: keep-alive\r\n';
    return `${head}\r\n`;
  }

  /** Hands over as much as the socket takes; returns whether nothing waits any more. */
  flush(): boolean {
    const socket = this.#socket;
    while (this.#unsent !== null && !socket.writableNeedDrain) {
      const piece = this.#unsent.subarray(0, PIECE_BYTES);
      this.#unsent = piece.length === this.#unsent.length ? null : this.#unsent.subarray(PIECE_BYTES);
      socket.write(piece);
    }
    return this.#unsent === null && !socket.writableNeedDrain;
  }
}

function linesOf(pairs: readonly string[]): RelayedLines {
  let text = '';
  let isDated = false;
  for (let at = 0; at < pairs.length; at += 2) {
    const name = pairs[at];
    if (name.length === 4 && name.toLowerCase() === 'date') isDated = true;
    text += `${name}: ${pairs[at + 1]}\r\n`;
  }
  return { text, isDated };
}
