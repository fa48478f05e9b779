/**
 * Records that were stored together, under one checksum, readable by index without unpacking: the bytes stay as they
 * were stored, and each accessor looks up one field. Immutable.
 */
export interface RecordBatch {
  /** The bytes that `dataStart`, `dataEnd` and `headers` refer to. Must not be changed. */
  readonly bytes: Uint8Array;
  readonly partition: number;
  /** The offset range that the batch stands for, which may have holes. `endOffset` is exclusive. */
  readonly baseOffset: number;
  readonly endOffset: number;
  readonly count: number;
  /** The number of distinct keys. */
  readonly keyCount: number;
  /** The distinct key at `keyIndex`, 0 to keyCount - 1. */
  keyAt(keyIndex: number): string;
  /** The index of `key` among the distinct keys, or -1. */
  indexOfKey(key: string): number;
  offset(index: number): number;
  timestampMs(index: number): number;
  /** RECORD_* bits. */
  flags(index: number): number;
  /** The index of the record's key among the distinct keys; -1 for a record without key. */
  keyIndex(index: number): number;
  /** The encoded headers, for `decodeHeaders` and `findHeader`; empty if there are none. */
  headersStart(index: number): number;
  headersEnd(index: number): number;
  dataStart(index: number): number;
  dataEnd(index: number): number;
  /** The index of the first record whose offset is `offset` or greater; `count` if there is none. */
  lowerBound(offset: number): number;
}
