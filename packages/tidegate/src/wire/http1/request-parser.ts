import type { Buffer } from 'node:buffer';
import { EMPTY, TidegateError } from '../../kernel/index.ts';
import { ByteInput } from './byte-input.ts';
import { ChunkedBody, type ChunkedBodyLimits } from './chunked-body.ts';
import { blockLength } from './field-block.ts';
import type { FieldLines } from './field-lines.ts';
import { CR, LF, OCTETS, TOKEN } from './octets.ts';
import { parseRequestHead, type RequestHead, type RequestHeadLimits } from './request-head.ts';

export type RequestParserLimits = RequestHeadLimits & ChunkedBodyLimits;

/**
 * What the parser has come to: it needs more bytes; `head` is a request's head; `slice` is a part of its body; the
 * request is complete; or `error` says why the rest of the connection cannot be read.
 */
export type RequestStep = 'more' | 'head' | 'data' | 'end' | 'failed';

type State = 'start' | 'head' | 'fixed' | 'chunked' | 'failed';

/**
 * A parser of HTTP/1 requests for servers (RFC 9112) that does no IO. Bytes go in by `push`; `next` is called until it
 * says `more`, and stops at each thing that it finds, so that the caller decides when the next one is looked at:
 * what was not asked for stays in the input. The steps depend on the bytes alone, not on how they were cut.
 */
export class RequestParser {
  /** The head of the request that is being read; valid from the step `head` on. */
  head: RequestHead | null = null;
  /** Valid until the next call of `next` or `push`. */
  slice: Buffer = EMPTY;
  /** The trailer section of the request that has just ended; null if it has none. Valid until the next head. */
  trailers: FieldLines | null = null;
  error: TidegateError | null = null;
  readonly #limits: RequestParserLimits;
  readonly #input = new ByteInput();
  #state: State = 'start';
  #remaining = 0;
  #chunked: ChunkedBody | null = null;

  constructor(limits: RequestParserLimits) {
    this.#limits = limits;
  }

  /** Bytes that were pushed and are not consumed. */
  get bufferedBytes(): number {
    return this.#input.length;
  }

  /** Whether no byte of a request has arrived that is not yet complete. */
  get isIdle(): boolean {
    return this.#state === 'start' && this.#input.length === 0;
  }

  /** Bytes of the current body that were not yet returned; null if their number is not known. */
  get bodyBytesRemaining(): number | null {
    return this.#state === 'chunked' ? null : this.#state === 'fixed' ? this.#remaining : 0;
  }

  /** Adds bytes. They must not be changed while the parser holds them. */
  push(bytes: Buffer): void {
    this.#input.push(bytes);
  }

  /** Takes the bytes that follow the current request, for a protocol that takes the connection over. */
  takeRest(): Buffer {
    return this.#input.takeRest();
  }

  next(): RequestStep {
    try {
      switch (this.#state) {
        case 'start':
          if (!this.#skipEmptyLine()) return 'more';
          return this.#readHead();
        case 'head':
          return this.#readHead();
        case 'fixed':
          return this.#readFixed();
        case 'chunked':
          return this.#readChunked();
        case 'failed':
          return 'failed';
      }
    } catch (error) {
      this.#state = 'failed';
      this.error = TidegateError.from(error);
      return 'failed';
    }
  }

  /** RFC 9112, section 2.2: a server ignores an empty line before the request line. One is enough for old clients. */
  #skipEmptyLine(): boolean {
    const { bytes, start } = this.#input;
    if (this.#input.length === 0) return false;
    if (bytes[start] === CR) {
      if (this.#input.length < 2) return false;
      if (bytes[start + 1] !== LF)
        throw new TidegateError('http_malformed', 'A carriage return stands alone.');
      this.#input.consume(2);
    }
    this.#state = 'head';
    return true;
  }

  #readHead(): RequestStep {
    const input = this.#input;
    const { bytes, start } = input;
    if (input.length === 0) return 'more';
    // Something that is not HTTP at all, such as a TLS handshake, is told so at once.
    if ((OCTETS[bytes[start]] & TOKEN) === 0) {
      throw new TidegateError('http_malformed', 'The request does not begin with a method.');
    }
    const length = blockLength(input, this.#limits.httpHeadBytesMax, 'head');
    if (length === 0) return 'more';
    const head = parseRequestHead(bytes.toString('latin1', start, start + Math.abs(length)), this.#limits);
    if (length < 0) throw new TidegateError('http_malformed', 'A line ends without a carriage return.');
    input.consume(length);
    this.head = head;
    this.trailers = null;
    if (head.bodyBytes === null) {
      this.#state = 'chunked';
      this.#chunked = new ChunkedBody(this.#limits, 'refuse');
    } else {
      this.#state = 'fixed';
      this.#remaining = head.bodyBytes;
    }
    return 'head';
  }

  #readFixed(): RequestStep {
    if (this.#remaining === 0) {
      this.#state = 'start';
      return 'end';
    }
    const input = this.#input;
    if (input.length === 0) return 'more';
    const count = Math.min(this.#remaining, input.length);
    this.slice = input.bytes.subarray(input.start, input.start + count);
    input.consume(count);
    this.#remaining -= count;
    return 'data';
  }

  #readChunked(): RequestStep {
    const chunked = this.#chunked as ChunkedBody;
    const step = chunked.next(this.#input);
    if (step === 'data') this.slice = chunked.slice;
    if (step === 'end') {
      this.#state = 'start';
      this.trailers = chunked.trailers;
      this.#chunked = null;
    }
    return step;
  }
}
