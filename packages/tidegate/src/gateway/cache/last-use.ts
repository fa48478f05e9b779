import type { StoredResponse } from './stored-response.ts';

/** Stored responses in the order of their last use, linked among themselves: a use moves one without allocating anything. */
export class LastUse {
  #newest: StoredResponse | null = null;
  #oldest: StoredResponse | null = null;
  #uses = 0;

  /** The response that was not used for longest; null if there is none. */
  get oldest(): StoredResponse | null {
    return this.#oldest;
  }

  /** Adds a response as the one used last. */
  add(response: StoredResponse): void {
    response.usedAt = ++this.#uses;
    response.older = this.#newest;
    response.newer = null;
    if (this.#newest !== null) this.#newest.newer = response;
    this.#newest = response;
    this.#oldest ??= response;
  }

  remove(response: StoredResponse): void {
    const { newer, older } = response;
    if (newer === null) this.#newest = older;
    else newer.older = older;
    if (older === null) this.#oldest = newer;
    else older.newer = newer;
    response.newer = null;
    response.older = null;
  }

  touch(response: StoredResponse): void {
    if (response === this.#newest) return;
    this.remove(response);
    this.add(response);
  }
}
