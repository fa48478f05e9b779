import type { StoredBatch } from './stored-batch.ts';

/** Dropped batches leave empty places at the front; they are closed up once there are this many and half of all. */
const CLOSE_UP_AT = 64;

/** The newest batches of one partition, in memory, each beginning where the one before ends. */
export class BatchRing {
  #batches: (StoredBatch | undefined)[] = [];
  #first = 0;

  get length(): number {
    return this.#batches.length - this.#first;
  }

  /** The first offset that is here; Infinity if the ring is empty. */
  get start(): number {
    return this.length === 0 ? Number.POSITIVE_INFINITY : this.#batches[this.#first]!.baseOffset;
  }

  get oldest(): StoredBatch | undefined {
    return this.#batches[this.#first];
  }

  push(batch: StoredBatch): void {
    this.#batches.push(batch);
  }

  shift(): StoredBatch | undefined {
    const batch = this.#batches[this.#first];
    if (batch === undefined) return undefined;
    this.#batches[this.#first++] = undefined;
    if (this.#first >= CLOSE_UP_AT && this.#first * 2 >= this.#batches.length) {
      this.#batches = this.#batches.slice(this.#first);
      this.#first = 0;
    }
    return batch;
  }

  /** The batch that covers `offset`, if it is here. */
  find(offset: number): StoredBatch | undefined {
    let low = this.#first;
    let high = this.#batches.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const batch = this.#batches[middle]!;
      if (offset < batch.baseOffset) high = middle - 1;
      else if (offset >= batch.endOffset) low = middle + 1;
      else return batch;
    }
    return undefined;
  }

  /** Puts `merged` in the place of all batches between its bounds. */
  replace(merged: StoredBatch): void {
    const kept = this.#batches.slice(this.#first) as StoredBatch[];
    const before = kept.filter((batch) => batch.endOffset <= merged.baseOffset);
    const after = kept.filter((batch) => batch.baseOffset >= merged.endOffset);
    this.#batches = [...before, merged, ...after];
    this.#first = 0;
  }

  clear(): void {
    this.#batches = [];
    this.#first = 0;
  }
}
