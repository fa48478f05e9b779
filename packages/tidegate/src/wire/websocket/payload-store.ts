import { Buffer } from 'node:buffer';
import { EMPTY } from '../../kernel/index.ts';

/** The first allocation; a peer gets more memory only by sending more, whatever length its frames announce. */
const BYTES_MIN = 512;

/** Gathers a payload that arrives in pieces. */
export class PayloadStore {
  #bytes: Buffer = EMPTY;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /**
   * Copies `bytes[start, end)` to the end.
   * @param lengthKnown the length that the whole payload will have, so that it is not outgrown; 0 if that is not known
   */
  append(bytes: Uint8Array, start: number, end: number, lengthKnown: number): void {
    const needed = this.#length + end - start;
    if (needed > this.#bytes.length) this.#grow(needed, lengthKnown);
    this.#bytes.set(bytes.subarray(start, end), this.#length);
    this.#length = needed;
  }

  /** Hands the payload out and holds nothing any more. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#bytes = EMPTY;
    this.#length = 0;
    return taken;
  }

  #grow(needed: number, lengthKnown: number): void {
    const doubled = Math.max(needed, this.#bytes.length * 2, BYTES_MIN);
    const capacity = lengthKnown === 0 ? doubled : Math.min(doubled, lengthKnown);
    const grown = Buffer.allocUnsafeSlow(capacity);
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
