// One word seen as four bytes, so that the key has the machine's byte order without asking for it.
const keyBytes = new Uint8Array(4);
const keyWord = new Int32Array(keyBytes.buffer);

/** Below this, setting up a view of words costs more than it saves. */
const WORDS_FROM_BYTES = 96;

/**
 * Masks or unmasks `bytes[start, end)` in place (RFC 6455, section 5.3; the operation is its own inverse).
 * `key` holds the four bytes of the masking key, the first in the highest bits; `phase` is how many bytes of the payload came before.
 */
export function applyMask(bytes: Uint8Array, start: number, end: number, key: number, phase: number): void {
  let at = start;
  let turned = turn(key, phase);
  if (end - start >= WORDS_FROM_BYTES) {
    const misaligned = (bytes.byteOffset + start) & 3;
    if (misaligned !== 0) {
      const aligned = start + 4 - misaligned;
      maskBytes(bytes, at, aligned, turned);
      turned = turn(turned, aligned - at);
      at = aligned;
    }
    const words = new Int32Array(bytes.buffer, bytes.byteOffset + at, (end - at) >>> 2);
    maskWords(words, turned);
    at += words.length << 2;
  }
  maskBytes(bytes, at, end, turned);
}

/** The key as it applies after `count` more bytes. */
function turn(key: number, count: number): number {
  const bits = (count & 3) << 3;
  return bits === 0 ? key : (key << bits) | (key >>> (32 - bits));
}

function maskWords(words: Int32Array, key: number): void {
  keyBytes[0] = key >>> 24;
  keyBytes[1] = key >>> 16;
  keyBytes[2] = key >>> 8;
  keyBytes[3] = key;
  const word = keyWord[0];
  const count = words.length;
  for (let i = 0; i < count; i++) words[i] ^= word;
}

function maskBytes(bytes: Uint8Array, start: number, end: number, key: number): void {
  const first = key >>> 24;
  const second = (key >>> 16) & 0xff;
  const third = (key >>> 8) & 0xff;
  const fourth = key & 0xff;
  let at = start;
  for (const last = end - 3; at < last; at += 4) {
    bytes[at] ^= first;
    bytes[at + 1] ^= second;
    bytes[at + 2] ^= third;
    bytes[at + 3] ^= fourth;
  }
  if (at < end) bytes[at] ^= first;
  if (at + 1 < end) bytes[at + 1] ^= second;
  if (at + 2 < end) bytes[at + 2] ^= third;
}
