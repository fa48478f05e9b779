import type { Buffer } from 'node:buffer';
import type { Limits } from '../../../src/kernel/index.ts';
import { ResponseParser } from '../../../src/wire/http1/index.ts';

/** The final response that was read, and what came before it. */
export interface ReadResponse {
  readonly interims: readonly number[];
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
  readonly trailers: readonly (readonly [string, string])[];
}

export interface ResponseReading {
  /** Null if there was no complete one. */
  readonly response: ReadResponse | null;
  readonly error: string | null;
  /** How many of the bytes belong to the response. */
  readonly bytes: number;
}

/** Reads the response to a request of this method from pieces, behind the last of which the connection ends. */
export function readResponse(pieces: readonly Buffer[], limits: Limits, method = 'GET'): ResponseReading {
  const parser = new ResponseParser(limits);
  parser.expect(method);
  const interims: number[] = [];
  let body = '';
  let pushed = 0;
  const reading = (): ResponseReading | null => {
    for (;;) {
      switch (parser.next()) {
        case 'more':
          return null;
        case 'failed':
          return { response: null, error: parser.error?.message ?? 'nothing', bytes: 0 };
        case 'data':
          body += parser.slice.toString('latin1');
          break;
        case 'head':
          if ((parser.head?.status ?? 0) < 200) interims.push(parser.head?.status ?? 0);
          if (parser.head?.status === 101) return { response: null, error: null, bytes: 0 };
          break;
        case 'end':
          return { response: read(), error: null, bytes: pushed - parser.bufferedBytes };
      }
    }
  };
  const read = (): ReadResponse => ({
    interims,
    status: parser.head?.status ?? 0,
    reason: parser.head?.reason ?? '',
    headers: [...(parser.head?.fields.entries() ?? [])],
    body,
    trailers: [...(parser.trailers?.entries() ?? [])],
  });
  for (const piece of pieces) {
    parser.push(piece);
    pushed += piece.length;
    const result = reading();
    if (result !== null) return result;
  }
  if (parser.ended() === 'end') return { response: read(), error: null, bytes: pushed };
  return { response: null, error: parser.error?.message ?? null, bytes: 0 };
}
