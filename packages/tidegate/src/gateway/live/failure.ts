import { TidegateError } from '../../kernel/index.ts';
import { type HttpExchange, problemResponse, type ResponseHeaders } from '../../listeners/index.ts';
import type { OriginFields, OriginResponse } from './port.ts';

/** Why a poll brought no value. */
export interface Failure {
  readonly error: TidegateError;
  /**
   * `final` is an answer about the resource, such as that it is gone or forbidden: newcomers get it, though there may be an older
   * value. `passing` failures are of the origin or of the way to it: newcomers get the last value, if there is one.
   */
  readonly kind: 'final' | 'passing';
  /** Equal for failures that it would tell nobody anything to tell apart. */
  readonly sameness: string;
  /** What the origin answered, to be passed on to who gets no value; null if it answered nothing that could be. */
  readonly response: OriginResponse | null;
  /** As subscribers are told of it: problem details (RFC 9457), with `upstreamStatus` if the origin gave one. */
  readonly problem: string;
  /** How long the origin asks to be left alone. 0 if it does not. */
  readonly retryAfterMs: number;
}

/** Statuses below 500 that say nothing about the resource: the request came at a bad time, or 304 to one that made no condition. */
const PASSING = new Set([304, 408, 421, 425, 429]);

/** Fields of a failure that mean the same to a client of ours. */
const PASSED_ON = new Set(['content-type', 'location', 'retry-after', 'www-authenticate']);

const SECONDS = /^[0-9]{1,9}$/;

/** @param nowMs wall-clock time */
export function failureOfStatus(response: OriginResponse, nowMs: number): Failure {
  const { status } = response;
  const error = new TidegateError('live_status', `The origin answered ${status}.`);
  const isFinal = status >= 300 && status < 500 && !PASSING.has(status);
  return {
    error,
    kind: isFinal ? 'final' : 'passing',
    sameness: `status ${status}`,
    response: status > 304 || isFinal ? response : null,
    problem: JSON.stringify({ ...JSON.parse(problemResponse(error).body), upstreamStatus: status }),
    retryAfterMs: retryAfterMs(fieldOf(response.headers, 'retry-after'), nowMs),
  };
}

export function failureOfError(error: TidegateError): Failure {
  return {
    error,
    kind: 'passing',
    sameness: error.code,
    response: null,
    problem: problemResponse(error).body,
    retryAfterMs: error.retryAfterMs ?? 0,
  };
}

/** Answers who gets no value: with what the origin said, where it said anything. */
export function answerFailure(exchange: HttpExchange, { error, response }: Failure): void {
  if (response === null) {
    exchange.fail(error);
    return;
  }
  const headers: Record<string, string | string[]> = { 'cache-control': 'no-store' };
  for (const [name, value] of response.headers) {
    if (!PASSED_ON.has(name)) continue;
    const before = headers[name];
    headers[name] = before === undefined ? value : [before, value].flat();
  }
  // A status without content cannot stand for a failure that has one.
  const body = response.body.length > 0 ? response.body : undefined;
  respond(exchange, response.status, headers, body, error);
}

function respond(
  exchange: HttpExchange,
  status: number,
  headers: ResponseHeaders,
  body: Uint8Array | undefined,
  error: TidegateError,
): void {
  try {
    exchange.respond(status, headers, body);
  } catch {
    // The origin's fields have octets that are legal there and that the listener does not write.
    exchange.fail(error);
  }
}

/** The first value of a field, whose name is given in lower case; undefined if there is none. */
export function fieldOf(headers: OriginFields, name: string): string | undefined {
  return headers.find(([given]) => given === name)?.[1];
}

/** RFC 9110, section 10.2.3: seconds, or a date. */
function retryAfterMs(value: string | undefined, nowMs: number): number {
  if (value === undefined) return 0;
  if (SECONDS.test(value)) return Number(value) * 1000;
  const dateMs = Date.parse(value);
  return Number.isNaN(dateMs) ? 0 : Math.max(0, dateMs - nowMs);
}
