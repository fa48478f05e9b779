import type { Partition } from './partition.ts';
import type { StoredBatch } from './stored-batch.ts';

/**
 * Batches read from storage, verified, the least recently used ones dropped first: thousands of readers that catch up over the same
 * region read and verify it once.
 */
export class BatchCache {
  readonly bytesMax: number;
  readonly #batches = new Map<string, StoredBatch>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(partition: Partition, baseOffset: number): StoredBatch | undefined {
    const key = cacheKey(partition, baseOffset);
    const batch = this.#batches.get(key);
    if (batch === undefined) return undefined;
    // A Map keeps the order of insertion: what is put in again is the youngest.
    this.#batches.delete(key);
    this.#batches.set(key, batch);
    return batch;
  }

  add(partition: Partition, batch: StoredBatch): void {
    this.remove(partition, batch.baseOffset);
    this.#batches.set(cacheKey(partition, batch.baseOffset), batch);
    this.#bytes += batch.weightBytes;
    for (const [key, oldest] of this.#batches) {
      if (this.#bytes <= this.bytesMax || this.#batches.size === 1) break;
      this.#batches.delete(key);
      this.#bytes -= oldest.weightBytes;
    }
  }

  remove(partition: Partition, baseOffset: number): void {
    const key = cacheKey(partition, baseOffset);
    const batch = this.#batches.get(key);
    if (batch === undefined) return;
    this.#batches.delete(key);
    this.#bytes -= batch.weightBytes;
  }
}

function cacheKey(partition: Partition, baseOffset: number): string {
  return `${partition.topic.topic.id}/${partition.index}/${baseOffset}`;
}
