import { Buffer } from 'node:buffer';
import type { Clock, Limits } from '../kernel/index.ts';
import { BatchBuilder } from './batch-builder.ts';
import {
  AT_BASE_TIMESTAMP,
  AT_MAX_TIMESTAMP,
  HEADER_BYTES,
  KEY_END_BYTES,
  RECORD_BYTES,
} from './batch-format.ts';
import type { Partition } from './partition.ts';
import { RECORD_CONTROL, RECORD_NULL } from './port.ts';
import type { Shard } from './shard.ts';
import { type Changes, isDamaged, type Store } from './store.ts';
import { StoredBatch, stampBatch } from './stored-batch.ts';

/** What one commit, or one turn of looking, reads: little enough that appends and readers do not wait long. */
const BYTES_PER_TURN_MAX = 1024 * 1024;

/** The records that a batch keeps, and at most how many bytes they take. */
interface Survivors {
  readonly indexes: readonly number[];
  readonly bytes: number;
}

/** Consecutive batches of which the survivors fit into one. */
interface Run {
  readonly sources: { readonly batch: StoredBatch; readonly survivors: Survivors }[];
  bytes: number;
}

/**
 * Keeps of each key the latest record. A pass first learns the latest offset of every key that was written since the
 * last pass, then goes over the partition from its start and rewrites what holds older ones, merging small batches. Each
 * commit of it leaves the partition whole: the range of offsets that a merged batch stands for is that of its
 * sources, holes included.
 */
export class Compaction {
  readonly #partition: Partition;
  readonly #shard: Shard;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #latest = new Map<string, number>();
  /** Up to here, `#latest` knows everything. */
  #known: number;
  #tombstoneHorizonMs = 0;
  #tombstonesDueMs = Number.POSITIVE_INFINITY;

  constructor(partition: Partition, shard: Shard, clock: Clock, limits: Limits) {
    this.#partition = partition;
    this.#shard = shard;
    this.#store = shard.store;
    this.#clock = clock;
    this.#limits = limits;
    this.#known = Math.max(partition.cleanedTo, partition.start);
  }

  /** One pass. `isStopped` is asked between its steps. */
  async run(isStopped: () => boolean): Promise<void> {
    const end = this.#partition.end;
    this.#tombstoneHorizonMs = this.#clock.nowMs() - this.#partition.topic.topic.tombstoneRetentionMs;
    while (this.#known < end && this.#latest.size < this.#limits.compactionKeysMax) {
      if (isStopped()) return;
      this.#learn(end);
      await this.#turn();
    }
    let offset = this.#partition.start;
    while (offset < this.#known) {
      if (isStopped()) return;
      let next = offset;
      await this.#shard.transact(() => {
        if (this.#partition.topic.gone) return null;
        const step = this.#step(Math.max(offset, this.#partition.start));
        next = step.next;
        return step.changes;
      });
      offset = next;
    }
    this.#partition.tombstonesDueMs = this.#tombstonesDueMs;
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => this.#clock.endOfTurn(resolve));
  }

  #learn(end: number): void {
    let bytes = 0;
    while (
      this.#known < end &&
      bytes < BYTES_PER_TURN_MAX &&
      this.#latest.size < this.#limits.compactionKeysMax
    ) {
      const found = this.#store.locate(this.#partition, Math.max(this.#known, this.#partition.start));
      if (isDamaged(found)) {
        this.#known = found.to;
        continue;
      }
      for (let i = 0; i < found.count; i++) {
        const keyIndex = found.keyIndex(i);
        if (keyIndex === -1 || (found.flags(i) & RECORD_CONTROL) !== 0) continue;
        this.#latest.set(found.keyAt(keyIndex), found.offset(i));
      }
      bytes += found.bytes.length;
      this.#known = found.endOffset;
    }
    this.#store.endReading();
  }

  /** What the next commit changes, from `from` on, and where the one after it goes on. */
  #step(from: number): { readonly changes: Changes | null; readonly next: number } {
    const partition = this.#partition;
    const dropped: { partition: Partition; baseOffset: number; endOffset: number; batch: StoredBatch }[] = [];
    const batches: { partition: Partition; batch: StoredBatch; place: 'merged' }[] = [];
    let { bytes, records } = partition;
    let run: Run = { sources: [], bytes: HEADER_BYTES };
    const finishRun = (): void => {
      const merged = this.#merge(run);
      for (const { batch } of merged === null ? [] : run.sources) {
        dropped.push({ partition, baseOffset: batch.baseOffset, endOffset: batch.endOffset, batch });
        bytes -= batch.bytes.length;
        records -= batch.count;
      }
      if (merged !== null) {
        batches.push({ partition, batch: merged, place: 'merged' });
        bytes += merged.bytes.length;
        records += merged.count;
      }
      run = { sources: [], bytes: HEADER_BYTES };
    };
    let offset = from;
    let looked = 0;
    while (offset < this.#known && looked < BYTES_PER_TURN_MAX) {
      const found = this.#store.locate(partition, offset);
      if (isDamaged(found)) {
        finishRun();
        offset = found.to;
        continue;
      }
      const survivors = this.#survivorsOf(found);
      if (run.bytes + survivors.bytes > this.#limits.batchStoredBytesMax) finishRun();
      run.sources.push({ batch: found, survivors });
      run.bytes += survivors.bytes;
      looked += found.bytes.length;
      offset = found.endOffset;
    }
    finishRun();
    const cleanedTo = Math.max(partition.cleanedTo, offset);
    if (batches.length === 0 && cleanedTo === partition.cleanedTo) return { changes: null, next: offset };
    const merges = partition.merges + (batches.length === 0 ? 0 : 1);
    const state = partition.state({ bytes, records, cleanedTo, merges });
    return { changes: { dropped, batches, partitions: [{ partition, state }] }, next: offset };
  }

  #survivorsOf(batch: StoredBatch): Survivors {
    const indexes: number[] = [];
    let bytes = 0;
    for (let i = 0; i < batch.count; i++) {
      // Control records act on live connections alone, which have had them.
      if ((batch.flags(i) & RECORD_CONTROL) !== 0) continue;
      const keyIndex = batch.keyIndex(i);
      if (keyIndex !== -1) {
        const key = batch.keyAt(keyIndex);
        const latest = this.#latest.get(key);
        if (latest !== undefined && latest > batch.offset(i)) continue;
        if ((batch.flags(i) & RECORD_NULL) !== 0) {
          if (batch.timestampMs(i) < this.#tombstoneHorizonMs) continue;
          const { tombstoneRetentionMs } = this.#partition.topic.topic;
          this.#tombstonesDueMs = Math.min(
            this.#tombstonesDueMs,
            batch.timestampMs(i) + tombstoneRetentionMs,
          );
        }
        bytes += Buffer.byteLength(key) + KEY_END_BYTES;
      }
      indexes.push(i);
      bytes += RECORD_BYTES + batch.dataEnd(i) - batch.headersStart(i);
    }
    return { indexes, bytes };
  }

  /** The one batch that takes the place of the run's, or null if nothing would be gained. */
  #merge(run: Run): StoredBatch | null {
    const { sources } = run;
    const lost = sources.some(({ batch, survivors }) => survivors.indexes.length < batch.count);
    if (sources.length === 0 || (sources.length === 1 && !lost)) return null;
    const base = sources[0].batch.baseOffset;
    const last = sources[sources.length - 1].batch;
    // The bound on a run was kept by the caller, so that the builder may take what it is given.
    const builder = new BatchBuilder(Number.POSITIVE_INFINITY);
    for (const { batch, survivors } of sources) {
      for (const i of survivors.indexes) {
        const keyIndex = batch.keyIndex(i);
        const flags = batch.flags(i);
        const isNull = (flags & RECORD_NULL) !== 0;
        const added = builder.add(
          batch.offset(i) - base,
          batch.timestampMs(i),
          flags,
          keyIndex === -1 ? null : batch.keyAt(keyIndex),
          batch.bytes.subarray(batch.headersStart(i), batch.headersEnd(i)),
          isNull ? null : batch.bytes.subarray(batch.dataStart(i), batch.dataEnd(i)),
        );
        // More than 2^32 offsets or milliseconds apart: they stay apart.
        if (!added) return null;
      }
    }
    const isEmpty = builder.count === 0;
    const bytes = builder.seal(last.topicId, last.partition);
    if (isEmpty) {
      // Nothing is left but the range, which keeps its place in time.
      bytes.writeDoubleLE(last.maxTimestampMs, AT_BASE_TIMESTAMP);
      bytes.writeDoubleLE(last.maxTimestampMs, AT_MAX_TIMESTAMP);
    }
    stampBatch(bytes, base, last.endOffset);
    return new StoredBatch(bytes);
  }
}

/** Whether a pass would find anything to do. */
export function isCompactable(partition: Partition, nowMs: number): boolean {
  const { cleanedTo, end, tombstonesDueMs } = partition;
  return cleanedTo < end || tombstonesDueMs === null || tombstonesDueMs < nowMs;
}

/** Whether a pass would be worth its reading: half of what is stored is new, or tombstones have come of age. */
export function isWorthCompacting(partition: Partition, nowMs: number): boolean {
  const fresh = partition.end - partition.cleanedTo;
  if (fresh > 0 && fresh * 2 >= partition.records) return true;
  return partition.tombstonesDueMs !== null && partition.tombstonesDueMs < nowMs;
}
