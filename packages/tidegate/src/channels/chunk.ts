import { Buffer } from 'node:buffer';
import { EMPTY } from '../kernel/index.ts';
import type { RecordBatch } from '../log/index.ts';
import type { Place } from './place.ts';
import type { GapReason } from './port.ts';
import type { BudgetedTail, TailBudget } from './tail-budget.ts';

/** Encoded messages from one place to a later one, shared by all subscribers that stand at the first. */
export interface Chunk {
  readonly bytes: Buffer;
  /** How many messages the bytes hold; 0 if nothing between the places is wanted. */
  readonly messages: number;
  readonly end: Place;
  /** Set if the bytes tell of a gap, and nothing else. */
  readonly gap: GapReason | null;
  /** Messages that conflation left out. */
  readonly conflated: number;
  /** Set if this stands for a control record, and there are no bytes: the record's data. */
  readonly control?: string;
}

/** What stands for the control record that a batch has at `index`. */
export function controlChunk(batch: RecordBatch, index: number, end: Place): Chunk {
  const { bytes } = batch;
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const control = data.toString('utf8', batch.dataStart(index), batch.dataEnd(index));
  return { bytes: EMPTY, messages: 0, end, gap: null, conflated: 0, control };
}

/**
 * The encoded tail of one audience: chunks by the place they begin at, so that subscribers that fell behind go on from
 * buffers that exist already, and those that read from the log at the same place make one buffer for all. The least
 * recently added go first.
 */
export class EncodedTail implements BudgetedTail {
  older: BudgetedTail | null = null;
  younger: BudgetedTail | null = null;
  bytes = 0;
  // Made when first needed: most channels are quiet.
  #chunks: Map<number | string, Chunk> | null = null;
  readonly #bytesMax: number;
  readonly #budget: TailBudget;

  constructor(bytesMax: number, budget: TailBudget) {
    this.#bytesMax = bytesMax;
    this.#budget = budget;
  }

  get(start: number | string): Chunk | undefined {
    return this.#chunks?.get(start);
  }

  /** @param chunk not without bytes */
  add(start: number | string, chunk: Chunk): void {
    this.#remove(start);
    this.#chunks ??= new Map();
    this.#chunks.set(start, chunk);
    this.#account(chunk.bytes.length);
    while (this.bytes > this.#bytesMax) this.dropOldest();
    if (this.bytes > 0) this.#budget.used(this);
  }

  dropOldest(): void {
    for (const oldest of this.#chunks?.keys() ?? []) {
      this.#remove(oldest);
      return;
    }
  }

  clear(): void {
    this.#chunks = null;
    this.#account(-this.bytes);
  }

  #remove(start: number | string): void {
    const chunk = this.#chunks?.get(start);
    if (chunk === undefined) return;
    this.#chunks?.delete(start);
    this.#account(-chunk.bytes.length);
  }

  #account(bytes: number): void {
    this.bytes += bytes;
    this.#budget.account(this, bytes);
  }
}
