import { Buffer, isUtf8 } from 'node:buffer';
import { type Limits, TidegateError } from '../../kernel/index.ts';

/**
 * A value of a tnetstring. Text is bytes; an object has no prototype, so that no name in it is special.
 */
export type TnetValue =
  | Buffer
  | number
  | boolean
  | null
  | readonly TnetValue[]
  | { readonly [name: string]: TnetValue };

/** What can be written: text as its UTF-8, and objects of any kind, of which members that are undefined are left out. */
export type TnetInput =
  | Uint8Array
  | string
  | number
  | boolean
  | null
  | readonly TnetInput[]
  | { readonly [name: string]: TnetInput | undefined };

const COLON = 0x3a;
const ZERO = 0x30;
const INTEGER = /^-?(?:0|[1-9][0-9]*)$/;
const FLOAT = /^-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;
/** More digits than any length needs that is not too long anyway. */
const LENGTH_DIGITS_MAX = 10;

/**
 * Reads one tnetstring, `length ":" payload type`, to the last byte. The byte strings in it are views into `bytes`.
 * @throws TidegateError grip_item_invalid, naming the position in bytes
 */
export function decodeTnetstring(bytes: Uint8Array, limits: Limits): TnetValue {
  if (bytes.length > limits.gripFrameBytesMax) {
    const size = `The message has ${bytes.length} bytes`;
    throw new TidegateError('grip_item_invalid', `${size}; the limit is ${limits.gripFrameBytesMax}.`);
  }
  const reader = new TnetReader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), limits);
  const value = reader.value(bytes.length, 0);
  if (reader.at < bytes.length) throw reader.fault('goes on after its end', reader.at);
  return value;
}

class TnetReader {
  readonly #bytes: Buffer;
  readonly #limits: Limits;
  at = 0;

  constructor(bytes: Buffer, limits: Limits) {
    this.#bytes = bytes;
    this.#limits = limits;
  }

  fault(problem: string, position: number): TidegateError {
    return new TidegateError('grip_item_invalid', `The tnetstring ${problem}, at byte ${position}.`);
  }

  /** Reads the value that begins here and ends at `end` or before. */
  value(end: number, level: number): TnetValue {
    const position = this.at;
    const length = this.#length(end);
    const typeAt = this.at + length;
    const payload = this.#bytes.subarray(this.at, typeAt);
    const type = String.fromCharCode(this.#bytes[typeAt]);
    switch (type) {
      case ',':
        this.at = typeAt + 1;
        return payload;
      case '#':
      case '^':
      case '!':
      case '~':
        this.at = typeAt + 1;
        return this.#scalar(type, payload, position);
      case ']':
      case '}': {
        if (level >= this.#limits.gripFrameNestingMax) throw this.fault('is nested too deeply', position);
        const content = type === ']' ? this.#list(typeAt, level + 1) : this.#dictionary(typeAt, level + 1);
        this.at = typeAt + 1;
        return content;
      }
      default:
        throw this.fault('has an unknown type', typeAt);
    }
  }

  /** Reads a length with its colon; so many bytes and the type lie before `end`. */
  #length(end: number): number {
    const position = this.at;
    let length = 0;
    for (;;) {
      const digit = this.at < end ? this.#bytes[this.at] - ZERO : -1;
      if (digit < 0 || digit > 9) break;
      length = length * 10 + digit;
      if (++this.at - position > LENGTH_DIGITS_MAX) throw this.fault('has a length of many digits', position);
    }
    const digits = this.at - position;
    if (digits === 0 || this.at >= end || this.#bytes[this.at] !== COLON) {
      throw this.fault('has no length', position);
    }
    if (digits > 1 && this.#bytes[position] === ZERO)
      throw this.fault('has a length with a leading 0', position);
    this.at++;
    if (length >= end - this.at) throw this.fault('is longer than what holds it', position);
    return length;
  }

  #scalar(type: '#' | '^' | '!' | '~', payload: Buffer, position: number): number | boolean | null {
    const text = payload.toString('latin1');
    if (type === '~' && text === '') return null;
    if (type === '!' && (text === 'true' || text === 'false')) return text === 'true';
    if (type === '#' && INTEGER.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
    if (type === '^' && FLOAT.test(text) && Number.isFinite(Number(text))) return Number(text);
    throw this.fault(`has a value that does not fit its type ${type}`, position);
  }

  #list(end: number, level: number): readonly TnetValue[] {
    const list: TnetValue[] = [];
    while (this.at < end) list.push(this.value(end, level));
    return list;
  }

  #dictionary(end: number, level: number): { readonly [name: string]: TnetValue } {
    const dictionary: Record<string, TnetValue> = Object.create(null);
    while (this.at < end) {
      const position = this.at;
      const name = this.value(end, level);
      if (!Buffer.isBuffer(name) || !isUtf8(name)) throw this.fault('has a name that is no text', position);
      const key = name.toString('utf8');
      if (Object.hasOwn(dictionary, key)) throw this.fault('has a name twice', position);
      if (this.at >= end) throw this.fault('has a name without a value', position);
      dictionary[key] = this.value(end, level);
    }
    return dictionary;
  }
}

/** Writes a value as a tnetstring. Numbers must be finite, as the format has no others. */
export function encodeTnetstring(value: TnetInput): Buffer {
  const parts: Uint8Array[] = [];
  append(value, parts);
  return Buffer.concat(parts);
}

/** Appends a value and returns its length in bytes. */
function append(value: TnetInput, parts: Uint8Array[]): number {
  if (typeof value === 'string') return appendPayload(Buffer.from(value, 'utf8'), ',', parts);
  if (value instanceof Uint8Array) return appendPayload(value, ',', parts);
  if (value === null) return appendPayload(Buffer.alloc(0), '~', parts);
  if (typeof value === 'boolean') return appendPayload(Buffer.from(String(value)), '!', parts);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TidegateError('internal', `${value} has no form as a tnetstring.`);
    return appendPayload(Buffer.from(String(value)), Number.isSafeInteger(value) ? '#' : '^', parts);
  }
  // The length comes before what has it: its place is kept.
  const place = parts.push(Buffer.alloc(0)) - 1;
  let length = 0;
  if (Array.isArray(value)) {
    for (const element of value) length += append(element, parts);
  } else {
    for (const [name, member] of Object.entries(value)) {
      if (member !== undefined) length += append(name, parts) + append(member, parts);
    }
  }
  const head = Buffer.from(`${length}:`);
  parts[place] = head;
  parts.push(Buffer.from(Array.isArray(value) ? ']' : '}'));
  return head.length + length + 1;
}

function appendPayload(payload: Uint8Array, type: string, parts: Uint8Array[]): number {
  const head = Buffer.from(`${payload.length}:`);
  parts.push(head, payload, Buffer.from(type));
  return head.length + payload.length + 1;
}
