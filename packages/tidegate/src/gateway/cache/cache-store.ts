import type { Clock, Limits } from '../../kernel/index.ts';
import type { Headers } from '../../listeners/port.ts';
import { LastUse } from './last-use.ts';
import { PathIndex } from './path-index.ts';
import type { WidePurge } from './purge.ts';
import { PurgeLog } from './purge.ts';
import { PurgeSweeps } from './purge-sweeps.ts';
import type { StoredResponse } from './stored-response.ts';
import { SurrogateKeys } from './surrogate-keys.ts';
import { Variants } from './variants.ts';

/** The limits of the store. */
export type StoreLimits = Pick<
  Limits,
  | 'cacheBytesMax'
  | 'cacheVariantsMax'
  | 'cachePathDepthMax'
  | 'cachePurgeStepMax'
  | 'cachePurgesPendingMax'
  | 'cachePurgesRememberedMax'
>;

/** What the store tells of what it does. */
export interface StoreCounters {
  readonly evicted: { add(amount: number): void };
  readonly purged: { add(amount: number): void };
}

/** What a URI costs beside its characters: its place, its variants and one set of them. Measured. */
const URI_BYTES = 560;

/**
 * The stored responses: by URI and variant, in the order of their last use, by path and by surrogate key. Bounded by what they cost
 * in memory, indexes included; the one that was not used for longest goes first.
 */
export class CacheStore {
  readonly purges: PurgeLog;
  readonly #limits: StoreLimits;
  readonly #counters: StoreCounters;
  readonly #uris = new Map<string, Variants>();
  readonly #lastUse = new LastUse();
  readonly #paths: PathIndex;
  readonly #keys = new SurrogateKeys();
  readonly #sweeps: PurgeSweeps;
  #bytes = 0;
  #responses = 0;

  constructor(clock: Clock, limits: StoreLimits, counters: StoreCounters) {
    this.#limits = limits;
    this.#counters = counters;
    this.#paths = new PathIndex(limits.cachePathDepthMax);
    this.purges = new PurgeLog(limits.cachePurgesRememberedMax);
    this.#sweeps = new PurgeSweeps(clock, limits, (response) => this.#purge(response));
  }

  /** What is stored, in bytes of memory. */
  get bytes(): number {
    return this.#bytes + this.#paths.bytes + this.#keys.bytes;
  }

  get responses(): number {
    return this.#responses;
  }

  /** The responses of a URI; undefined if there are none. */
  variants(uri: string): Variants | undefined {
    return this.#uris.get(uri);
  }

  /** The response for a request, which counts as its use. */
  select(variants: Variants, routeKey: string, headers: Headers): StoredResponse | undefined {
    const response = variants.select(routeKey, headers);
    if (response === undefined) return undefined;
    if (this.#sweeps.isAny && this.#sweeps.concern(response)) {
      this.#purge(response);
      return undefined;
    }
    this.#lastUse.touch(response);
    return response;
  }

  /** Stores a response in the place of the one before it, and drops what has to go for it. */
  put(response: StoredResponse): void {
    if (response.bytes > this.#limits.cacheBytesMax) return;
    let variants = this.#uris.get(response.uri);
    if (variants === undefined) {
      const { uri } = response;
      variants = new Variants(uri);
      this.#uris.set(uri, variants);
      this.#paths.add(uri);
      this.#bytes += URI_BYTES + uri.length;
    }
    const before = variants.put(response);
    if (before !== undefined) this.#forget(before);
    this.#bytes += response.bytes;
    this.#responses++;
    this.#lastUse.add(response);
    this.#keys.add(response);
    if (variants.count > this.#limits.cacheVariantsMax) this.#evict(leastUsed(variants));
    while (this.bytes > this.#limits.cacheBytesMax && this.#lastUse.oldest !== null)
      this.#evict(this.#lastUse.oldest);
  }

  /** Takes a response out, if it is still there. */
  remove(response: StoredResponse): 'removed' | 'absent' {
    const variants = this.#uris.get(response.uri);
    if (variants === undefined || variants.take(response) === 'absent') return 'absent';
    this.#forget(response);
    if (variants.count === 0) {
      this.#uris.delete(variants.uri);
      this.#paths.remove(variants.uri);
      this.#bytes -= URI_BYTES + variants.uri.length;
    }
    return 'removed';
  }

  /** Takes all responses of a URI out. Returns how many there were. */
  removeUri(uri: string): number {
    let removed = 0;
    for (const response of this.#uris.get(uri)?.all() ?? []) {
      if (this.remove(response) === 'removed') removed++;
    }
    return removed;
  }

  /** Purges what is stored of many. Fails with purge_rate_exceeded if too many such purges are under way. */
  purgeMany(purge: WidePurge): { readonly responses: number; readonly state: 'done' | 'sweeping' } {
    this.#sweeps.assertRoom();
    this.purges.add(purge);
    const found =
      purge.kind === 'prefix' ? this.#startingWith(purge.prefix) : this.#keys.with(purge.surrogateKey);
    return this.#sweeps.begin(purge, this.purges.sequence, found);
  }

  *#startingWith(prefix: string): Generator<StoredResponse | null, void, undefined> {
    for (const uri of this.#paths.startingWith(prefix)) {
      if (uri === null) yield null;
      else for (const response of this.#uris.get(uri)?.all() ?? []) yield response;
    }
  }

  #purge(response: StoredResponse): void {
    if (this.remove(response) === 'removed') this.#counters.purged.add(1);
  }

  #evict(response: StoredResponse): void {
    if (this.remove(response) === 'removed') this.#counters.evicted.add(1);
  }

  /** Takes a response that is in no variants any more out of everything else. */
  #forget(response: StoredResponse): void {
    this.#bytes -= response.bytes;
    this.#responses--;
    this.#lastUse.remove(response);
    this.#keys.remove(response);
  }
}

/** Of the responses of one URI the one that was not used for longest. Looked for only where a URI has more variants than it may. */
function leastUsed(variants: Variants): StoredResponse {
  let found: StoredResponse | null = null;
  for (const response of variants.all())
    if (found === null || response.usedAt < found.usedAt) found = response;
  return found as StoredResponse;
}
