import type { Clock, Limits, Metrics } from '../../kernel/index.ts';
import { normalTarget, uriOf } from './cache-key.ts';
import { cacheCounters, type OutcomeCounters, observeCache } from './cache-metrics.ts';
import { CacheStore } from './cache-store.ts';
import { Coalescer } from './coalescer.ts';
import type { CacheParts } from './fetch-plan.ts';
import { FieldList } from './field-list.ts';
import type { CacheRule } from './options.ts';
import type { CacheRequest, FetchedHead } from './port.ts';
import { type Purge, type PurgeRequest, type PurgeResult, readPurge } from './purge.ts';
import { PurgeLimiter } from './purge-limiter.ts';
import { RouteCache } from './route-cache.ts';
import { UncacheableMarks } from './uncacheable-marks.ts';

/** Methods that change nothing (RFC 9110, section 9.2.1); of any other, and of those that nobody knows, it must be assumed. */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** The HTTP cache of a process (RFC 9111, as a shared cache): one store and its bounds, for all routes that cache. */
export class HttpCache {
  readonly #parts: CacheParts;
  readonly #limiter: PurgeLimiter;

  constructor(clock: Clock, limits: Limits, metrics: Metrics) {
    const counters = cacheCounters(metrics);
    const store = new CacheStore(clock, limits, counters);
    const coalescer = new Coalescer(limits);
    const marks = new UncacheableMarks(clock, limits.cacheUncacheableKeysMax, limits.cacheUncacheableKeyMs);
    this.#parts = { clock, limits, store, coalescer, marks, counters };
    this.#limiter = new PurgeLimiter(clock, limits);
    observeCache(metrics, {
      bytes: () => store.bytes,
      responses: () => store.responses,
      fetchBytes: () => coalescer.budget.bytes,
    });
  }

  /** What is stored, in bytes of memory. */
  get bytes(): number {
    return this.#parts.store.bytes;
  }

  /** How many responses are stored. */
  get responses(): number {
    return this.#parts.store.responses;
  }

  /**
   * The cache as a route has it. What an earlier one of the same name has stored is served by the new one too.
   * @param name tells the route from all others
   * @param outcomes counters of the route's own; without them, those of the whole cache
   */
  route(name: string, rule: CacheRule, outcomes?: OutcomeCounters): RouteCache {
    return new RouteCache(this.#parts, name, rule, outcomes ?? this.#parts.counters.outcomes);
  }

  /**
   * Takes out what a request has changed (RFC 9111, section 4.4): to be called with the answer to every request that may be for a URI of a
   * route with a cache. Does nothing for safe methods and for errors.
   * @returns the URIs that this was about, for the caches of other processes, which purge them by `carryOut`
   */
  invalidate(
    request: Omit<CacheRequest, 'headers' | 'content'>,
    { status, fields }: Pick<FetchedHead, 'status' | 'fields'>,
  ): readonly string[] {
    if (SAFE.has(request.method) || status < 200 || status >= 400) return [];
    const uri = uriOf(request);
    const uris = [uri];
    // Others of the same origin only: one origin must not empty another one's cache.
    const origin = uri.slice(0, uri.indexOf('/', uri.indexOf('//') + 2) + 1);
    const headers = FieldList.spelled(fields);
    for (const name of ['location', 'content-location']) {
      const other = resolvedUri(headers.get(name), uri);
      if (other?.startsWith(origin)) uris.push(other);
    }
    for (const one of uris) this.#removeUri(one);
    return uris;
  }

  /**
   * Purges. What is purged is not served from now on, and what is on its way from an origin by now is not stored.
   * Fails with purge_invalid, and with purge_rate_exceeded if the credential purges too often; then nothing is purged, unless too many purges are
   * still being carried out: then some may be.
   * @param credential whose purges they are, as `Identity.name` names it
   */
  purge(requests: readonly PurgeRequest[], credential: string): PurgeResult {
    const counters = this.#parts.counters.purges;
    try {
      const purges = requests.map(readPurge);
      this.#limiter.take(credential, purges.length);
      const result = this.#carryOut(purges);
      counters.done.add(purges.length);
      return result;
    } catch (error) {
      counters.refused.add(requests.length);
      throw error;
    }
  }

  /** The same for purges that another process of the server has counted. */
  carryOut(requests: readonly PurgeRequest[]): PurgeResult {
    return this.#carryOut(requests.map(readPurge));
  }

  #carryOut(purges: readonly Purge[]): PurgeResult {
    let responses = 0;
    let state: PurgeResult['state'] = 'done';
    for (const purge of purges) {
      if (purge.kind === 'url') {
        responses += this.#removeUri(purge.uri);
        continue;
      }
      const result = this.#parts.store.purgeMany(purge);
      responses += result.responses;
      if (result.state === 'sweeping') state = 'sweeping';
    }
    return { responses, state };
  }

  #removeUri(uri: string): number {
    this.#parts.coalescer.outdate(uri);
    const removed = this.#parts.store.removeUri(uri);
    if (removed > 0) this.#parts.counters.purged.add(removed);
    return removed;
  }
}

/** A reference of a response, resolved against the URI that it is for, as the cache's keys are; null if it is none. */
function resolvedUri(reference: string | undefined, base: string): string | null {
  if (reference === undefined || !URL.canParse(reference, base)) return null;
  const { protocol, host, pathname, search } = new URL(reference, base);
  if (protocol !== 'http:' && protocol !== 'https:') return null;
  const target = normalTarget(pathname + search);
  return target === null ? null : uriOf({ scheme: protocol === 'http:' ? 'http' : 'https', host, target });
}
