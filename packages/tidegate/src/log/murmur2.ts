import { Buffer } from 'node:buffer';

const SEED = 0x9747b28c;
const M = 0x5bd1e995;

/** MurmurHash2 (32 bits, Kafka's seed) of `bytes`, as a signed integer, so that partitions agree with Kafka's default partitioner. */
export function murmur2(bytes: Uint8Array): number {
  const length = bytes.length;
  let hash = SEED ^ length;
  const words = length & ~3;
  for (let i = 0; i < words; i += 4) {
    let word = bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);
    word = Math.imul(word, M);
    word ^= word >>> 24;
    word = Math.imul(word, M);
    hash = Math.imul(hash, M) ^ word;
  }
  const rest = length - words;
  if (rest > 2) hash ^= bytes[words + 2] << 16;
  if (rest > 1) hash ^= bytes[words + 1] << 8;
  if (rest > 0) hash = Math.imul(hash ^ bytes[words], M);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, M);
  return hash ^ (hash >>> 15);
}

/** The partition of `key` among `partitions`: the same that Kafka's default partitioner gives for the UTF-8 of the key. */
export function partitionOfKey(key: string, partitions: number): number {
  if (partitions === 1) return 0;
  return (murmur2(Buffer.from(key, 'utf8')) & 0x7fffffff) % partitions;
}
