import type { Buffer } from 'node:buffer';
import { IdentityChunkBuilder, StoredIdentityChunk } from './identity-chunk.ts';
import type { TextHash } from './text-hash.ts';

const CAPACITY_MIN = 256;
/** Chunks that were read to verify a hit, kept because retries come in bursts. */
const CHUNKS_KEPT_MAX = 8;
/** Marks an entry whose group failed. */
const NO_SEQUENCE = 0;

type ChunkState = 'pending' | 'stored' | 'failed';

interface ChunkSpan {
  readonly sequence: number;
  readonly firstEntry: number;
  count: number;
  timeMs: number;
  state: ChunkState;
}

export interface WindowOptions {
  readonly hash: TextHash;
  readonly idsMax: number;
  readonly windowMs: number;
  /** The stored chunk of this sequence number. */
  readonly chunk: (sequence: number) => Buffer | undefined;
}

/**
 * The ids that clients supplied lately, and where their records are. Entries are numbered in the order of arrival and
 * lie in a ring of typed arrays (26 bytes each, and 8 of hash table), because a million strings in a Map would take ten times that.
 * A hit of the 64-bit hash is verified against the id's text, which is in the stored chunk; so the answer is exact.
 */
export class IdempotenceWindow {
  readonly #hash: TextHash;
  readonly #idsMax: number;
  readonly #windowMs: number;
  readonly #loadChunk: (sequence: number) => Buffer | undefined;
  #capacity = CAPACITY_MIN;
  #high = new Uint32Array(CAPACITY_MIN);
  #low = new Uint32Array(CAPACITY_MIN);
  #sequence = new Uint32Array(CAPACITY_MIN);
  #inChunk = new Uint32Array(CAPACITY_MIN);
  #partition = new Uint16Array(CAPACITY_MIN);
  #offset = new Float64Array(CAPACITY_MIN);
  /** Open addressing, linear probing: ring index + 1, or 0. */
  #table = new Int32Array(CAPACITY_MIN * 2);
  #oldest = 0;
  #next = 0;
  #spans: ChunkSpan[] = [];
  #firstSpan = 0;
  #nextSequence = 1;
  /** Entries of failed groups that still have their place in the ring. */
  #failedInRing = 0;
  readonly #pending = new Map<number, { readonly span: ChunkSpan; readonly chunk: IdentityChunkBuilder }>();
  readonly #chunksKept = new Map<number, StoredIdentityChunk>();
  #forgotten: number[] = [];

  constructor(options: WindowOptions) {
    this.#hash = options.hash;
    this.#idsMax = options.idsMax;
    this.#windowMs = options.windowMs;
    this.#loadChunk = options.chunk;
  }

  /** The number of ids remembered, those that are not yet stored included. */
  get size(): number {
    return this.#next - this.#oldest - this.#failedInRing;
  }

  /** Whether nothing was ever put in. */
  get isUnused(): boolean {
    return this.#nextSequence === 1;
  }

  /** Takes over a chunk that an earlier run of the server stored; in order of sequence. */
  restore(sequence: number, bytes: Buffer, nowMs: number): void {
    this.#nextSequence = Math.max(this.#nextSequence, sequence + 1);
    const chunk = new StoredIdentityChunk(bytes);
    if (chunk.timeMs < nowMs - this.#windowMs) {
      this.#forgotten.push(sequence);
      return;
    }
    const span: ChunkSpan = {
      sequence,
      firstEntry: this.#next,
      count: 0,
      timeMs: chunk.timeMs,
      state: 'stored',
    };
    for (let i = 0; i < chunk.count; i++) {
      this.#push(span, chunk.high(i), chunk.low(i), chunk.partition(i), chunk.offset(i));
    }
    this.#spans.push(span);
    this.#trim();
  }

  /** The entry of `identity`, or -1. */
  find(identity: string, nowMs: number): number {
    this.#expire(nowMs);
    if (this.size === 0) return -1;
    this.#hash.of(identity);
    const { high, low } = this.#hash;
    const mask = this.#table.length - 1;
    for (let slot = low & mask; this.#table[slot] !== 0; slot = (slot + 1) & mask) {
      const at = this.#table[slot] - 1;
      if (this.#high[at] === high && this.#low[at] === low && this.#isText(at, identity))
        return this.#entryAt(at);
    }
    return -1;
  }

  partitionOf(entry: number): number {
    return this.#partition[entry % this.#capacity];
  }

  /** Absolute once the entry's chunk is stamped; before, the record's number within its group and partition. */
  offsetOf(entry: number): number {
    return this.#offset[entry % this.#capacity];
  }

  /** The chunk that the entry belongs to. */
  sequenceOf(entry: number): number {
    return this.#sequence[entry % this.#capacity];
  }

  /** Begins the chunk of a new group. */
  open(): IdentityChunkBuilder {
    const chunk = new IdentityChunkBuilder(this.#nextSequence++, this.#next);
    const span: ChunkSpan = {
      sequence: chunk.sequence,
      firstEntry: this.#next,
      count: 0,
      timeMs: 0,
      state: 'pending',
    };
    this.#spans.push(span);
    this.#pending.set(chunk.sequence, { span, chunk });
    return chunk;
  }

  /** Remembers `identity`, which `find` did not find, as part of the newest chunk. */
  add(chunk: IdentityChunkBuilder, identity: string, partition: number, relativeOffset: number): void {
    const { span } = this.#pending.get(chunk.sequence)!;
    this.#hash.of(identity);
    this.#push(span, this.#hash.high, this.#hash.low, partition, relativeOffset);
    chunk.add(identity);
  }

  /** The chunk's group has its offsets: makes those of its entries absolute, and gives the bytes to store. */
  stamp(chunk: IdentityChunkBuilder, timeMs: number, baseOf: (partition: number) => number): Buffer {
    const { span } = this.#pending.get(chunk.sequence)!;
    span.timeMs = timeMs;
    return chunk.encode(timeMs, (index) => {
      const at = (chunk.firstEntry + index) % this.#capacity;
      const partition = this.#partition[at];
      this.#offset[at] += baseOf(partition);
      return { high: this.#high[at], low: this.#low[at], partition, offset: this.#offset[at] };
    });
  }

  /** The chunk is durable. */
  stored(chunk: IdentityChunkBuilder): void {
    this.#pending.get(chunk.sequence)!.span.state = 'stored';
    this.#pending.delete(chunk.sequence);
    this.#trim();
  }

  /** The chunk's group failed: its ids are free again. */
  failed(chunk: IdentityChunkBuilder): void {
    const { span } = this.#pending.get(chunk.sequence)!;
    span.state = 'failed';
    this.#pending.delete(chunk.sequence);
    for (let i = 0; i < span.count; i++) {
      const at = (span.firstEntry + i) % this.#capacity;
      this.#unlink(at);
      this.#sequence[at] = NO_SEQUENCE;
    }
    this.#failedInRing += span.count;
  }

  /** Up to `countMax` chunks that are not needed any more. Give back by `remember` what could not be removed. */
  takeForgotten(countMax: number): readonly number[] {
    return this.#forgotten.splice(0, countMax);
  }

  remember(sequences: readonly number[]): void {
    this.#forgotten.push(...sequences);
  }

  /** Lets go of ids that are too old. */
  expire(nowMs: number): void {
    this.#expire(nowMs);
  }

  #expire(nowMs: number): void {
    const horizon = nowMs - this.#windowMs;
    while (this.#firstSpan < this.#spans.length) {
      const span = this.#spans[this.#firstSpan];
      if (span.state === 'pending' || (span.state === 'stored' && span.timeMs >= horizon)) return;
      while (this.#oldest < span.firstEntry + span.count) this.#dropOldest(span);
      this.#shiftSpan(span);
    }
  }

  #trim(): void {
    while (this.size > this.#idsMax) {
      const span = this.#spans[this.#firstSpan];
      if (span.state === 'pending') return;
      if (this.#oldest < span.firstEntry + span.count) this.#dropOldest(span);
      if (this.#oldest >= span.firstEntry + span.count) this.#shiftSpan(span);
    }
  }

  #dropOldest(span: ChunkSpan): void {
    if (span.state === 'stored') this.#unlink(this.#oldest % this.#capacity);
    else this.#failedInRing--;
    this.#oldest++;
  }

  #shiftSpan(span: ChunkSpan): void {
    if (span.state === 'stored') this.#forgotten.push(span.sequence);
    this.#chunksKept.delete(span.sequence);
    this.#firstSpan++;
    if (this.#firstSpan >= 1024 && this.#firstSpan * 2 >= this.#spans.length) {
      this.#spans = this.#spans.slice(this.#firstSpan);
      this.#firstSpan = 0;
    }
  }

  #isText(at: number, identity: string): boolean {
    const sequence = this.#sequence[at];
    const pending = this.#pending.get(sequence);
    if (pending !== undefined) return pending.chunk.isText(this.#inChunk[at], identity);
    let chunk = this.#chunksKept.get(sequence);
    if (chunk === undefined) {
      const bytes = this.#loadChunk(sequence);
      if (bytes === undefined) return false;
      chunk = new StoredIdentityChunk(bytes);
      if (this.#chunksKept.size >= CHUNKS_KEPT_MAX) {
        for (const oldest of this.#chunksKept.keys()) {
          this.#chunksKept.delete(oldest);
          break;
        }
      }
      this.#chunksKept.set(sequence, chunk);
    }
    return chunk.isText(this.#inChunk[at], identity);
  }

  #entryAt(at: number): number {
    const oldestAt = this.#oldest % this.#capacity;
    return this.#oldest + ((at - oldestAt + this.#capacity) % this.#capacity);
  }

  #push(span: ChunkSpan, high: number, low: number, partition: number, offset: number): void {
    if (this.#next - this.#oldest === this.#capacity) this.#grow();
    const at = this.#next % this.#capacity;
    this.#high[at] = high;
    this.#low[at] = low;
    this.#sequence[at] = span.sequence;
    this.#inChunk[at] = span.count++;
    this.#partition[at] = partition;
    this.#offset[at] = offset;
    this.#next++;
    this.#link(at);
  }

  #link(at: number): void {
    const mask = this.#table.length - 1;
    let slot = this.#low[at] & mask;
    while (this.#table[slot] !== 0) slot = (slot + 1) & mask;
    this.#table[slot] = at + 1;
  }

  /** Takes an entry out of the table, and moves up what its place had pushed aside. */
  #unlink(at: number): void {
    const table = this.#table;
    const mask = table.length - 1;
    let hole = this.#low[at] & mask;
    while (table[hole] !== at + 1) {
      if (table[hole] === 0) return;
      hole = (hole + 1) & mask;
    }
    for (let slot = (hole + 1) & mask; table[slot] !== 0; slot = (slot + 1) & mask) {
      const home = this.#low[table[slot] - 1] & mask;
      if (((slot - home) & mask) >= ((slot - hole) & mask)) {
        table[hole] = table[slot];
        hole = slot;
      }
    }
    table[hole] = 0;
  }

  #grow(): void {
    const before = this.#capacity;
    const capacity = before * 2;
    const move = <T extends Uint32Array | Uint16Array | Float64Array>(from: T, to: T): T => {
      for (let entry = this.#oldest; entry < this.#next; entry++) to[entry % capacity] = from[entry % before];
      return to;
    };
    this.#high = move(this.#high, new Uint32Array(capacity));
    this.#low = move(this.#low, new Uint32Array(capacity));
    this.#sequence = move(this.#sequence, new Uint32Array(capacity));
    this.#inChunk = move(this.#inChunk, new Uint32Array(capacity));
    this.#partition = move(this.#partition, new Uint16Array(capacity));
    this.#offset = move(this.#offset, new Float64Array(capacity));
    this.#capacity = capacity;
    this.#table = new Int32Array(capacity * 2);
    // Entries of failed groups are in the ring still, and must not come back into the table.
    for (let entry = this.#oldest; entry < this.#next; entry++) {
      if (this.#sequence[entry % capacity] !== NO_SEQUENCE) this.#link(entry % capacity);
    }
  }
}
