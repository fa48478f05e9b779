/**
 * Two 32-bit hashes of a text, for tables whose hits are verified against the text itself. Keyed by a secret seed, so
 * that clients who choose ids or channel names cannot make them collide. The result is read from `high` and `low`
 * until the next call: a flyweight, because it is computed for every record with an id.
 */
export class TextHash {
  readonly #seedHigh: number;
  readonly #seedLow: number;
  high = 0;
  low = 0;

  constructor(seedHigh: number, seedLow: number) {
    this.#seedHigh = seedHigh | 0;
    this.#seedLow = seedLow | 0;
  }

  of(text: string): void {
    let a = this.#seedHigh;
    let b = this.#seedLow ^ text.length;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      a = Math.imul(a ^ unit, 0x9e3779b1);
      a ^= a >>> 15;
      b = Math.imul(b ^ unit, 0x85ebca77);
      b = (b << 13) | (b >>> 19);
    }
    a = Math.imul(a ^ (b >>> 16), 0xc2b2ae3d);
    b = Math.imul(b ^ (a >>> 13), 0x27d4eb2f);
    this.high = (a ^ (b >>> 15)) >>> 0;
    this.low = (b ^ (a >>> 16)) >>> 0;
  }
}
