import type { ByteWriter } from '../../kernel/index.ts';

/*
 * The wire format of protobuf, as far as the protocol needs it (protobuf.dev, "Encoding"):
 *
 *   message = *( tag value )
 *   tag     = varint of ( field number << 3 | wire type )
 *   value   = varint | length-delimited = varint length, bytes
 *
 * As in proto3, fields that have their default are left out.
 */

export const VARINT = 0;
export const FIXED_64 = 1;
export const DELIMITED = 2;
export const FIXED_32 = 5;

const VARINT_BYTES_MAX = 10;

/** Appends a whole number from 0 to 2^53 - 1. */
export function writeVarint(value: number, out: ByteWriter): void {
  const target = out.reserve(VARINT_BYTES_MAX);
  out.advance(putVarint(target, out.length, value));
}

function putVarint(target: Uint8Array, at: number, value: number): number {
  let rest = value;
  let to = at;
  while (rest > 0x7f) {
    target[to++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  target[to++] = rest;
  return to - at;
}

/** Begins a message, or something else that its length precedes. Returns the mark for `closeLength`. */
export function openLength(out: ByteWriter): number {
  const mark = out.length;
  out.byte(0);
  return mark;
}

/** Ends what `openLength` began: all that was written since. What is longer than 127 bytes is moved to make room. */
export function closeLength(out: ByteWriter, mark: number): void {
  const begin = mark + 1;
  const length = out.length - begin;
  let lengthBytes = 1;
  for (let rest = length; rest > 0x7f; rest = Math.floor(rest / 0x80)) lengthBytes++;
  const target = out.reserve(lengthBytes - 1);
  if (lengthBytes > 1) {
    target.copyWithin(begin + lengthBytes - 1, begin, out.length);
    out.advance(lengthBytes - 1);
  }
  putVarint(target, mark, length);
}

function writeTag(field: number, wireType: number, out: ByteWriter): void {
  writeVarint((field << 3) | wireType, out);
}

export function writeNumberField(field: number, value: number, out: ByteWriter): void {
  if (value === 0) return;
  writeTag(field, VARINT, out);
  writeVarint(value, out);
}

/** Appends a bool that is true; one that is false is left out. */
export function writeTrueField(field: number, out: ByteWriter): void {
  writeNumberField(field, 1, out);
}

export function writeTextField(field: number, text: string, out: ByteWriter): void {
  if (text === '') return;
  const mark = openField(field, out);
  out.utf8(text);
  closeLength(out, mark);
}

export function writeBytesField(
  field: number,
  bytes: Uint8Array,
  out: ByteWriter,
  start = 0,
  end = bytes.length,
): void {
  if (start === end) return;
  writeTag(field, DELIMITED, out);
  writeVarint(end - start, out);
  out.bytes(bytes, start, end);
}

/** Begins a field that holds a message. Returns the mark for `closeLength`. */
export function openField(field: number, out: ByteWriter): number {
  writeTag(field, DELIMITED, out);
  return openLength(out);
}

/** Appends one entry of a `map<string, string>`. */
export function writeMapEntry(field: number, key: string, value: string, out: ByteWriter): void {
  const mark = openField(field, out);
  writeTextField(1, key, out);
  writeTextField(2, value, out);
  closeLength(out, mark);
}
