import type { Counter, Metrics } from '../../kernel/index.ts';

/** What became of a request at the cache, as the metric names it. */
export const CACHE_OUTCOMES = [
  'hit',
  'stale',
  'stale_if_error',
  'miss',
  'revalidate',
  'collapsed',
  'bypass',
  'unavailable',
] as const;

export type CacheOutcome = (typeof CACHE_OUTCOMES)[number];

/** Requests by outcome. `stale_if_error` counts clients that got a stale response besides what their request counted as. */
export type OutcomeCounters = Readonly<Record<CacheOutcome, Counter>>;

/** The figures of the cache. */
export interface CacheCounters {
  readonly outcomes: OutcomeCounters;
  readonly evicted: Counter;
  readonly purged: Counter;
  /** What was asked to be purged, and carried out or refused. */
  readonly purges: Readonly<Record<'done' | 'refused', Counter>>;
  /** Responses that were validated by a 304. */
  readonly validated: Counter;
  /** Clients that waited for a response which could not be shared. */
  readonly released: Counter;
  /** Clients that were cut off since they read a response too slowly that was too large to store. */
  readonly lagging: Counter;
  readonly stored: Counter;
}

/** The counters of the cache. */
export function cacheCounters(metrics: Metrics): CacheCounters {
  const requests = {
    name: 'tidegate_cache_requests_total',
    help: 'Requests of routes with a cache, by what became of them.',
    labels: ['outcome'],
  };
  const outcomes = CACHE_OUTCOMES.map((outcome) => [outcome, metrics.counter(requests, [outcome])] as const);
  const counter = (name: string, help: string): Counter => metrics.counter({ name, help });
  const purges = {
    name: 'tidegate_cache_purges_total',
    help: 'URLs, prefixes and surrogate keys that were to be purged, by whether they were.',
    labels: ['outcome'],
  };
  return {
    outcomes: Object.fromEntries(outcomes) as Record<CacheOutcome, Counter>,
    evicted: counter('tidegate_cache_evicted_total', 'Stored responses that went for others.'),
    purged: counter('tidegate_cache_purged_total', 'Stored responses that were purged or invalidated.'),
    purges: { done: metrics.counter(purges, ['done']), refused: metrics.counter(purges, ['refused']) },
    validated: counter('tidegate_cache_validated_total', 'Stored responses that their origin confirmed.'),
    released: counter(
      'tidegate_cache_released_total',
      'Clients that waited for the response to another one, which could not be shared.',
    ),
    lagging: counter(
      'tidegate_cache_lagging_total',
      'Clients that were cut off because they read a response too slowly that was too large to store.',
    ),
    stored: counter('tidegate_cache_stored_total', 'Responses that were stored.'),
  };
}

/** Shows what the cache holds. */
export function observeCache(
  metrics: Metrics,
  observed: {
    readonly bytes: () => number;
    readonly responses: () => number;
    readonly fetchBytes: () => number;
  },
): void {
  metrics.observedGauge(
    { name: 'tidegate_cache_bytes', help: 'What stored responses cost in memory, indexes included.' },
    observed.bytes,
  );
  metrics.observedGauge({ name: 'tidegate_cache_responses', help: 'Stored responses.' }, observed.responses);
  metrics.observedGauge(
    { name: 'tidegate_cache_fetch_bytes', help: 'Bodies that are on their way to the cache.' },
    observed.fetchBytes,
  );
}
