import { Buffer } from 'node:buffer';
import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { Expiring } from '../kernel/index.ts';
import { assertResponseFields, isWithoutContent } from '../wire/http1/index.ts';
import type { ListenerContext } from './connection-registry.ts';
import type { Http2Body } from './http2-body.ts';
import type { ResponseHeaders } from './port.ts';

/** A body is handed to the stream in pieces of this size, so that a client that reads slowly shows progress. */
const PIECE_BYTES = 64 * 1024;

/** Fields about the connection, which HTTP/2 has none of (RFC 9113, section 8.2.2). */
const HOP_BY_HOP = new Set(['upgrade', 'proxy-connection']);

/** The head of a response, as the library takes it. */
export function http2ResponseHead(
  status: number,
  fields: ResponseHeaders,
  date: string,
): OutgoingHttpHeaders {
  assertResponseFields(fields);
  const head: OutgoingHttpHeaders = { ':status': status, date };
  for (const name in fields) {
    const lower = name.toLowerCase();
    const value = fields[name];
    if (!HOP_BY_HOP.has(lower)) head[lower] = typeof value === 'string' ? value : [...value];
  }
  return head;
}

/** Why a stream is reset; nobody is told. */
const DROPPED = new Error('The stream was dropped');

/**
 * Drops a stream at once, with what waits for it. By an error, as the library ends a stream that is only closed with a code before it resets it: what is not
 * complete would look as if it were.
 */
export function dropStream(stream: ServerHttp2Stream): void {
  if (!stream.destroyed) stream.destroy(DROPPED);
}

/**
 * Asks a client for no more of a request that has been answered in full (RFC 9113, section 8.1). A stream that both sides have
 * ended closes by itself.
 */
export function closeAnswered(stream: ServerHttp2Stream, body: Http2Body): void {
  if (!body.isRead && !stream.closed && !stream.destroyed) stream.close(constants.NGHTTP2_NO_ERROR);
}

/** A whole response on its way. */
export class Http2Response implements Expiring {
  deadlineMs = Number.POSITIVE_INFINITY;
  readonly #stream: ServerHttp2Stream;
  readonly #body: Http2Body;
  readonly #context: ListenerContext;
  #unsent: Uint8Array | null = null;

  constructor(stream: ServerHttp2Stream, body: Http2Body, context: ListenerContext) {
    this.#stream = stream;
    this.#body = body;
    this.#context = context;
  }

  send(status: number, fields: ResponseHeaders, body: string | Uint8Array, method: string): void {
    const stream = this.#stream;
    const bytes = typeof body === 'string' ? Buffer.from(body, 'utf8') : body;
    const isBare = isWithoutContent(status);
    const head = http2ResponseHead(status, fields, this.#context.date.value());
    if (!isBare) head['content-length'] = String(bytes.length);
    const endStream = isBare || bytes.length === 0 || method === 'HEAD';
    stream.once('finish', this.#finished);
    this.#expectProgress();
    this.#context.deadlines.add(this);
    stream.respond(head, { endStream });
    if (endStream) return;
    this.#unsent = bytes;
    stream.on('drain', this.#flush);
    this.#flush();
  }

  /** The stream is gone. */
  closed(): void {
    this.#unsent = null;
    this.#context.deadlines.delete(this);
  }

  /** The client does not read. */
  expired(): void {
    dropStream(this.#stream);
  }

  /** Hands over as much as the stream takes. */
  readonly #flush = (): void => {
    const stream = this.#stream;
    this.#expectProgress();
    while (this.#unsent !== null && !stream.writableNeedDrain && !stream.destroyed) {
      const piece = this.#unsent.subarray(0, PIECE_BYTES);
      if (piece.length === this.#unsent.length) {
        this.#unsent = null;
        stream.end(piece);
      } else {
        this.#unsent = this.#unsent.subarray(PIECE_BYTES);
        stream.write(piece);
      }
    }
  };

  readonly #finished = (): void => {
    const { deadlines, limits } = this.#context;
    this.deadlineMs = deadlines.after(limits.httpLingerTimeoutMs);
    closeAnswered(this.#stream, this.#body);
  };

  #expectProgress(): void {
    const { deadlines, limits } = this.#context;
    this.deadlineMs = deadlines.after(limits.httpBodyIdleTimeoutMs);
  }
}
