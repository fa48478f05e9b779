import type { Headers } from '../../listeners/port.ts';
import { fieldsKey } from './cache-key.ts';
import type { StoredResponse } from './stored-response.ts';

/** The responses of one URI that vary by the same request fields. */
interface VariantSet {
  readonly names: readonly string[];
  readonly byKey: Map<string, StoredResponse>;
}

/** What separates the route's part of a key from what the response varies by. */
const SEPARATOR = '\n';

/**
 * The stored responses of one URI (RFC 9111, section 4.1). An origin that names the same fields in Vary each time has one set, and a request is
 * one look into it; one that names others now and then has a set for each list.
 */
export class Variants {
  readonly uri: string;
  readonly #sets: VariantSet[] = [];
  #count = 0;

  constructor(uri: string) {
    this.uri = uri;
  }

  get count(): number {
    return this.#count;
  }

  /**
   * The response for a request; undefined if there is none. Of several, the one that came last.
   * @param routeKey what the route adds to the key
   */
  select(routeKey: string, headers: Headers): StoredResponse | undefined {
    let best: StoredResponse | undefined;
    for (const { names, byKey } of this.#sets) {
      const response = byKey.get(variantKeyOf(routeKey, names, headers));
      if (response === undefined) continue;
      if (best === undefined || response.head.receivedMs >= best.head.receivedMs) best = response;
    }
    return best;
  }

  /** By what the responses vary that came last; nothing if there are none. */
  get latestNames(): readonly string[] {
    return this.#sets.at(-1)?.names ?? [];
  }

  /** Puts a response in, and returns the one whose place it takes. */
  put(response: StoredResponse): StoredResponse | undefined {
    const set = this.#setOf(response.head.vary);
    const before = set.byKey.get(response.variantKey);
    set.byKey.set(response.variantKey, response);
    if (before === undefined) this.#count++;
    return before;
  }

  /** Takes a response out, if it is still there. */
  take(response: StoredResponse): 'taken' | 'absent' {
    const at = this.#sets.findIndex((set) => isSame(set.names, response.head.vary));
    if (at === -1 || this.#sets[at].byKey.get(response.variantKey) !== response) return 'absent';
    this.#sets[at].byKey.delete(response.variantKey);
    this.#count--;
    if (this.#sets[at].byKey.size === 0) this.#sets.splice(at, 1);
    return 'taken';
  }

  *all(): Generator<StoredResponse, void, undefined> {
    for (const { byKey } of [...this.#sets]) yield* byKey.values();
  }

  /** The set for these names, moved to the end as the latest. */
  #setOf(names: readonly string[]): VariantSet {
    const at = this.#sets.findIndex((set) => isSame(set.names, names));
    const set = at === -1 ? { names, byKey: new Map<string, StoredResponse>() } : this.#sets[at];
    if (at !== -1) this.#sets.splice(at, 1);
    this.#sets.push(set);
    return set;
  }
}

/** Which response of a URI a request selects, if responses vary by these names. */
export function variantKeyOf(routeKey: string, names: readonly string[], headers: Headers): string {
  return names.length === 0 ? routeKey : routeKey + SEPARATOR + fieldsKey(names, headers);
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((name, at) => name === other[at]);
}
