import type { Headers } from '../../listeners/port.ts';
import { combinedField } from './cache-control.ts';
import { detachedText } from './field-list.ts';
import type { StoredResponse } from './stored-response.ts';

/** The field by which an origin names what a response was made of. It is for caches, and is never sent to clients. */
export const SURROGATE_KEY = 'surrogate-key';

/** What a key costs beside its name: its place, and its set. Measured. */
const KEY_BYTES = 280;
/** What a response costs in the set of a key. */
const MEMBER_BYTES = 48;

/** The keys of a response: separated by white space, each once; null if there are more than `keysMax`, of which some could not be purged. */
export function surrogateKeysOf(headers: Headers, keysMax: number): readonly string[] | null {
  const text = combinedField(headers, SURROGATE_KEY);
  if (text === undefined) return [];
  const keys = new Set<string>();
  for (const key of text.split(/[\t ,]+/)) {
    if (key === '') continue;
    keys.add(detachedText(key));
    if (keys.size > keysMax) return null;
  }
  return [...keys];
}

/** Stored responses by their surrogate keys. */
export class SurrogateKeys {
  readonly #members = new Map<string, Set<StoredResponse>>();
  #bytes = 0;

  /** What the index costs in memory. */
  get bytes(): number {
    return this.#bytes;
  }

  add(response: StoredResponse): void {
    for (const key of response.head.surrogateKeys) {
      let members = this.#members.get(key);
      if (members === undefined) {
        members = new Set();
        this.#members.set(key, members);
        this.#bytes += KEY_BYTES + key.length;
      }
      members.add(response);
      this.#bytes += MEMBER_BYTES;
    }
  }

  remove(response: StoredResponse): void {
    for (const key of response.head.surrogateKeys) {
      const members = this.#members.get(key);
      if (!members?.delete(response)) continue;
      this.#bytes -= MEMBER_BYTES;
      if (members.size > 0) continue;
      this.#members.delete(key);
      this.#bytes -= KEY_BYTES + key.length;
    }
  }

  /** The responses with a key. It may change between the steps, as `PathIndex.startingWith` may. */
  *with(key: string): Generator<StoredResponse, void, undefined> {
    for (const response of this.#members.get(key) ?? []) yield response;
  }
}
