import { parseTimestamp, TidegateError } from '../kernel/index.ts';

/** What a client may send beside the header of the route: how long it waits, from now on. */
export const REQUEST_TIMEOUT_HEADER = 'request-timeout';

/** Milliseconds since 1970 that are a time of this century: seconds would be one of 1970, which is a mistake. */
const UNIX_MS = /^[0-9]{12,14}$/;
const TIMEOUT = /^([0-9]{1,9})(ms|s|m)?$/;
const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 };

/** What a request says of its deadline; undefined for a field that it does not have. */
export interface DeadlineFields {
  /** The header of the route: an RFC 3339 time, or milliseconds since 1970. */
  readonly deadline: string | undefined;
  /** `Request-Timeout`: whole seconds, or a whole number with `ms`, `s` or `m`. */
  readonly timeout: string | undefined;
}

/**
 * When the answer to a request is of no use any more, in milliseconds since 1970 (as `Clock.nowMs`); null if it does not say. Of two that
 * are given the earlier one counts.
 * @throws TidegateError http_malformed: whoever writes a deadline wants it kept, and one that cannot be read cannot be
 */
export function deadlineOf({ deadline, timeout }: DeadlineFields, nowMs: number): number | null {
  const at = deadline === undefined ? null : instantOf(deadline.trim());
  if (timeout === undefined) return at;
  const match = TIMEOUT.exec(timeout.trim());
  if (match === null)
    throw malformed(`Request-Timeout is ${JSON.stringify(timeout)} and not seconds, such as 10, or 500ms.`);
  const until = nowMs + Number(match[1]) * UNITS_MS[match[2] ?? 's'];
  return at === null ? until : Math.min(at, until);
}

function instantOf(text: string): number {
  const at = UNIX_MS.test(text) ? Number(text) : parseTimestamp(text);
  if (at === null)
    throw malformed(
      `The deadline is ${JSON.stringify(text)} and not a time such as 2027-01-31T12:00:00Z, or milliseconds since 1970.`,
    );
  return at;
}

const malformed = (detail: string): TidegateError => new TidegateError('http_malformed', detail);

/** The value that is passed on to the next hop: the instant, which means the same at every hop whose clock agrees. */
export function deadlineField(deadlineMs: number): string {
  return new Date(deadlineMs).toISOString();
}

/** How long a step that may take `boundMs` has until the deadline; 0 if it is over. Null is no deadline. */
export function timeLeftMs(deadlineMs: number | null, boundMs: number, nowMs: number): number {
  return deadlineMs === null ? boundMs : Math.max(0, Math.min(boundMs, deadlineMs - nowMs));
}

/** @throws TidegateError deadline_exceeded: for every hop and every attempt to ask before it begins */
export function assertInTime(deadlineMs: number | null, nowMs: number): void {
  if (deadlineMs !== null && nowMs >= deadlineMs)
    throw new TidegateError('deadline_exceeded', `It was ${deadlineField(deadlineMs)}.`);
}
