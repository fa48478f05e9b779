export { CACHE_OUTCOMES, type CacheOutcome, type OutcomeCounters } from './cache-metrics.ts';
export { HttpCache } from './http-cache.ts';
export { type CacheOptions, type CacheRule, cacheRule, cacheSchema } from './options.ts';
export type {
  CacheFetch,
  CacheLookup,
  CacheReceiver,
  CacheReply,
  CacheRequest,
  CacheTicket,
  FetchControl,
  FetchedHead,
  ForwardChanges,
  HeadOutcome,
} from './port.ts';
export { type PurgeRequest, type PurgeResult, purgeRequestOf } from './purge.ts';
export type { RouteCache } from './route-cache.ts';
export { type PurgeCallback, SharedPurges } from './shared-purges.ts';
export { SURROGATE_KEY } from './surrogate-keys.ts';
