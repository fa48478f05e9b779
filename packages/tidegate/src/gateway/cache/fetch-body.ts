import { Buffer } from 'node:buffer';
import { EMPTY } from '../../kernel/index.ts';

/** What bodies on their way to the cache may hold together. */
export class FetchBudget {
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether there is room for so many bytes more. */
  hasRoom(bytes: number): boolean {
    return this.#bytes + bytes <= this.#bytesMax;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
  }
}

/** The smallest and largest piece that is allocated for a body of unknown length: few pieces, and little unused in the last. */
const PIECE_BYTES_MIN = 4096;
const PIECE_BYTES_MAX = 256 * 1024;

interface Piece {
  readonly start: number;
  readonly bytes: Buffer;
  length: number;
}

/**
 * A body as it arrives, copied once and read by many, each from its own position. What has been handed out is never written again, so that all
 * of them may keep it.
 */
export class FetchBody {
  readonly #budget: FetchBudget;
  #pieces: Piece[] = [];
  #end = 0;
  #heldBytes = 0;

  constructor(budget: FetchBudget) {
    this.#budget = budget;
  }

  /** How many bytes have arrived. */
  get end(): number {
    return this.#end;
  }

  /** What the pieces cost that are still there. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Makes room for a body of a known length in one piece. */
  expect(lengthBytes: number): void {
    if (lengthBytes > 0) this.#grow(lengthBytes);
  }

  /** How much would have to be allocated for so many bytes more. */
  growthFor(bytes: number): number {
    const last = this.#pieces.at(-1);
    const missing = bytes - (last === undefined ? 0 : last.bytes.length - last.length);
    return missing <= 0 ? 0 : Math.max(missing, this.#nextPieceBytes());
  }

  /** Copies a slice to the end. */
  append(slice: Uint8Array): void {
    let from = 0;
    while (from < slice.length) {
      let last = this.#pieces.at(-1);
      if (last === undefined || last.length === last.bytes.length) {
        last = this.#grow(Math.max(slice.length - from, this.#nextPieceBytes()));
      }
      const count = Math.min(slice.length - from, last.bytes.length - last.length);
      last.bytes.set(slice.subarray(from, from + count), last.length);
      last.length += count;
      from += count;
      this.#end += count;
    }
  }

  /** What lies at a position, up to the end of its piece; empty at the end of the body. */
  from(position: number): Buffer {
    for (let index = this.#pieces.length - 1; index >= 0; index--) {
      const { start, bytes, length } = this.#pieces[index];
      if (position >= start)
        return position - start >= length ? EMPTY : bytes.subarray(position - start, length);
    }
    return EMPTY;
  }

  /** Lets go of the pieces that end before a position. */
  trim(position: number): void {
    let count = 0;
    for (const { start, bytes, length } of this.#pieces) {
      if (start + length > position || length < bytes.length) break;
      count++;
    }
    for (const { bytes } of this.#pieces.splice(0, count)) this.#hold(-bytes.length);
  }

  /** The whole body in memory of just its length, from which it is read from now on; it is no longer in the budget. */
  settle(): Buffer {
    const first = this.#pieces.at(0);
    let whole = EMPTY;
    if (first !== undefined && first.start === 0 && first.bytes.length === this.#end) whole = first.bytes;
    else if (this.#end > 0) {
      whole = Buffer.allocUnsafeSlow(this.#end);
      for (const { start, bytes, length } of this.#pieces) whole.set(bytes.subarray(0, length), start);
    }
    this.release();
    if (this.#end > 0) this.#pieces = [{ start: 0, bytes: whole, length: this.#end }];
    return whole;
  }

  /** Lets go of everything. */
  release(): void {
    this.#pieces = [];
    this.#hold(-this.#heldBytes);
  }

  #nextPieceBytes(): number {
    return Math.min(PIECE_BYTES_MAX, Math.max(PIECE_BYTES_MIN, this.#heldBytes));
  }

  #grow(bytes: number): Piece {
    const piece: Piece = { start: this.#end, bytes: Buffer.allocUnsafeSlow(bytes), length: 0 };
    this.#pieces.push(piece);
    this.#hold(bytes);
    return piece;
  }

  #hold(bytes: number): void {
    this.#heldBytes += bytes;
    this.#budget.add(bytes);
  }
}
