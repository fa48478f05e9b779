import { Buffer } from 'node:buffer';
import { type ErrorCode, resolveLimits } from '../../../src/kernel/index.ts';
import { RequestParser, type RequestParserLimits } from '../../../src/wire/http1/index.ts';

/** A request as a test compares it. */
export interface ReadRequest {
  readonly method: string;
  readonly target: string;
  readonly minorVersion: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The body as Latin-1; null if it did not end. */
  readonly body: string | null;
}

export interface Reading {
  readonly requests: readonly ReadRequest[];
  /** The code of the error that ended the reading; null if the bytes were fine as far as they go. */
  readonly error: ErrorCode | null;
  readonly detail: string;
  /** Whether the bytes end between two requests. */
  readonly idle: boolean;
}

/** Reads all requests from bytes that arrive in these pieces. */
export function readRequests(
  pieces: readonly Buffer[],
  limits: RequestParserLimits = resolveLimits(),
): Reading {
  const parser = new RequestParser(limits);
  const requests: ReadRequest[] = [];
  let body: string | null = null;
  const finish = (complete: boolean): void => {
    const head = parser.head;
    if (head === null || body === null) return;
    requests.push({
      method: head.method,
      target: head.target,
      minorVersion: head.minorVersion,
      headers: [...head.fields.entries()],
      body: complete ? body : null,
    });
    body = null;
  };
  for (const piece of pieces) {
    parser.push(piece);
    for (let step = parser.next(); step !== 'more'; step = parser.next()) {
      if (step === 'head') body = '';
      if (step === 'data') body += parser.slice.toString('latin1');
      if (step === 'end') finish(true);
      if (step === 'failed') {
        finish(false);
        return { requests, error: parser.error!.code, detail: parser.error!.detail, idle: false };
      }
    }
  }
  const idle = parser.isIdle;
  finish(false);
  return { requests, error: null, detail: '', idle };
}

/** Reads requests from one piece of Latin-1 text. */
export function readText(text: string, limits?: RequestParserLimits): Reading {
  return readRequests([Buffer.from(text, 'latin1')], limits);
}
