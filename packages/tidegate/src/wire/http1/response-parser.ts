import type { Buffer } from 'node:buffer';
import { EMPTY, TidegateError } from '../../kernel/index.ts';
import { ByteInput } from './byte-input.ts';
import { ChunkedBody, type ChunkedBodyLimits } from './chunked-body.ts';
import { blockLength } from './field-block.ts';
import type { FieldLines } from './field-lines.ts';
import { parseReceivedResponse, type ReceivedResponse } from './received-response.ts';

/**
 * What the parser has come to: it needs more bytes; `head` is a response's head, which of an interim response (1xx) is all of it;
 * `slice` is a part of the body; the response is complete; or `error` says why the rest of the connection cannot be read.
 */
export type ResponseStep = 'more' | 'head' | 'data' | 'end' | 'failed';

type State = 'idle' | 'head' | 'none' | 'fixed' | 'chunked' | 'untilClose' | 'failed';

/**
 * A parser of HTTP/1 responses for clients (RFC 9112) that does no IO; the counterpart of RequestParser, with the same steps. A
 * response is read only after `expect` has said to which method; whatever comes before is nobody's answer.
 */
export class ResponseParser {
  /** The head of the response that is being read; valid from the step `head` on. */
  head: ReceivedResponse | null = null;
  /** Valid until the next call of `next` or `push`. */
  slice: Buffer = EMPTY;
  /** The trailer section of the response that has just ended; null if it has none. */
  trailers: FieldLines | null = null;
  error: TidegateError | null = null;
  readonly #limits: ChunkedBodyLimits;
  readonly #input = new ByteInput();
  #state: State = 'idle';
  #method = '';
  #remaining = 0;
  #chunked: ChunkedBody | null = null;

  constructor(limits: ChunkedBodyLimits) {
    this.#limits = limits;
  }

  /** Bytes that were pushed and are not consumed. */
  get bufferedBytes(): number {
    return this.#input.length;
  }

  /** A request with this method was sent, and its response is the next one. */
  expect(method: string): void {
    this.#method = method;
    this.#state = 'head';
    this.head = null;
    this.trailers = null;
  }

  /** Adds bytes. They must not be changed while the parser holds them. */
  push(bytes: Buffer): void {
    this.#input.push(bytes);
  }

  /** Takes the bytes that follow a head, for a protocol that takes the connection over. */
  takeRest(): Buffer {
    return this.#input.takeRest();
  }

  next(): ResponseStep {
    try {
      switch (this.#state) {
        case 'idle':
          return 'more';
        case 'head':
          return this.#readHead();
        case 'none':
          return this.#end();
        case 'fixed':
          return this.#readFixed();
        case 'chunked':
          return this.#readChunked();
        case 'untilClose':
          return this.#readAll();
        case 'failed':
          return 'failed';
      }
    } catch (error) {
      return this.#fail(TidegateError.from(error));
    }
  }

  /** The server has ended its side, which ends a body without any other end (RFC 9112, section 8), and breaks every other one. */
  ended(): ResponseStep {
    if (this.#state === 'untilClose') return this.#end();
    if (this.#state === 'idle' || this.#state === 'failed') return 'more';
    return this.#fail(
      new TidegateError('http_malformed', 'The connection ended before the answer was complete.'),
    );
  }

  #readHead(): ResponseStep {
    const input = this.#input;
    if (input.length === 0) return 'more';
    const { bytes, start } = input;
    const length = blockLength(input, this.#limits.httpHeadBytesMax, 'head');
    if (length === 0) return 'more';
    const text = bytes.toString('latin1', start, start + Math.abs(length));
    const head = parseReceivedResponse(text, this.#method, this.#limits.httpHeadersMax);
    if (length < 0) throw new TidegateError('http_malformed', 'A line ends without a carriage return.');
    input.consume(length);
    this.head = head;
    this.#begin(head);
    return 'head';
  }

  #begin(head: ReceivedResponse): void {
    switch (head.framing) {
      case 'none':
        // The final response is still to come, unless another protocol does (RFC 9110, sections 15.2 and 15.2.2).
        if (head.status === 101) this.#state = 'idle';
        else if (head.status >= 200) this.#state = 'none';
        break;
      case 'length':
        this.#state = 'fixed';
        this.#remaining = head.lengthBytes ?? 0;
        break;
      case 'chunked':
        this.#state = 'chunked';
        this.#chunked = new ChunkedBody(this.#limits, 'drop');
        break;
      case 'close':
        this.#state = 'untilClose';
        break;
    }
  }

  #readFixed(): ResponseStep {
    if (this.#remaining === 0) return this.#end();
    const input = this.#input;
    if (input.length === 0) return 'more';
    const count = Math.min(this.#remaining, input.length);
    this.slice = input.bytes.subarray(input.start, input.start + count);
    input.consume(count);
    this.#remaining -= count;
    return 'data';
  }

  #readChunked(): ResponseStep {
    const chunked = this.#chunked as ChunkedBody;
    const step = chunked.next(this.#input);
    if (step === 'data') this.slice = chunked.slice;
    if (step !== 'end') return step;
    this.trailers = chunked.trailers;
    this.#chunked = null;
    return this.#end();
  }

  #readAll(): ResponseStep {
    if (this.#input.length === 0) return 'more';
    this.slice = this.#input.takeRest();
    return 'data';
  }

  #end(): ResponseStep {
    this.#state = 'idle';
    return 'end';
  }

  #fail(error: TidegateError): ResponseStep {
    this.#state = 'failed';
    this.error = error;
    return 'failed';
  }
}
