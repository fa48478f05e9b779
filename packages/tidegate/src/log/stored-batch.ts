import type { Buffer } from 'node:buffer';
import { crc32 } from 'node:zlib';
import {
  AT_BASE_OFFSET,
  AT_BASE_TIMESTAMP,
  AT_COUNT,
  AT_CRC,
  AT_END_OFFSET,
  AT_KEY_BYTES,
  AT_KEY_COUNT,
  AT_MAGIC,
  AT_MAX_TIMESTAMP,
  AT_PARTITION,
  AT_PAYLOAD_BYTES,
  AT_TOPIC,
  CRC_FROM,
  HEADER_BYTES,
  KEY_END_BYTES,
  MAGIC,
  RECORD_BYTES,
} from './batch-format.ts';
import type { RecordBatch } from './record-batch.ts';

/** What the decoded view of a batch costs besides its bytes, for each distinct key and for the whole. */
const KEY_OVERHEAD_BYTES = 96;
const BATCH_OVERHEAD_BYTES = 512;

/** Where `index` would read the flags of a record from, within its entry. */
const IN_ENTRY_TIMESTAMP = 4;
const IN_ENTRY_HEADERS_END = 8;
const IN_ENTRY_DATA_END = 12;
const IN_ENTRY_KEY_AND_FLAGS = 16;

/** A batch over its stored bytes. Nothing is unpacked but keys, each once and only when asked for. */
export class StoredBatch implements RecordBatch {
  readonly bytes: Buffer;
  readonly partition: number;
  readonly topicId: number;
  readonly baseOffset: number;
  readonly endOffset: number;
  readonly baseTimestampMs: number;
  readonly maxTimestampMs: number;
  readonly count: number;
  readonly keyCount: number;
  readonly #view: DataView;
  readonly #keyEndsAt: number;
  readonly #keyTextAt: number;
  readonly #payloadAt: number;
  readonly #keys: (string | undefined)[];
  #indexes: Map<string, number> | null = null;

  /** @param bytes a sealed and stamped batch that is known to be whole */
  constructor(bytes: Buffer) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.bytes = bytes;
    this.#view = view;
    this.topicId = view.getUint32(AT_TOPIC, true);
    this.partition = view.getUint16(AT_PARTITION, true);
    this.baseOffset = view.getFloat64(AT_BASE_OFFSET, true);
    this.endOffset = view.getFloat64(AT_END_OFFSET, true);
    this.baseTimestampMs = view.getFloat64(AT_BASE_TIMESTAMP, true);
    this.maxTimestampMs = view.getFloat64(AT_MAX_TIMESTAMP, true);
    this.count = view.getUint32(AT_COUNT, true);
    this.keyCount = view.getUint32(AT_KEY_COUNT, true);
    this.#keyEndsAt = HEADER_BYTES + this.count * RECORD_BYTES;
    this.#keyTextAt = this.#keyEndsAt + this.keyCount * KEY_END_BYTES;
    this.#payloadAt = this.#keyTextAt + view.getUint32(AT_KEY_BYTES, true);
    this.#keys = new Array(this.keyCount);
  }

  /** What the batch costs in memory, with all its keys decoded. */
  get weightBytes(): number {
    return this.bytes.length + this.keyCount * KEY_OVERHEAD_BYTES + BATCH_OVERHEAD_BYTES;
  }

  keyAt(keyIndex: number): string {
    const known = this.#keys[keyIndex];
    if (known !== undefined) return known;
    const start =
      keyIndex === 0 ? 0 : this.#view.getUint32(this.#keyEndsAt + (keyIndex - 1) * KEY_END_BYTES, true);
    const end = this.#view.getUint32(this.#keyEndsAt + keyIndex * KEY_END_BYTES, true);
    const key = this.bytes.toString('utf8', this.#keyTextAt + start, this.#keyTextAt + end);
    this.#keys[keyIndex] = key;
    return key;
  }

  indexOfKey(key: string): number {
    if (this.keyCount <= 2) {
      for (let i = 0; i < this.keyCount; i++) if (this.keyAt(i) === key) return i;
      return -1;
    }
    if (this.#indexes === null) {
      this.#indexes = new Map();
      for (let i = 0; i < this.keyCount; i++) this.#indexes.set(this.keyAt(i), i);
    }
    return this.#indexes.get(key) ?? -1;
  }

  offset(index: number): number {
    return this.baseOffset + this.#view.getUint32(HEADER_BYTES + index * RECORD_BYTES, true);
  }

  timestampMs(index: number): number {
    return (
      this.baseTimestampMs +
      this.#view.getUint32(HEADER_BYTES + index * RECORD_BYTES + IN_ENTRY_TIMESTAMP, true)
    );
  }

  flags(index: number): number {
    return this.bytes[HEADER_BYTES + index * RECORD_BYTES + IN_ENTRY_KEY_AND_FLAGS];
  }

  keyIndex(index: number): number {
    return (
      (this.#view.getUint32(HEADER_BYTES + index * RECORD_BYTES + IN_ENTRY_KEY_AND_FLAGS, true) >>> 8) - 1
    );
  }

  headersStart(index: number): number {
    return index === 0 ? this.#payloadAt : this.dataEnd(index - 1);
  }

  headersEnd(index: number): number {
    return (
      this.#payloadAt + this.#view.getUint32(HEADER_BYTES + index * RECORD_BYTES + IN_ENTRY_HEADERS_END, true)
    );
  }

  dataStart(index: number): number {
    return this.headersEnd(index);
  }

  dataEnd(index: number): number {
    return (
      this.#payloadAt + this.#view.getUint32(HEADER_BYTES + index * RECORD_BYTES + IN_ENTRY_DATA_END, true)
    );
  }

  lowerBound(offset: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.offset(middle) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Gives a sealed batch its offsets, and the checksum over all of it. */
export function stampBatch(bytes: Buffer, baseOffset: number, endOffset: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  view.setFloat64(AT_BASE_OFFSET, baseOffset, true);
  view.setFloat64(AT_END_OFFSET, endOffset, true);
  view.setUint32(AT_CRC, crc32(bytes.subarray(CRC_FROM)), true);
}

/**
 * The batch in `bytes`, or null if they are not what was stored at this place: a wrong checksum, or a whole batch that
 * belongs elsewhere.
 */
export function verifyBatch(
  bytes: Buffer,
  topicId: number,
  partition: number,
  baseOffset: number,
): StoredBatch | null {
  if (bytes.length < HEADER_BYTES) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(AT_MAGIC, true) !== MAGIC) return null;
  if (view.getUint32(AT_CRC, true) !== crc32(bytes.subarray(CRC_FROM))) return null;
  const length =
    HEADER_BYTES +
    view.getUint32(AT_COUNT, true) * RECORD_BYTES +
    view.getUint32(AT_KEY_COUNT, true) * KEY_END_BYTES +
    view.getUint32(AT_KEY_BYTES, true) +
    view.getUint32(AT_PAYLOAD_BYTES, true);
  if (length !== bytes.length) return null;
  if (view.getUint32(AT_TOPIC, true) !== topicId || view.getUint16(AT_PARTITION, true) !== partition)
    return null;
  if (view.getFloat64(AT_BASE_OFFSET, true) !== baseOffset) return null;
  return new StoredBatch(bytes);
}
