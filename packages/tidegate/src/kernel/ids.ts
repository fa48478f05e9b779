import { Buffer } from 'node:buffer';
import type { Random } from './random.ts';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** A random identifier of `length` letters and digits; each character carries 5.95 bits. */
export function randomId(random: Random, length: number): string {
  let id = '';
  while (id.length < length) {
    // 62^5 fits 32 bits; what lies above the largest multiple is drawn again, so that no character is favoured.
    let word = random.uint32();
    if (word >= 3_664_531_328) continue;
    for (let i = 0; i < 5 && id.length < length; i++) {
      id += ALPHABET[word % 62];
      word = Math.floor(word / 62);
    }
  }
  return id;
}

/** The number of characters of a topic's epoch: 71 bits, so that two epochs never meet. */
export const EPOCH_LENGTH = 12;

/** Bytes that nobody can guess, if the randomness is unpredictable. */
export function secretOf(random: Random, bytes: number): Buffer {
  const words = Uint32Array.from({ length: Math.ceil(bytes / 4) }, () => random.uint32());
  return Buffer.from(words.buffer, 0, bytes);
}
