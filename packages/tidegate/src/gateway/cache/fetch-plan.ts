import type { Clock, Limits } from '../../kernel/index.ts';
import type { CacheCounters } from './cache-metrics.ts';
import type { ForwardReason } from './cache-status.ts';
import type { CacheStore } from './cache-store.ts';
import type { Coalescer } from './coalescer.ts';
import type { CacheRule } from './options.ts';
import type { CacheRequest, ForwardChanges } from './port.ts';
import type { RequestTerms } from './request-terms.ts';
import type { HeadContext } from './response-head.ts';
import type { StoredResponse } from './stored-response.ts';
import type { UncacheableMarks } from './uncacheable-marks.ts';

/** The limits that a fetch and a lookup keep to. */
export type FetchLimits = Pick<
  Limits,
  | 'cacheEntryBytesMax'
  | 'cacheFetchWaitersMax'
  | 'cacheHeuristicMs'
  | 'cacheOriginRestMs'
  | 'cacheSurrogateKeysMax'
  | 'cacheVaryFieldsMax'
>;

/** What the routes of a cache share. */
export interface CacheParts {
  readonly clock: Clock;
  readonly limits: FetchLimits;
  readonly store: CacheStore;
  readonly coalescer: Coalescer;
  readonly marks: UncacheableMarks;
  readonly counters: CacheCounters;
}

/** What a fetch is for. */
export interface FetchPlan {
  readonly uri: string;
  /** What the route adds to the key. */
  readonly routeKey: string;
  /** What a request must ask for to wait for this fetch. */
  readonly key: string;
  readonly request: CacheRequest;
  readonly terms: RequestTerms;
  readonly rule: CacheRule;
  /** The stored response that is to be validated, or that may stand in if the origin fails. */
  readonly stored: StoredResponse | null;
  readonly reason: ForwardReason;
  readonly changes: ForwardChanges;
  /** Whether others may wait for it. */
  readonly joining: 'open' | 'alone';
  /** Whether a client waits for it, or whether it only renews what is stored. */
  readonly audience: 'client' | 'nobody';
}

/** The longest body that is stored. */
export function entryBytesMax(limits: FetchLimits, rule: CacheRule): number {
  return Math.min(rule.entryBytesMax, limits.cacheEntryBytesMax);
}

/** What decides about a response that comes now. */
export function headContext({ clock, limits }: CacheParts, plan: FetchPlan, startedMs: number): HeadContext {
  const receivedMs = clock.monotonicMs();
  return {
    rule: plan.rule,
    isAuthorized: plan.terms.isAuthorized,
    delayMs: receivedMs - startedMs,
    nowMs: clock.nowMs(),
    receivedMs,
    heuristicMaxMs: limits.cacheHeuristicMs,
    varyFieldsMax: limits.cacheVaryFieldsMax,
    surrogateKeysMax: limits.cacheSurrogateKeysMax,
  };
}
