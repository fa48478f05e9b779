import type { Buffer } from 'node:buffer';
import { DELIMITED, FIXED_32, FIXED_64, VARINT } from './protobuf-writer.ts';
import { MalformedCommand } from './protocol.ts';

const VARINT_BYTES_MAX = 10;

/** Reads the fields of one message, `bytes[start, end)`. The grammar is in protobuf-writer.ts. All errors are MalformedCommand. */
export class ProtobufReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;
  #wireType = VARINT;

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#end;
  }

  /** The number of the next field; its value is to be read or skipped before the next one. */
  field(): number {
    const tag = this.#varint();
    this.#wireType = tag % 8;
    const field = Math.floor(tag / 8);
    if (field === 0) throw new MalformedCommand('field number 0');
    return field;
  }

  /** An unsigned number. What exceeds 2^53 - 1 becomes that. */
  number(): number {
    this.#expect(VARINT);
    return Math.min(this.#varint(), Number.MAX_SAFE_INTEGER);
  }

  /** A number of type int32, which is sent sign-extended to 64 bits. */
  int32(): number {
    this.#expect(VARINT);
    let low = 0;
    for (let i = 0; i < VARINT_BYTES_MAX; i++) {
      const byte = this.#byte();
      if (i < 5) low |= (byte & 0x7f) << (7 * i);
      if (byte < 0x80) return low;
    }
    throw new MalformedCommand('varint too long');
  }

  flag(): boolean {
    return this.number() !== 0;
  }

  text(): string {
    const [start, end] = this.#range();
    return this.#bytes.toString('utf8', start, end);
  }

  /** A copy, since the input is only lent. */
  bytes(): Uint8Array {
    const [start, end] = this.#range();
    return Uint8Array.prototype.slice.call(this.#bytes, start, end);
  }

  message(): ProtobufReader {
    const [start, end] = this.#range();
    return new ProtobufReader(this.#bytes, start, end);
  }

  /** A message that only its length precedes, as in a stream of messages. */
  delimited(): ProtobufReader {
    this.#wireType = DELIMITED;
    return this.message();
  }

  skip(): void {
    switch (this.#wireType) {
      case VARINT:
        this.#varint();
        break;
      case FIXED_64:
        this.#pass(8);
        break;
      case DELIMITED:
        this.#range();
        break;
      case FIXED_32:
        this.#pass(4);
        break;
      default:
        throw new MalformedCommand(`wire type ${this.#wireType}`);
    }
  }

  #expect(wireType: number): void {
    if (this.#wireType !== wireType) throw new MalformedCommand(`wire type ${this.#wireType}`);
  }

  #range(): readonly [start: number, end: number] {
    this.#expect(DELIMITED);
    const length = this.#varint();
    const start = this.#at;
    this.#pass(length);
    return [start, this.#at];
  }

  #pass(count: number): void {
    if (count > this.#end - this.#at) throw new MalformedCommand('message cut short');
    this.#at += count;
  }

  #byte(): number {
    if (this.#at >= this.#end) throw new MalformedCommand('message cut short');
    return this.#bytes[this.#at++];
  }

  #varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < VARINT_BYTES_MAX; i++) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
    throw new MalformedCommand('varint too long');
  }
}
