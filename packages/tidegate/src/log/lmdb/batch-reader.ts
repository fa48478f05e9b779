import type { Logger } from '../../kernel/index.ts';
import type { BatchCache } from '../batch-cache.ts';
import type { LogMetrics } from '../log-metrics.ts';
import type { Partition } from '../partition.ts';
import type { Damage, KeySearch } from '../store.ts';
import { type StoredBatch, verifyBatch } from '../stored-batch.ts';
import type { Environment } from './environment.ts';
import { batchKey, indexKey, offsetOfKey, PARTITION_KEY_BYTES } from './keys.ts';
import { readBytes } from './read-bytes.ts';
import { keysBackFrom, keysBetween, keysFrom } from './seek.ts';

/** Damaged ranges that are remembered as reported. */
const REPORTED_MAX = 1000;

export interface BatchReaderOptions {
  readonly environment: Environment;
  readonly cache: BatchCache;
  readonly logger: Logger;
  readonly metrics: LogMetrics;
  /**
   * Whether what is looked for in vain has been dropped meanwhile, for a file that another process writes to; then the partition's start has been
   * moved behind it. Absent where drops are known beforehand.
   */
  readonly isDropped?: (partition: Partition, offset: number) => boolean;
  /**
   * Whether what memory holds of the partition at an offset may be older than what is stored: batches have been merged, and nobody has said so
   * yet. Asked while one state of storage is read, and answered for that.
   */
  readonly isOutdated: (partition: Partition, offset: number) => boolean;
}

/** Finds batches: among the newest in memory, among those read lately, in the file. What comes from the file is verified once. */
export class BatchReader {
  readonly #environment: Environment;
  readonly #cache: BatchCache;
  readonly #logger: Logger;
  readonly #metrics: LogMetrics;
  readonly #isDropped: (partition: Partition, offset: number) => boolean;
  readonly #isOutdated: (partition: Partition, offset: number) => boolean;
  readonly #reported = new Set<string>();

  constructor(options: BatchReaderOptions) {
    this.#environment = options.environment;
    this.#cache = options.cache;
    this.#logger = options.logger;
    this.#metrics = options.metrics;
    this.#isDropped = options.isDropped ?? (() => false);
    this.#isOutdated = options.isOutdated;
  }

  locate(partition: Partition, offset: number): StoredBatch | Damage {
    // A value that is left in memory alone, without the tombstone that removed it, would be back.
    if (partition.topic.topic.compacted) return this.locateIndexed(partition, offset);
    return this.#locate(partition, offset);
  }

  locateIndexed(partition: Partition, offset: number): StoredBatch | Damage {
    if (!this.#isOutdated(partition, offset)) return this.#locate(partition, offset);
    return this.#load(partition, this.#baseAtOrBefore(partition, offset), offset);
  }

  baseOf(partition: Partition, offset: number): number {
    const inRing = this.#isOutdated(partition, offset) ? undefined : partition.ring.find(offset);
    if (inRing !== undefined) return inRing.baseOffset;
    return this.#baseAtOrBefore(partition, offset) ?? offset;
  }

  basesOfKey(partition: Partition, search: KeySearch): readonly number[] | null {
    const { topic } = partition;
    if (!topic.topic.keyIndex) return null;
    topic.hash.of(search.key);
    const { high, low } = topic.hash;
    if (search.direction === 'forward') {
      const start = indexKey(topic.topic.id, partition.index, high, low, search.from);
      const end = indexKey(topic.topic.id, partition.index, high, low, search.to);
      return keysBetween(this.#environment.keys, start, end, search.countMax).map(offsetOfKey);
    }
    if (search.to === 0) return [];
    const start = indexKey(topic.topic.id, partition.index, high, low, search.to - 1);
    const prefixBytes = PARTITION_KEY_BYTES + 8;
    return keysBackFrom(this.#environment.keys, start, prefixBytes, search.countMax).map(offsetOfKey);
  }

  endReading(): void {
    this.#environment.root.resetReadTxn();
  }

  /** In memory, or else in the file. */
  #locate(partition: Partition, offset: number): StoredBatch | Damage {
    const inRing = partition.ring.find(offset);
    if (inRing !== undefined) return inRing;
    const { recent } = partition;
    if (recent !== null && recent.baseOffset <= offset && offset < recent.endOffset) return recent;
    const cached = this.#cache.get(partition, offset);
    if (cached !== undefined) {
      partition.recent = cached;
      return cached;
    }
    const base = this.#baseAtOrBefore(partition, offset);
    if (base !== undefined) {
      const covering = this.#cache.get(partition, base);
      if (covering !== undefined && offset < covering.endOffset) {
        partition.recent = covering;
        return covering;
      }
    }
    return this.#load(partition, base, offset);
  }

  /** @param base where the last batch begins that does not begin behind `offset`; undefined if there is none */
  #load(partition: Partition, base: number | undefined, offset: number): StoredBatch | Damage {
    if (base === undefined) return this.#damage(partition, partition.start, offset, 0);
    const { topic, index } = partition;
    const bytes = readBytes(this.#environment.batches, batchKey(topic.topic.id, index, base));
    const batch = bytes === undefined ? null : verifyBatch(bytes, topic.topic.id, index, base);
    if (batch !== null && offset < batch.endOffset) {
      this.#cache.add(partition, batch);
      partition.recent = batch;
      return batch;
    }
    if (batch === null) return this.#damage(partition, base, offset, bytes?.length ?? 0);
    // The batch is whole and ends before `offset`: what should follow it is missing.
    return this.#damage(partition, batch.endOffset, offset, 0);
  }

  /** A damaged batch ends where the next one begins, which its own bytes cannot be trusted to tell. */
  #damage(partition: Partition, from: number, offset: number, bytes: number): Damage {
    const { topic, index } = partition;
    if (this.#isDropped(partition, offset)) return { from: offset, to: partition.start, bytes: 0 };
    const start = batchKey(topic.topic.id, index, offset + 1);
    const next = keysFrom(this.#environment.batches, start, PARTITION_KEY_BYTES, 1);
    const to = next.length === 0 ? partition.end : Math.min(offsetOfKey(next[0]), partition.end);
    const name = `${topic.topic.id}/${index}/${from}`;
    if (!this.#reported.has(name) && this.#reported.size < REPORTED_MAX) {
      this.#reported.add(name);
      this.#metrics.damaged.add(1);
      this.#logger.error(
        { topic: topic.topic.name, partition: index, from, to },
        'Stored records are damaged',
      );
    }
    return { from, to, bytes };
  }

  #baseAtOrBefore(partition: Partition, offset: number): number | undefined {
    const start = batchKey(partition.topic.topic.id, partition.index, offset);
    const found = keysBackFrom(this.#environment.batches, start, PARTITION_KEY_BYTES, 1);
    return found.length === 0 ? undefined : offsetOfKey(found[0]);
  }
}
