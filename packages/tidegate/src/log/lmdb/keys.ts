import { Buffer } from 'node:buffer';

/*
 * Keys sort as bytes, so numbers are big-endian:
 *
 *   batches     topic u32 | partition u16 | base offset u64
 *   keys        topic u32 | partition u16 | key hash u64 | base offset u64
 *   partitions  topic u32 | partition u16
 *   identities  topic u32 | sequence u32
 *   topics      topic u32
 */
const WORD = 0x1_0000_0000;

export const PARTITION_KEY_BYTES = 6;
const BATCH_KEY_BYTES = PARTITION_KEY_BYTES + 8;
const INDEX_KEY_BYTES = BATCH_KEY_BYTES + 8;

export function topicKey(topicId: number): Buffer {
  const key = Buffer.allocUnsafe(4);
  key.writeUInt32BE(topicId, 0);
  return key;
}

export function partitionKey(topicId: number, partition: number): Buffer {
  const key = Buffer.allocUnsafe(PARTITION_KEY_BYTES);
  key.writeUInt32BE(topicId, 0);
  key.writeUInt16BE(partition, 4);
  return key;
}

export function batchKey(topicId: number, partition: number, baseOffset: number): Buffer {
  const key = Buffer.allocUnsafe(BATCH_KEY_BYTES);
  key.writeUInt32BE(topicId, 0);
  key.writeUInt16BE(partition, 4);
  writeOffset(key, baseOffset, PARTITION_KEY_BYTES);
  return key;
}

export function indexKey(
  topicId: number,
  partition: number,
  hashHigh: number,
  hashLow: number,
  baseOffset: number,
): Buffer {
  const key = Buffer.allocUnsafe(INDEX_KEY_BYTES);
  key.writeUInt32BE(topicId, 0);
  key.writeUInt16BE(partition, 4);
  key.writeUInt32BE(hashHigh, PARTITION_KEY_BYTES);
  key.writeUInt32BE(hashLow, PARTITION_KEY_BYTES + 4);
  writeOffset(key, baseOffset, BATCH_KEY_BYTES);
  return key;
}

export function identityKey(topicId: number, sequence: number): Buffer {
  const key = Buffer.allocUnsafe(8);
  key.writeUInt32BE(topicId, 0);
  key.writeUInt32BE(sequence, 4);
  return key;
}

/** The offset at the end of a key of a batch or of the index. */
export function offsetOfKey(key: Uint8Array): number {
  // Whoever catches up by the index does this for each batch, and a view of the bytes would cost more than all the rest.
  const at = key.length - 8;
  return wordAt(key, at) * WORD + wordAt(key, at + 4);
}

export function topicOfKey(key: Uint8Array): number {
  return new DataView(key.buffer, key.byteOffset, 4).getUint32(0);
}

export function partitionOfPartitionKey(key: Uint8Array): number {
  return new DataView(key.buffer, key.byteOffset, 6).getUint16(4);
}

export function sequenceOfKey(key: Uint8Array): number {
  return new DataView(key.buffer, key.byteOffset, 8).getUint32(4);
}

function wordAt(key: Uint8Array, at: number): number {
  return ((key[at] << 24) | (key[at + 1] << 16) | (key[at + 2] << 8) | key[at + 3]) >>> 0;
}

function writeOffset(key: Buffer, offset: number, at: number): void {
  key.writeUInt32BE(Math.floor(offset / WORD), at);
  key.writeUInt32BE(offset % WORD, at + 4);
}
