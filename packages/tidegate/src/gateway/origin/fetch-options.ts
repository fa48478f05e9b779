import type { Deadlines } from '../../kernel/index.ts';
import type { Timeouts } from '../routes/resilience.ts';
import type { OriginRequest } from './exchange.ts';
import type { OriginTarget } from './origin-target.ts';
import type { RetryRun } from './retry-run.ts';

/** Where targets come from. */
export interface TargetSource {
  /** A target that takes requests and is not among `tried`; null if there is none. */
  pick(hash: number, tried: readonly OriginTarget[]): OriginTarget | null;
}

/** What fetches share. */
export interface FetchContext {
  readonly deadlines: Deadlines;
  /** How long an origin may take to say whether it wants a body, in milliseconds, before it is sent anyway. */
  readonly continueTimeoutMs: number;
}

export interface FetchOptions {
  readonly request: OriginRequest;
  readonly targets: TargetSource;
  /** What of the request decides about its target, for a balancer that goes by that. Default: 0. */
  readonly hash?: number;
  /** Whether Host is as the request has it, or names the target. */
  readonly hostFrom: 'request' | 'target';
  readonly timeouts: Timeouts;
  /** Decides whether a failed attempt is made again, and when; null for never, but for what every fetch may do. */
  readonly retry: RetryRun | null;
  /** When the whole has to be over, on the scale of `Deadlines.after`; infinite for never. */
  readonly deadlineMs: number;
  readonly context: FetchContext;
}
