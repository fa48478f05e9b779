import { isUtf8 } from 'node:buffer';

/** From here on the native check of whole slices is worth its call. */
const NATIVE_FROM_BYTES = 32;

/**
 * Checks UTF-8 (RFC 3629) that arrives in slices, and fails at the first byte that no valid text can have there: it does
 * not wait for the end of the character, let alone of the text.
 */
export class Utf8Validator {
  /** Continuation bytes that the character under way still needs. */
  #needed = 0;
  /** The range that the next continuation byte must lie in: narrower after E0, ED, F0 and F4. */
  #low = 0x80;
  #high = 0xbf;

  /** The text may end here: no character is incomplete. */
  get complete(): boolean {
    return this.#needed === 0;
  }

  /** Takes the next slice, `bytes[start, end)`, and returns whether all so far can be the beginning of valid UTF-8. */
  accept(bytes: Uint8Array, start: number, end: number): boolean {
    let at = start;
    while (at < end && this.#needed > 0) if (!this.#step(bytes[at++])) return false;
    if (end - at >= NATIVE_FROM_BYTES) {
      const whole = startOfLastCharacter(bytes, at, end);
      if (!isUtf8(bytes.subarray(at, whole))) return false;
      at = whole;
    }
    while (at < end) if (!this.#step(bytes[at++])) return false;
    return true;
  }

  #step(byte: number): boolean {
    if (this.#needed > 0) {
      if (byte < this.#low || byte > this.#high) return false;
      this.#needed--;
      this.#low = 0x80;
      this.#high = 0xbf;
      return true;
    }
    if (byte < 0x80) return true;
    // C0, C1: overlong forms of ASCII. Above F4: beyond U+10FFFF. 80 to BF: a continuation of nothing.
    if (byte < 0xc2 || byte > 0xf4) return false;
    if (byte < 0xe0) {
      this.#needed = 1;
    } else if (byte < 0xf0) {
      this.#needed = 2;
      if (byte === 0xe0) this.#low = 0xa0; // Overlong below.
      if (byte === 0xed) this.#high = 0x9f; // Surrogates above.
    } else {
      this.#needed = 3;
      if (byte === 0xf0) this.#low = 0x90; // Overlong below.
      if (byte === 0xf4) this.#high = 0x8f; // Beyond U+10FFFF above.
    }
    return true;
  }
}

/** Where the last character that `bytes[start, end)` may leave incomplete begins; at most three bytes before the end. */
function startOfLastCharacter(bytes: Uint8Array, start: number, end: number): number {
  for (let at = end - 1; at >= start && at >= end - 3; at--) {
    if (bytes[at] >= 0xc0) return at;
    if (bytes[at] < 0x80) return end;
  }
  return end;
}
