import type { RetryRule } from './resilience.ts';

/** What became of an attempt: a status, or no answer. `connect`: no connection; `malformed`: what came is no HTTP. */
export type AttemptOutcome =
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'connect' | 'reset' | 'timeout' | 'malformed' };

/** An attempt that is over, as far as another one depends on it. */
export interface Attempt {
  /** 1 for the first. */
  readonly number: number;
  readonly method: string;
  readonly outcome: AttemptOutcome;
  /** Whether any byte of the request may have reached the origin. */
  readonly request: 'unsent' | 'sent';
  /** Whether the request can be made once more: its body is still there, and nothing of the answer has been sent on. */
  readonly replay: 'possible' | 'impossible';
}

/** RFC 9110, section 9.2.2. */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

export const isIdempotent = (method: string): boolean => IDEMPOTENT.has(method);

function isListed(rule: RetryRule, outcome: AttemptOutcome): boolean {
  switch (outcome.kind) {
    case 'status':
      return rule.statuses.has(outcome.status);
    case 'connect':
      return rule.onConnect;
    case 'reset':
      return rule.onReset;
    case 'timeout':
      return rule.onTimeout;
    // The origin has answered, and would answer alike.
    case 'malformed':
      return false;
  }
}

/** Whether a rule wants another attempt. The budget and the deadline have a say, too. */
export function mayRetry(rule: RetryRule, attempt: Attempt): boolean {
  if (attempt.number >= rule.attempts || attempt.replay === 'impossible') return false;
  if (!isListed(rule, attempt.outcome)) return false;
  return attempt.request === 'unsent' || rule.methods === 'any' || IDEMPOTENT.has(attempt.method);
}

/**
 * Whether a request on a connection that was kept open is made once more without any rule: the origin had closed the connection at the
 * moment when the request was sent, which says nothing of the origin (RFC 9112, section 9.3.1). Once, and only where it is safe.
 */
export function mayRetryKeptAlive({ number, method, outcome, request, replay }: Attempt): boolean {
  return (
    number === 1 &&
    outcome.kind === 'reset' &&
    replay === 'possible' &&
    (request === 'unsent' || IDEMPOTENT.has(method))
  );
}
