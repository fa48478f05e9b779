import type { Limits } from '../../kernel/index.ts';
import { FetchBudget } from './fetch-body.ts';
import type { SharedFetch } from './shared-fetch.ts';

/** The requests to origins that are under way on behalf of the cache, so that others who want the same can wait for them. */
export class Coalescer {
  readonly budget: FetchBudget;
  readonly #revalidationsMax: number;
  /** Those that may be joined, by what they ask for. */
  readonly #open = new Map<string, SharedFetch>();
  /** All of them, by URI. */
  readonly #byUri = new Map<string, Set<SharedFetch>>();
  #revalidations = 0;

  constructor(limits: Pick<Limits, 'cacheFetchBytesMax' | 'cacheRevalidationsMax'>) {
    this.budget = new FetchBudget(limits.cacheFetchBytesMax);
    this.#revalidationsMax = limits.cacheRevalidationsMax;
  }

  /** The fetch for a key that may be joined. */
  open(key: string): SharedFetch | undefined {
    return this.#open.get(key);
  }

  /** Whether a stale response may have a fetch begun for nobody in particular. */
  get hasRoomForRevalidation(): boolean {
    return this.#revalidations < this.#revalidationsMax;
  }

  /** Begins to keep a fetch. It may be joined if it is open and no other one for its key is. */
  add(fetch: SharedFetch): void {
    const { uri, key, joining, audience } = fetch.plan;
    if (joining === 'open' && !this.#open.has(key)) this.#open.set(key, fetch);
    let fetches = this.#byUri.get(uri);
    if (fetches === undefined) {
      fetches = new Set();
      this.#byUri.set(uri, fetches);
    }
    fetches.add(fetch);
    if (audience === 'nobody') this.#revalidations++;
  }

  /** Nobody may join the fetch any more. */
  close(fetch: SharedFetch): void {
    if (this.#open.get(fetch.plan.key) === fetch) this.#open.delete(fetch.plan.key);
  }

  /** Forgets a fetch that is over. */
  remove(fetch: SharedFetch): void {
    this.close(fetch);
    const fetches = this.#byUri.get(fetch.plan.uri);
    if (!fetches?.delete(fetch)) return;
    if (fetches.size === 0) this.#byUri.delete(fetch.plan.uri);
    if (fetch.plan.audience === 'nobody') this.#revalidations--;
  }

  /** What is on its way for a URI was asked for before it changed: it is not stored, and nobody else waits for it. */
  outdate(uri: string): void {
    for (const fetch of this.#byUri.get(uri) ?? []) fetch.outdate();
  }
}
