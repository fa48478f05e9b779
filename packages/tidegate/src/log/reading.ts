import type { Partition } from './partition.ts';
import { type DamagedRange, RECORD_CONTROL, type ReadRequest, type ReadResult } from './port.ts';
import { type BatchSource, isDamaged } from './store.ts';
import type { StoredBatch } from './stored-batch.ts';

/** How many bytes one call looks through for a key, where no index leads to it. */
const SCAN_BYTES_MAX = 4 * 1024 * 1024;
/** How many batches one look into the key index gives; the first look of a reading fewer, since a stretch may have no more. */
const KEY_BASES_MAX = 256;
const FIRST_BASES_MAX = 16;

/** Collects batches and damaged ranges until a reading has its fill. */
class Collected {
  readonly batches: StoredBatch[] = [];
  readonly damaged: DamagedRange[] = [];
  bytes = 0;
  damage(from: number, to: number): void {
    const last = this.damaged[this.damaged.length - 1];
    if (last !== undefined && last.to === from)
      this.damaged[this.damaged.length - 1] = { from: last.from, to };
    else this.damaged.push({ from, to });
  }

  result(next: number): ReadResult {
    return { batches: this.batches, damaged: this.damaged, next };
  }
}

/** Answers `Log.read`, whatever the batches rest on. */
export function readPartition(store: BatchSource, partition: Partition, request: ReadRequest): ReadResult {
  const to = Math.min(request.to ?? partition.end, partition.end);
  const from = Math.max(request.from, partition.start);
  const collected = new Collected();
  if (from >= to) return collected.result(Math.max(request.from, Math.min(from, to)));
  if (request.key === undefined) return readAll(store, partition, from, to, request.bytesMax, collected);
  if (partition.topic.topic.keyIndex) {
    const indexed = readIndexed(store, partition, from, to, request.key, request.bytesMax, collected);
    if (indexed !== null) return indexed;
  }
  return readScanning(store, partition, from, to, request.key, request.bytesMax, collected);
}

function readAll(
  store: BatchSource,
  partition: Partition,
  from: number,
  to: number,
  bytesMax: number,
  collected: Collected,
): ReadResult {
  let offset = from;
  while (offset < to) {
    const found = store.locate(partition, offset);
    if (isDamaged(found)) {
      collected.damage(Math.max(found.from, from), found.to);
      offset = found.to;
      continue;
    }
    // Compaction merged what was just read with what follows: begin a new reading there, or records would come twice.
    if (collected.batches.length > 0 && found.baseOffset < offset) break;
    if (collected.batches.length > 0 && collected.bytes + found.bytes.length > bytesMax) break;
    collected.batches.push(found);
    collected.bytes += found.bytes.length;
    offset = found.endOffset;
    if (collected.bytes >= bytesMax) break;
  }
  return collected.result(offset);
}

function readScanning(
  store: BatchSource,
  partition: Partition,
  from: number,
  to: number,
  key: string,
  bytesMax: number,
  collected: Collected,
): ReadResult {
  let offset = from;
  let scanned = 0;
  while (offset < to && scanned < Math.max(SCAN_BYTES_MAX, bytesMax)) {
    const found = store.locate(partition, offset);
    if (isDamaged(found)) {
      collected.damage(Math.max(found.from, from), found.to);
      offset = found.to;
      continue;
    }
    if (scanned > 0 && found.baseOffset < offset) break;
    if (found.indexOfKey(key) !== -1) {
      if (collected.batches.length > 0 && collected.bytes + found.bytes.length > bytesMax) break;
      collected.batches.push(found);
      collected.bytes += found.bytes.length;
    }
    scanned += found.bytes.length;
    offset = found.endOffset;
    if (collected.bytes >= bytesMax) break;
  }
  return collected.result(offset);
}

/** Null if there is no index after all. */
function readIndexed(
  store: BatchSource,
  partition: Partition,
  from: number,
  to: number,
  key: string,
  bytesMax: number,
  collected: Collected,
): ReadResult | null {
  const stretchBytesMax = store.sharedStretchBytes / partition.topic.topic.partitions;
  /** Where the reading ends, which is known once there is a batch to estimate the stretch by. */
  let end = to;
  // The batch that covers `from` may begin before it, and the index names batches by where they begin.
  let searched = store.baseOf(partition, from);
  let offset = from;
  for (let countMax = FIRST_BASES_MAX; ; countMax = KEY_BASES_MAX) {
    const bases = store.basesOfKey(partition, {
      key,
      from: searched,
      to: end,
      direction: 'forward',
      countMax,
    });
    if (bases === null) return null;
    for (const base of bases) {
      if (base >= end) return collected.result(base);
      const found = store.locateIndexed(partition, Math.max(base, offset));
      if (isDamaged(found)) {
        collected.damage(Math.max(found.from, from), found.to);
        offset = found.to;
        continue;
      }
      if (collected.batches.length > 0 && found.baseOffset < offset) return collected.result(offset);
      if (found.indexOfKey(key) === -1) continue;
      if (collected.batches.length > 0 && collected.bytes + found.bytes.length > bytesMax)
        return collected.result(found.baseOffset);
      collected.batches.push(found);
      collected.bytes += found.bytes.length;
      offset = found.endOffset;
      if (collected.bytes >= bytesMax) return collected.result(offset);
      // Never later again: nothing beyond what was asked for has been looked at.
      end = Math.min(end, Math.ceil(from + (stretchBytesMax * found.count) / found.weightBytes));
    }
    if (bases.length < countMax) return collected.result(Math.max(offset, end));
    searched = bases[bases.length - 1] + 1;
    // Nothing of what was looked at counts: a turn is not spent on more of that.
    if (collected.batches.length === 0) return collected.result(Math.max(offset, searched));
  }
}

/**
 * Answers `Log.offsetAtTime`. Timestamps do not decrease within a partition, so halving finds the place. A damaged range
 * whose time is unknown counts as wanted, so that whoever reads from here is told of it.
 */
export function offsetAtTime(store: BatchSource, partition: Partition, timeMs: number): number {
  // All that can be read before `low` is older; nothing from `high` on is.
  let low = partition.start;
  let high = partition.end;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const found = readableFrom(store, partition, middle, high);
    if (found === null) {
      high = middle;
    } else if (found.maxTimestampMs < timeMs) {
      low = Math.max(middle + 1, found.endOffset);
    } else if (found.baseTimestampMs >= timeMs) {
      high = Math.max(low, Math.min(middle, found.baseOffset));
    } else {
      let index = 0;
      while (index < found.count && found.timestampMs(index) < timeMs) index++;
      return index < found.count ? found.offset(index) : found.endOffset;
    }
  }
  if (low >= partition.end) return partition.end;
  const first = store.locate(partition, low);
  if (isDamaged(first)) return low;
  const index = first.lowerBound(low);
  return index < first.count ? first.offset(index) : low;
}

/** The first batch that can be read at `offset` or after it, and begins before `to`. */
function readableFrom(
  store: BatchSource,
  partition: Partition,
  offset: number,
  to: number,
): StoredBatch | null {
  let at = offset;
  while (at < to) {
    const found = store.locate(partition, at);
    if (!isDamaged(found)) return found;
    at = found.to;
  }
  return null;
}

/** Answers `Log.offsetOfLast`. */
export function offsetOfLast(
  store: BatchSource,
  partition: Partition,
  count: number,
  key: string | undefined,
  before: number,
): number {
  const end = Math.min(before, partition.end);
  if (count <= 0 || end <= partition.start) return Math.max(Math.min(end, partition.end), partition.start);
  const walk = new BackwardWalk(count, key, end);
  const byIndex = key !== undefined && partition.topic.topic.keyIndex;
  const answer = byIndex ? walkIndex(store, partition, walk, key) : walkAll(store, partition, walk);
  return answer ?? walk.oldest ?? end;
}

/** Counts data records from the end towards the start. */
class BackwardWalk {
  #left: number;
  readonly #key: string | undefined;
  readonly end: number;
  /** The oldest record that counted. */
  oldest: number | null = null;

  constructor(count: number, key: string | undefined, end: number) {
    this.#left = count;
    this.#key = key;
    this.end = end;
  }

  /** The offset of the record that made the count full, or null. */
  visit(batch: StoredBatch): number | null {
    const keyIndex = this.#key === undefined ? -1 : batch.indexOfKey(this.#key);
    if (this.#key !== undefined && keyIndex === -1) return null;
    for (let i = batch.lowerBound(this.end) - 1; i >= 0; i--) {
      if ((batch.flags(i) & RECORD_CONTROL) !== 0) continue;
      if (this.#key !== undefined && batch.keyIndex(i) !== keyIndex) continue;
      this.oldest = batch.offset(i);
      if (--this.#left === 0) return this.oldest;
    }
    return null;
  }
}

function walkAll(store: BatchSource, partition: Partition, walk: BackwardWalk): number | null {
  let offset = walk.end - 1;
  let scanned = 0;
  while (offset >= partition.start) {
    const found = store.locate(partition, offset);
    if (isDamaged(found)) {
      offset = found.from - 1;
      continue;
    }
    const answer = walk.visit(found);
    if (answer !== null) return answer;
    scanned += found.bytes.length;
    if (scanned >= SCAN_BACK_BYTES_MAX) return Math.max(found.baseOffset, partition.start);
    offset = found.baseOffset - 1;
  }
  return walk.oldest === null ? null : walk.oldest;
}

/** How far back a call looks for records where no index leads to them. */
const SCAN_BACK_BYTES_MAX = 32 * 1024 * 1024;

function walkIndex(store: BatchSource, partition: Partition, walk: BackwardWalk, key: string): number | null {
  let to = walk.end;
  for (;;) {
    const bases = store.basesOfKey(partition, {
      key,
      from: 0,
      to,
      direction: 'backward',
      countMax: KEY_BASES_MAX,
    });
    if (bases === null) return walkAll(store, partition, walk);
    for (const base of bases) {
      if (base >= walk.end) continue;
      const found = store.locateIndexed(partition, Math.max(base, partition.start));
      if (isDamaged(found)) continue;
      const answer = walk.visit(found);
      if (answer !== null) return answer;
    }
    if (bases.length < KEY_BASES_MAX) return null;
    to = bases[bases.length - 1];
  }
}
