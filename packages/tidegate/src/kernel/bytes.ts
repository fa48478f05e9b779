import { Buffer } from 'node:buffer';

/** No bytes. */
export const EMPTY: Buffer = Buffer.alloc(0);

/**
 * A growing byte buffer that encoders append to. `take()` hands the bytes out and starts anew, so that what was
 * handed out is never written again and can be shared by many sockets.
 */
export class ByteWriter {
  #bytes: Buffer;
  #length = 0;
  readonly #initialBytes: number;
  readonly #keptBytesMax: number;

  /** @param keptBytesMax up to which size `take` copies the content out and keeps the buffer, so that it need not grow again */
  constructor(initialBytes = 4096, keptBytesMax = 0) {
    this.#initialBytes = initialBytes;
    this.#keptBytesMax = keptBytesMax;
    this.#bytes = Buffer.allocUnsafeSlow(initialBytes);
  }

  /** Bytes written since the last `take`. */
  get length(): number {
    return this.#length;
  }

  /** Makes room for `count` more bytes and returns the buffer to write them into, at `length`. */
  reserve(count: number): Buffer {
    const needed = this.#length + count;
    if (needed > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
      this.#bytes.copy(grown, 0, 0, this.#length);
      this.#bytes = grown;
    }
    return this.#bytes;
  }

  /** Counts bytes that were written into the buffer that `reserve` returned. */
  advance(count: number): void {
    this.#length += count;
  }

  /** Appends text of which every character is below U+0080. */
  ascii(text: string): void {
    const count = text.length;
    const bytes = this.reserve(count);
    if (count <= 64) {
      // For a few characters a loop is cheaper than the call into C++ that `write` makes.
      let to = this.#length;
      for (let i = 0; i < count; i++) bytes[to++] = text.charCodeAt(i);
    } else {
      bytes.write(text, this.#length, 'latin1');
    }
    this.#length += count;
  }

  /** Appends text as UTF-8. */
  utf8(text: string): void {
    const bytes = this.reserve(text.length * 3);
    this.#length += bytes.write(text, this.#length, 'utf8');
  }

  byte(value: number): void {
    const bytes = this.reserve(1);
    bytes[this.#length++] = value;
  }

  /** Appends `source[start, end)`. */
  bytes(source: Uint8Array, start = 0, end = source.length): void {
    const count = end - start;
    const target = this.reserve(count);
    if (count <= 64) {
      // For a few bytes a loop is cheaper than the call into C++ that `set` makes.
      let to = this.#length;
      for (let from = start; from < end; from++) target[to++] = source[from];
    } else {
      target.set(start === 0 && end === source.length ? source : source.subarray(start, end), this.#length);
    }
    this.#length += count;
  }

  /** A whole number below 2^32, as ByteReader reads it. */
  uint32(value: number): void {
    this.reserve(4).writeUInt32LE(value, this.#length);
    this.#length += 4;
  }

  /** A number of any kind, as ByteReader reads it. */
  float64(value: number): void {
    this.reserve(8).writeDoubleLE(value, this.#length);
    this.#length += 8;
  }

  /** Text with its length before it, as ByteReader reads it. */
  text(text: string): void {
    const at = this.#length;
    this.uint32(0);
    this.utf8(text);
    this.#bytes.writeUInt32LE(this.#length - at - 4, at);
  }

  /** Bytes with their length before them, as ByteReader reads them. */
  blob(bytes: Uint8Array): void {
    this.uint32(bytes.length);
    this.bytes(bytes);
  }

  /** Takes back what was written beyond `length`. */
  truncate(length: number): void {
    this.#length = length;
  }

  /** What was written so far, without taking it: valid until the next write. */
  peek(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Forgets what was written, and the buffer, if it grew beyond what is kept. */
  clear(): void {
    this.#length = 0;
    if (this.#bytes.length > Math.max(this.#initialBytes, this.#keptBytesMax))
      this.#bytes = Buffer.allocUnsafeSlow(this.#initialBytes);
  }

  /** Hands out what was written and forgets it. */
  take(): Buffer {
    if (this.#length === 0) return EMPTY;
    const whole = this.#bytes;
    const length = this.#length;
    this.#length = 0;
    if (length * 2 >= whole.length && whole.length > this.#keptBytesMax) {
      this.#bytes = Buffer.allocUnsafeSlow(this.#initialBytes);
      return whole.subarray(0, length);
    }
    // A buffer much larger than its content would be pinned by every socket that still holds the content.
    const exact = Buffer.allocUnsafeSlow(length);
    whole.copy(exact, 0, 0, length);
    return exact;
  }
}
