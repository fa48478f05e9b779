import type { StatusSet } from '../statuses.ts';

/** An answer that needs no origin. Header names are in lower case. */
export interface FixedResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Header names are in lower case. */
export interface HeaderChanges {
  readonly set: Readonly<Record<string, string>>;
  readonly remove: readonly string[];
}

/** How long what may take. */
export interface Timeouts {
  readonly connectMs: number;
  readonly firstByteMs: number;
  readonly idleMs: number;
  /** Null without a bound. */
  readonly totalMs: number | null;
}

/** When a request is made again. */
export interface RetryRule {
  /** Attempts in all, the first one included. */
  readonly attempts: number;
  readonly backoffMs: number;
  readonly backoffMaxMs: number;
  readonly onConnect: boolean;
  readonly onReset: boolean;
  readonly onTimeout: boolean;
  readonly statuses: StatusSet;
  readonly methods: 'idempotent' | 'any';
  readonly budgetPercent: number;
}

/** When an origin is left alone; the settings of `CircuitBreaker` in policies/, and which statuses are failures. */
export interface BreakerRule {
  readonly failures: number;
  readonly percent: number;
  readonly withinMs: number;
  readonly openForMs: number;
  readonly openForMaxMs: number;
  readonly trials: number;
  readonly statuses: StatusSet;
}

/** The settings of `Bulkhead` in policies/, and how long one waits. */
export interface BulkheadRule {
  readonly concurrent: number;
  readonly queue: number;
  readonly waitMs: number;
}

/** Where a deadline is read and passed on. */
export interface DeadlineRule {
  /** In lower case. */
  readonly header: string;
  /** Null: none unless the client gives one. */
  readonly defaultMs: number | null;
}

/** What is answered in place of an origin that does not. What is null is not tried; a stale answer is tried first, then the upstream. */
export interface FallbackRule {
  readonly respond: FixedResponse | null;
  readonly upstream: string | null;
  readonly staleMs: number | null;
  readonly statuses: StatusSet;
}
