/** A tail among those that share a budget. */
export interface BudgetedTail {
  /** The neighbours in the order of use; the budget's alone. */
  older: BudgetedTail | null;
  younger: BudgetedTail | null;
  /** Bytes that the tail holds. */
  readonly bytes: number;
  /** Lets the oldest chunk go. */
  dropOldest(): void;
}

/**
 * The bytes that all tails of a hub hold together, against their common limit. The tail that was added to least recently gives way
 * first, so that channels that went quiet do not take the room of busy ones.
 */
export class TailBudget {
  readonly #bytesMax: number;
  #bytes = 0;
  #oldest: BudgetedTail | null = null;
  #youngest: BudgetedTail | null = null;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Counts bytes that a tail took or, if negative, gave back. A tail without bytes is forgotten. */
  account(tail: BudgetedTail, bytes: number): void {
    this.#bytes += bytes;
    if (tail.bytes === 0) this.#unlink(tail);
  }

  /** To be called by a tail that was added to: makes room for it. */
  used(tail: BudgetedTail): void {
    if (tail !== this.#youngest) {
      this.#unlink(tail);
      this.#link(tail);
    }
    while (this.#bytes > this.#bytesMax && this.#oldest !== null) this.#oldest.dropOldest();
  }

  #link(tail: BudgetedTail): void {
    tail.older = this.#youngest;
    if (this.#youngest === null) this.#oldest = tail;
    else this.#youngest.younger = tail;
    this.#youngest = tail;
  }

  #unlink(tail: BudgetedTail): void {
    const { older, younger } = tail;
    if (older !== null) older.younger = younger;
    else if (this.#oldest === tail) this.#oldest = younger;
    if (younger !== null) younger.older = older;
    else if (this.#youngest === tail) this.#youngest = older;
    tail.older = null;
    tail.younger = null;
  }
}
