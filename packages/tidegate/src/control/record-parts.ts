import { Buffer } from 'node:buffer';
import { TidegateError } from '../kernel/index.ts';
import {
  type AppendRecord,
  encodeHeaders,
  findHeader,
  RECORD_JSON,
  RECORD_UTF8,
  type RecordBatch,
} from '../log/index.ts';

/** The record key of every part but the first, which has the key that says what the whole is. */
const CONTINUATION_KEY = 'more';
/** The header of the first part that counts all of them; one record is whole by itself. */
const PARTS_HEADER = 'parts';

/** What was stored as one, however many records it took. */
export interface JournalRecord {
  /** The offset of its first record. */
  readonly offset: number;
  /** One past its last record. */
  readonly end: number;
  readonly key: string;
  /** Valid until the next record is read. */
  readonly bytes: Uint8Array;
}

/** The records that store `bytes`, none larger than `partBytesMax`. They belong into one append. */
export function splitRecord(key: string, bytes: Buffer, partBytesMax: number): readonly AppendRecord[] {
  const count = Math.max(1, Math.ceil(bytes.length / partBytesMax));
  return Array.from({ length: count }, (_, part): AppendRecord => {
    const first = part === 0;
    return {
      key: first ? key : CONTINUATION_KEY,
      data: bytes.subarray(part * partBytesMax, (part + 1) * partBytesMax),
      headers: first && count > 1 ? encodeHeaders([[PARTS_HEADER, String(count)]]) : null,
      flags: count === 1 ? RECORD_UTF8 | RECORD_JSON : 0,
      identity: null,
    };
  });
}

const damaged = (offset: number): TidegateError =>
  new TidegateError(
    'resources_damaged',
    `The record at offset ${offset} of the topic _resources is not whole.`,
  );

/** Puts parts together again. */
export class PartJoiner {
  #offset = 0;
  #key = '';
  #missing = 0;
  #parts: Buffer[] = [];

  /** The whole that the record at `index` completes, or null. @throws TidegateError resources_damaged */
  take(batch: RecordBatch, index: number): JournalRecord | null {
    const offset = batch.offset(index);
    const keyIndex = batch.keyIndex(index);
    const key = keyIndex === -1 ? '' : batch.keyAt(keyIndex);
    const bytes = batch.bytes.subarray(batch.dataStart(index), batch.dataEnd(index));
    if (this.#missing === 0) {
      if (key === CONTINUATION_KEY) throw damaged(offset);
      const headers = [batch.headersStart(index), batch.headersEnd(index)] as const;
      const parts = Number(findHeader(batch.bytes, ...headers, PARTS_HEADER) ?? 1);
      if (parts === 1) return { offset, end: offset + 1, key, bytes };
      if (!Number.isSafeInteger(parts) || parts < 1) throw damaged(offset);
      [this.#offset, this.#key, this.#missing, this.#parts] = [offset, key, parts, []];
    } else if (key !== CONTINUATION_KEY) {
      throw damaged(this.#offset);
    }
    this.#parts.push(Buffer.from(bytes));
    this.#missing--;
    if (this.#missing > 0) return null;
    return { offset: this.#offset, end: offset + 1, key: this.#key, bytes: Buffer.concat(this.#parts) };
  }

  /** Nothing comes any more. @throws TidegateError resources_damaged */
  finish(): void {
    if (this.#missing > 0) throw damaged(this.#offset);
  }
}
