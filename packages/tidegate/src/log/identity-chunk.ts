import { Buffer } from 'node:buffer';

/*
 * The ids of one commit of one topic, little-endian:
 *
 *    0  count     u32
 *    4  (zero)    u32
 *    8  time      f64  when the commit began, in milliseconds since the Unix epoch
 *   16  entries   28 bytes each: hash u32 u32, partition u16, (zero) u16, end of the id's text u32, (zero) u32, offset f64
 *       text      UTF-8, from the end of the entries
 */
const AT_TIME = 8;
const CHUNK_HEADER_BYTES = 16;
const ENTRY_BYTES = 28;
const IN_ENTRY_LOW = 4;
const IN_ENTRY_PARTITION = 8;
const IN_ENTRY_TEXT_END = 12;
const IN_ENTRY_OFFSET = 20;

/** Gathers the text of ids until their group is committed. */
export class IdentityChunkBuilder {
  readonly sequence: number;
  /** The number of its first entry in the window. */
  readonly firstEntry: number;
  #text = Buffer.allocUnsafeSlow(1024);
  readonly #ends: number[] = [];
  #textLength = 0;

  constructor(sequence: number, firstEntry: number) {
    this.sequence = sequence;
    this.firstEntry = firstEntry;
  }

  get count(): number {
    return this.#ends.length;
  }

  add(identity: string): void {
    const needed = this.#textLength + identity.length * 3;
    if (needed > this.#text.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#text.length * 2));
      this.#text.copy(grown, 0, 0, this.#textLength);
      this.#text = grown;
    }
    this.#textLength += this.#text.write(identity, this.#textLength, 'utf8');
    this.#ends.push(this.#textLength);
  }

  isText(index: number, identity: string): boolean {
    const start = index === 0 ? 0 : this.#ends[index - 1];
    return isSameText(this.#text, start, this.#ends[index], identity);
  }

  /** @param entry what the window knows of the entry at `index` of this chunk */
  encode(
    timeMs: number,
    entry: (index: number) => { high: number; low: number; partition: number; offset: number },
  ): Buffer {
    const textAt = CHUNK_HEADER_BYTES + this.count * ENTRY_BYTES;
    const bytes = Buffer.allocUnsafeSlow(textAt + this.#textLength);
    bytes.fill(0, 0, textAt);
    bytes.writeUInt32LE(this.count, 0);
    bytes.writeDoubleLE(timeMs, AT_TIME);
    for (let i = 0; i < this.count; i++) {
      const at = CHUNK_HEADER_BYTES + i * ENTRY_BYTES;
      const { high, low, partition, offset } = entry(i);
      bytes.writeUInt32LE(high, at);
      bytes.writeUInt32LE(low, at + IN_ENTRY_LOW);
      bytes.writeUInt16LE(partition, at + IN_ENTRY_PARTITION);
      bytes.writeUInt32LE(this.#ends[i], at + IN_ENTRY_TEXT_END);
      bytes.writeDoubleLE(offset, at + IN_ENTRY_OFFSET);
    }
    this.#text.copy(bytes, textAt, 0, this.#textLength);
    return bytes;
  }
}

/** A stored chunk, read in place. */
export class StoredIdentityChunk {
  readonly #bytes: Buffer;
  readonly count: number;
  readonly timeMs: number;
  readonly #textAt: number;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.count = bytes.readUInt32LE(0);
    this.timeMs = bytes.readDoubleLE(AT_TIME);
    this.#textAt = CHUNK_HEADER_BYTES + this.count * ENTRY_BYTES;
  }

  high(index: number): number {
    return this.#bytes.readUInt32LE(CHUNK_HEADER_BYTES + index * ENTRY_BYTES);
  }

  low(index: number): number {
    return this.#bytes.readUInt32LE(CHUNK_HEADER_BYTES + index * ENTRY_BYTES + IN_ENTRY_LOW);
  }

  partition(index: number): number {
    return this.#bytes.readUInt16LE(CHUNK_HEADER_BYTES + index * ENTRY_BYTES + IN_ENTRY_PARTITION);
  }

  offset(index: number): number {
    return this.#bytes.readDoubleLE(CHUNK_HEADER_BYTES + index * ENTRY_BYTES + IN_ENTRY_OFFSET);
  }

  isText(index: number, identity: string): boolean {
    const start = index === 0 ? 0 : this.#textEnd(index - 1);
    return isSameText(this.#bytes, this.#textAt + start, this.#textAt + this.#textEnd(index), identity);
  }

  #textEnd(index: number): number {
    return this.#bytes.readUInt32LE(CHUNK_HEADER_BYTES + index * ENTRY_BYTES + IN_ENTRY_TEXT_END);
  }
}

function isSameText(bytes: Buffer, start: number, end: number, text: string): boolean {
  return Buffer.byteLength(text) === end - start && bytes.toString('utf8', start, end) === text;
}
