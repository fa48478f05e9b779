import type { Partition } from './partition.ts';
import type { StoredBatch } from './stored-batch.ts';

const CLOSE_UP_AT = 1024;

/**
 * Bounds what the partitions' rings hold together, where the rings are a cache: those that were added first go first. Reads near
 * the end touch no storage.
 */
export class TailCache {
  readonly #bytesMax: number;
  /** The partition of each batch, in the order of arrival: its ring's oldest batch is the one that is meant. */
  #order: Partition[] = [];
  #first = 0;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(partition: Partition, batch: StoredBatch): void {
    partition.ring.push(batch);
    this.#order.push(partition);
    this.#bytes += batch.weightBytes;
    while (this.#bytes > this.#bytesMax && this.#first < this.#order.length) this.#dropFirst();
  }

  /** Forgets the partition's batches that begin before `offset`. */
  forget(partition: Partition, offset: number): void {
    while (partition.ring.length > 0 && partition.ring.start < offset)
      this.#bytes -= partition.ring.shift()!.weightBytes;
  }

  #dropFirst(): void {
    const partition = this.#order[this.#first++];
    // A ring that was made to forget has fewer batches than arrived; its share of the order is then spent early.
    const batch = partition.ring.shift();
    if (batch !== undefined) this.#bytes -= batch.weightBytes;
    if (this.#first >= CLOSE_UP_AT && this.#first * 2 >= this.#order.length) {
      this.#order = this.#order.slice(this.#first);
      this.#first = 0;
    }
  }
}
