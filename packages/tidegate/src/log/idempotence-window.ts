import type { Buffer } from 'node:buffer';
import { IdentityChunkBuilder, StoredIdentityChunk } from './identity-chunk.ts';
import { IdentityTable } from './identity-table.ts';
import type { TextHash } from './text-hash.ts';

/** Chunks that were read to verify a hit, kept because retries come in bursts. */
const CHUNKS_KEPT_MAX = 8;

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
 * The ids that clients supplied lately, and where their records are. A hit of the 64-bit hash is verified against the id's text, which is in the stored chunk; so the answer is exact.
 */
export class IdempotenceWindow {
  readonly #hash: TextHash;
  readonly #idsMax: number;
  readonly #windowMs: number;
  readonly #loadChunk: (sequence: number) => Buffer | undefined;
  readonly #table = new IdentityTable();
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
    return this.#table.next - this.#table.oldest - this.#failedInRing;
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
      firstEntry: this.#table.next,
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
    return this.#table.find(high, low, (sequence, inChunk) => this.#isText(sequence, inChunk, identity));
  }

  partitionOf(entry: number): number {
    return this.#table.entry(entry).partition;
  }

  /** Absolute once the entry's chunk is stamped; before, the record's number within its group and partition. */
  offsetOf(entry: number): number {
    return this.#table.entry(entry).offset;
  }

  /** The chunk that the entry belongs to. */
  sequenceOf(entry: number): number {
    return this.#table.entry(entry).sequence;
  }

  /** Begins the chunk of a new group. */
  open(): IdentityChunkBuilder {
    const chunk = new IdentityChunkBuilder(this.#nextSequence++, this.#table.next);
    const span: ChunkSpan = {
      sequence: chunk.sequence,
      firstEntry: this.#table.next,
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
      const number = chunk.firstEntry + index;
      const entry = this.#table.entry(number);
      const offset = entry.offset + baseOf(entry.partition);
      this.#table.setOffset(number, offset);
      return { ...entry, offset };
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
    for (let i = 0; i < span.count; i++) this.#table.void(span.firstEntry + i);
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
      while (this.#table.oldest < span.firstEntry + span.count) this.#dropOldest(span);
      this.#shiftSpan(span);
    }
  }

  #trim(): void {
    while (this.size > this.#idsMax) {
      const span = this.#spans[this.#firstSpan];
      if (span.state === 'pending') return;
      if (this.#table.oldest < span.firstEntry + span.count) this.#dropOldest(span);
      if (this.#table.oldest >= span.firstEntry + span.count) this.#shiftSpan(span);
    }
  }

  #dropOldest(span: ChunkSpan): void {
    if (span.state === 'failed') this.#failedInRing--;
    this.#table.dropOldest();
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

  #isText(sequence: number, inChunk: number, identity: string): boolean {
    const pending = this.#pending.get(sequence);
    if (pending !== undefined) return pending.chunk.isText(inChunk, identity);
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
    return chunk.isText(inChunk, identity);
  }

  #push(span: ChunkSpan, high: number, low: number, partition: number, offset: number): void {
    this.#table.push({ high, low, sequence: span.sequence, inChunk: span.count++, partition, offset });
  }
}
