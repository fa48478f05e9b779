import type { Partition, PartitionState } from './partition.ts';
import { type Changes, type DroppedBatch, isDamaged, type Store } from './store.ts';

export interface DropBounds {
  /** Oldest batches go while the partition stores more; null for no bound. */
  readonly bytesMax: number | null;
  /** Batches of which no record is newer go; null for no bound. */
  readonly olderThanMs: number | null;
  /** How many batches one commit drops. */
  readonly countMax: number;
}

export interface DropPlan {
  readonly changes: Changes;
  readonly state: PartitionState;
}

/**
 * What is to be dropped from the partition's front, or null for nothing. A damaged range has no age: it goes with what
 * follows it, or by size.
 */
export function planDrop(store: Store, partition: Partition, bounds: DropBounds): DropPlan | null {
  const dropped: DroppedBatch[] = [];
  let { start, bytes, records } = partition;
  let damaged: DroppedBatch[] = [];
  let offset = start;
  let bytesLeft = bytes;
  let recordsLeft = records;
  while (offset < partition.end && dropped.length + damaged.length < bounds.countMax) {
    const found = store.locate(partition, offset);
    const tooMuch = bounds.bytesMax !== null && bytesLeft > bounds.bytesMax;
    if (isDamaged(found)) {
      damaged.push({ partition, baseOffset: found.from, endOffset: found.to, batch: null });
      bytesLeft -= found.bytes;
      recordsLeft -= found.to - Math.max(found.from, offset);
      offset = found.to;
      if (!tooMuch) continue;
    } else {
      const tooOld = bounds.olderThanMs !== null && found.maxTimestampMs < bounds.olderThanMs;
      if (!tooMuch && !tooOld) break;
      damaged.push({ partition, baseOffset: found.baseOffset, endOffset: found.endOffset, batch: found });
      bytesLeft -= found.bytes.length;
      recordsLeft -= found.count;
      offset = found.endOffset;
    }
    dropped.push(...damaged);
    damaged = [];
    start = offset;
    bytes = bytesLeft;
    records = recordsLeft;
  }
  if (dropped.length === 0) return null;
  // An empty partition sets right what damage made uncertain.
  const empty = start >= partition.end;
  const state = partition.state({
    start,
    bytes: empty ? 0 : Math.max(0, bytes),
    records: empty ? 0 : Math.max(0, records),
    cleanedTo: Math.max(partition.cleanedTo, start),
  });
  return { changes: { dropped, partitions: [{ partition, state }] }, state };
}
