/** Publishes that the count is now this; resolves once it is stored. */
export type Announce = (count: number) => Promise<void>;

/**
 * A count whose every step is announced before anybody can see it. So whoever is told a count finds the steps after it among what was announced, and
 * those before it never later.
 */
export class Counter {
  readonly #begin: () => Promise<number>;
  readonly #announce: Announce;
  /** Null if it has to be looked up what was announced last. */
  #count: number | null = null;
  /** Settled when everything is done that was asked for so far. */
  #turn: Promise<unknown> = Promise.resolve();

  /** @param begin tells what was announced last; asked again if it fails */
  constructor(begin: () => Promise<number>, announce: Announce) {
    this.#begin = begin;
    this.#announce = announce;
  }

  /** The count after all steps that are under way. */
  current(): Promise<number> {
    return this.#inTurn(() => this.#known());
  }

  /** One more. Steps that come at once are taken one after another. */
  increment(): Promise<number> {
    return this.#inTurn(async () => {
      const count = (await this.#known()) + 1;
      // If this fails, nobody knows whether it was stored.
      this.#count = null;
      await this.#announce(count);
      this.#count = count;
      return count;
    });
  }

  async #known(): Promise<number> {
    this.#count ??= await this.#begin();
    return this.#count;
  }

  #inTurn(task: () => Promise<number>): Promise<number> {
    const result = this.#turn.then(task);
    this.#turn = result.catch(() => {});
    return result;
  }
}
