import type { CacheParts, FetchPlan } from './fetch-plan.ts';
import { detachedText } from './field-list.ts';
import { type ResponseHead, StoredResponse } from './stored-response.ts';
import { variantKeyOf } from './variants.ts';

/** Where the response to a fetch is stored, if what it was asked for has not changed since. */
export class StoringPlace {
  readonly #parts: CacheParts;
  readonly #plan: FetchPlan;
  /** How many purges there had been at the start. */
  readonly #sequence: number;
  #validity: 'current' | 'outdated' = 'current';

  constructor(parts: CacheParts, plan: FetchPlan) {
    this.#parts = parts;
    this.#plan = plan;
    this.#sequence = parts.store.purges.sequence;
  }

  /** The URI was purged, or changed by an unsafe request. */
  outdate(): void {
    this.#validity = 'outdated';
  }

  /** Whether the response may have been purged since; in doubt as long as its head is not there. */
  isOutdated(head: ResponseHead | null): boolean {
    if (this.#validity === 'outdated') return true;
    const { purges } = this.#parts.store;
    if (purges.sequence === this.#sequence) return false;
    return purges.mayConcern(this.#sequence, this.#plan.uri, head?.surrogateKeys ?? null);
  }

  /** Makes a response of a head and a body, and stores it if it is still current. */
  put(head: ResponseHead, body: Buffer): StoredResponse {
    const { routeKey, request } = this.#plan;
    const { store, counters } = this.#parts;
    // Both are made of pieces of the request's head, and would keep it in memory.
    const uri = store.variants(this.#plan.uri)?.uri ?? detachedText(this.#plan.uri);
    const variantKey = detachedText(variantKeyOf(routeKey, head.vary, request.headers));
    const response = new StoredResponse({ uri, variantKey, sequence: store.purges.sequence }, head, body);
    if (this.isOutdated(head)) return response;
    store.put(response);
    counters.stored.add(1);
    return response;
  }
}
