import type { Buffer } from 'node:buffer';
import { EMPTY, TidegateError } from '../../kernel/index.ts';
import type { ByteInput } from './byte-input.ts';
import { parseChunkHeader } from './chunk-header.ts';
import { blockLength } from './field-block.ts';
import type { FieldLines } from './field-lines.ts';
import { CR, LF } from './octets.ts';
import { parseTrailers, type TrailerRule } from './trailers.ts';

/** What bounds the parts of a chunked body that are not data. */
export interface ChunkedBodyLimits {
  readonly chunkHeaderBytesMax: number;
  readonly httpHeadBytesMax: number;
  readonly httpHeadersMax: number;
}

/** What the next bytes of a body are: more is needed, `slice` holds data, or the body is complete. */
export type BodyStep = 'more' | 'data' | 'end';

/**
 * Decodes a chunked body (RFC 9112, section 7.1).
 *
 *     chunked-body = *chunk last-chunk trailer-section CRLF
 *     chunk        = chunk-header CRLF chunk-data CRLF
 */
export class ChunkedBody {
  /** The data that `next` found: a view of the input, valid until the input changes. */
  slice: Buffer = EMPTY;
  /** The trailer section; null if there is none, or not yet. */
  trailers: FieldLines | null = null;
  readonly #limits: ChunkedBodyLimits;
  readonly #trailerRule: TrailerRule;
  #state: 'header' | 'data' | 'dataEnd' | 'trailers' = 'header';
  #remaining = 0;

  constructor(limits: ChunkedBodyLimits, trailerRule: TrailerRule) {
    this.#limits = limits;
    this.#trailerRule = trailerRule;
  }

  next(input: ByteInput): BodyStep {
    for (;;) {
      switch (this.#state) {
        case 'header':
          if (!this.#readHeader(input)) return 'more';
          break;
        case 'data': {
          if (input.length === 0) return 'more';
          const count = Math.min(this.#remaining, input.length);
          this.slice = input.bytes.subarray(input.start, input.start + count);
          input.consume(count);
          this.#remaining -= count;
          if (this.#remaining === 0) this.#state = 'dataEnd';
          return 'data';
        }
        case 'dataEnd':
          if (!readLineEnd(input)) return 'more';
          this.#state = 'header';
          break;
        case 'trailers':
          return this.#readTrailers(input) ? 'end' : 'more';
      }
    }
  }

  #readHeader(input: ByteInput): boolean {
    const { bytes, start } = input;
    const lineMax = this.#limits.chunkHeaderBytesMax;
    const at = bytes.indexOf(LF, start + input.searched);
    const length = at === -1 ? input.length : at + 1 - start;
    if (length > lineMax || (at === -1 && length === lineMax)) {
      throw new TidegateError('http_malformed', `A chunk header is longer than ${lineMax} bytes.`);
    }
    if (at === -1) {
      input.searched = input.length;
      return false;
    }
    if (length < 2 || bytes[at - 1] !== CR) throw bareLineFeed();
    this.#remaining = parseChunkHeader(bytes.toString('latin1', start, at - 1));
    input.consume(length);
    this.#state = this.#remaining === 0 ? 'trailers' : 'data';
    return true;
  }

  #readTrailers(input: ByteInput): boolean {
    const { bytes, start } = input;
    if (input.length === 0) return false;
    if (bytes[start] === CR) return readLineEnd(input);
    const length = blockLength(input, this.#limits.httpHeadBytesMax, 'trailers');
    if (length === 0) return false;
    const text = bytes.toString('latin1', start, start + Math.abs(length));
    const trailers = parseTrailers(text, this.#limits.httpHeadersMax, this.#trailerRule);
    if (length < 0) throw bareLineFeed();
    this.trailers = trailers;
    input.consume(length);
    return true;
  }
}

function readLineEnd(input: ByteInput): boolean {
  const { bytes, start } = input;
  if (input.length > 0 && bytes[start] !== CR) throw missingLineEnd();
  if (input.length < 2) return false;
  if (bytes[start + 1] !== LF) throw missingLineEnd();
  input.consume(2);
  return true;
}

function missingLineEnd(): TidegateError {
  return new TidegateError('http_malformed', 'CRLF is missing at the end of a chunk.');
}

function bareLineFeed(): TidegateError {
  return new TidegateError('http_malformed', 'A line ends without a carriage return.');
}
