import { Buffer } from 'node:buffer';
import { EMPTY } from '../../kernel/index.ts';

/**
 * The bytes that have arrived and are not yet consumed. While a piece is consumed whole, it is read where it lies;
 * only what is left over when the next piece arrives is copied, into a buffer that grows by doubling, so that a
 * peer that sends one byte at a time costs linear work.
 */
export class ByteInput {
  /** What has arrived; the bytes before `start` are consumed. Valid until the next `push`. */
  bytes: Buffer = EMPTY;
  start = 0;
  /** How many of the unconsumed bytes were already searched in vain for the end of a line or a block. */
  searched = 0;
  #owned: Buffer | null = null;

  /** The number of unconsumed bytes. */
  get length(): number {
    return this.bytes.length - this.start;
  }

  push(piece: Buffer): void {
    const rest = this.bytes.length - this.start;
    if (rest === 0) {
      this.bytes = piece;
      this.start = 0;
      this.#owned = null;
      return;
    }
    const needed = rest + piece.length;
    const owned = this.#owned;
    if (owned !== null && this.bytes.length + piece.length <= owned.length) {
      owned.set(piece, this.bytes.length);
      this.bytes = owned.subarray(0, this.bytes.length + piece.length);
      return;
    }
    const grown = Buffer.allocUnsafeSlow(Math.max(256, needed * 2));
    grown.set(this.bytes.subarray(this.start), 0);
    grown.set(piece, rest);
    this.#owned = grown;
    this.bytes = grown.subarray(0, needed);
    this.start = 0;
  }

  /** Consumes `count` bytes. An input that is used up holds no memory. */
  consume(count: number): void {
    this.start += count;
    this.searched = 0;
    if (this.start === this.bytes.length) {
      this.bytes = EMPTY;
      this.start = 0;
      this.#owned = null;
    }
  }

  /** Hands out all that is left and consumes it. */
  takeRest(): Buffer {
    const rest = this.bytes.subarray(this.start);
    this.consume(rest.length);
    return rest;
  }
}
