import { Buffer } from 'node:buffer';
import {
  AT_BASE_TIMESTAMP,
  AT_COUNT,
  AT_KEY_BYTES,
  AT_KEY_COUNT,
  AT_MAGIC,
  AT_MAX_TIMESTAMP,
  AT_PARTITION,
  AT_PAYLOAD_BYTES,
  AT_TOPIC,
  DELTA_MAX,
  HEADER_BYTES,
  KEY_END_BYTES,
  MAGIC,
  RECORD_BYTES,
  RECORD_WORDS,
} from './batch-format.ts';

/** Payloads up to this length are copied by a loop, which is cheaper than the call that `set` makes. */
const LOOP_COPY_BYTES = 24;

/**
 * Encodes records, one after the other, into a batch. Its scratch memory is kept from batch to batch; what `seal`
 * returns is exact and never written again but for its offsets and checksum (`stampBatch`).
 */
export class BatchBuilder {
  readonly #bytesMax: number;
  #records = new Uint32Array(RECORD_WORDS * 256);
  #count = 0;
  #payload = Buffer.allocUnsafeSlow(16 * 1024);
  #payloadLength = 0;
  #keys = new Map<string, number>();
  #keyEnds: number[] = [];
  #keyText = Buffer.allocUnsafeSlow(1024);
  #keyTextLength = 0;
  #lastKey: string | null = null;
  #lastKeyIndex = 0;
  #baseTimestamp = 0;
  #maxTimestamp = 0;

  /** @param bytesMax how large a sealed batch may be; a single record may be larger */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get count(): number {
    return this.#count;
  }

  /** The length that `seal` would give. */
  get length(): number {
    return (
      HEADER_BYTES +
      this.#count * RECORD_BYTES +
      this.#keyEnds.length * KEY_END_BYTES +
      this.#keyTextLength +
      this.#payloadLength
    );
  }

  /**
   * Appends a record, or returns false if it does not fit beside those that are there: seal, and add it again.
   * @param offsetDelta the record's offset less the batch's base offset
   */
  add(
    offsetDelta: number,
    timestampMs: number,
    flags: number,
    key: string | null,
    headers: Uint8Array | null,
    data: Uint8Array | null,
  ): boolean {
    const index = this.#count;
    const payloadBytes = (headers === null ? 0 : headers.length) + (data === null ? 0 : data.length);
    let keyIndex = -1;
    let newKeyBytes = 0;
    if (key !== null) {
      if (key === this.#lastKey) {
        keyIndex = this.#lastKeyIndex;
      } else {
        const known = this.#keys.get(key);
        if (known === undefined) newKeyBytes = Buffer.byteLength(key) + KEY_END_BYTES;
        else keyIndex = known;
      }
    }
    if (index === 0) {
      this.#baseTimestamp = timestampMs;
      this.#maxTimestamp = timestampMs;
    } else if (
      this.length + RECORD_BYTES + payloadBytes + newKeyBytes > this.#bytesMax ||
      timestampMs - this.#baseTimestamp > DELTA_MAX ||
      offsetDelta > DELTA_MAX
    ) {
      return false;
    }
    if (key !== null && keyIndex === -1) keyIndex = this.#addKey(key, newKeyBytes - KEY_END_BYTES);
    if (key !== null) {
      this.#lastKey = key;
      this.#lastKeyIndex = keyIndex;
    }
    if (timestampMs > this.#maxTimestamp) this.#maxTimestamp = timestampMs;

    if (this.#payloadLength + payloadBytes > this.#payload.length) this.#growPayload(payloadBytes);
    if (headers !== null) this.#copy(headers);
    const headersEnd = this.#payloadLength;
    if (data !== null) this.#copy(data);

    if ((index + 1) * RECORD_WORDS > this.#records.length) {
      const grown = new Uint32Array(this.#records.length * 2);
      grown.set(this.#records);
      this.#records = grown;
    }
    const records = this.#records;
    const at = index * RECORD_WORDS;
    records[at] = offsetDelta;
    records[at + 1] = timestampMs - this.#baseTimestamp;
    records[at + 2] = headersEnd;
    records[at + 3] = this.#payloadLength;
    records[at + 4] = ((keyIndex + 1) << 8) | (flags & 0xff);
    this.#count = index + 1;
    return true;
  }

  /** Hands out the batch, which lacks only its offsets and its checksum, and starts anew. */
  seal(topicId: number, partition: number): Buffer {
    const keyCount = this.#keyEnds.length;
    const bytes = Buffer.allocUnsafeSlow(this.length);
    const view = new DataView(bytes.buffer);
    view.setUint32(AT_MAGIC, MAGIC, true);
    view.setUint32(AT_TOPIC, topicId, true);
    view.setUint32(AT_PARTITION, partition, true);
    view.setFloat64(AT_BASE_TIMESTAMP, this.#baseTimestamp, true);
    view.setFloat64(AT_MAX_TIMESTAMP, this.#maxTimestamp, true);
    view.setUint32(AT_COUNT, this.#count, true);
    view.setUint32(AT_KEY_COUNT, keyCount, true);
    view.setUint32(AT_KEY_BYTES, this.#keyTextLength, true);
    view.setUint32(AT_PAYLOAD_BYTES, this.#payloadLength, true);
    let at = HEADER_BYTES;
    const words = this.#count * RECORD_WORDS;
    if (LITTLE_ENDIAN) {
      bytes.set(new Uint8Array(this.#records.buffer, 0, words * 4), at);
    } else {
      for (let i = 0; i < words; i++) view.setUint32(at + i * 4, this.#records[i], true);
    }
    at += words * 4;
    for (let i = 0; i < keyCount; i++) view.setUint32(at + i * KEY_END_BYTES, this.#keyEnds[i], true);
    at += keyCount * KEY_END_BYTES;
    this.#keyText.copy(bytes, at, 0, this.#keyTextLength);
    at += this.#keyTextLength;
    this.#payload.copy(bytes, at, 0, this.#payloadLength);
    this.#reset();
    return bytes;
  }

  #reset(): void {
    this.#count = 0;
    this.#payloadLength = 0;
    this.#keyTextLength = 0;
    this.#lastKey = null;
    if (this.#keyEnds.length > 0) {
      this.#keys.clear();
      this.#keyEnds = [];
    }
    // A single large record must not leave its size behind as scratch memory.
    if (this.#payload.length > this.#bytesMax * 2) this.#payload = Buffer.allocUnsafeSlow(16 * 1024);
  }

  #addKey(key: string, keyBytes: number): number {
    const index = this.#keyEnds.length;
    const needed = this.#keyTextLength + keyBytes;
    if (needed > this.#keyText.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#keyText.length * 2));
      this.#keyText.copy(grown, 0, 0, this.#keyTextLength);
      this.#keyText = grown;
    }
    this.#keyText.write(key, this.#keyTextLength, 'utf8');
    this.#keyTextLength = needed;
    this.#keyEnds.push(needed);
    this.#keys.set(key, index);
    return index;
  }

  #growPayload(count: number): void {
    const needed = this.#payloadLength + count;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#payload.length * 2));
    this.#payload.copy(grown, 0, 0, this.#payloadLength);
    this.#payload = grown;
  }

  #copy(source: Uint8Array): void {
    const count = source.length;
    const payload = this.#payload;
    const to = this.#payloadLength;
    if (count <= LOOP_COPY_BYTES) {
      for (let i = 0; i < count; i++) payload[to + i] = source[i];
    } else {
      payload.set(source, to);
    }
    this.#payloadLength = to + count;
  }
}

const LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;
