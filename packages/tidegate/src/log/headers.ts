import { Buffer } from 'node:buffer';

/*
 * Headers, little-endian, one after the other:
 *
 *   nameBytes u16 | valueBytes u32 | name (UTF-8) | value (UTF-8)
 */
const PREFIX_BYTES = 6;
const NAME_BYTES_MAX = 0xffff;

/** A header: name and value, both text. Names may repeat. */
export type Header = readonly [name: string, value: string];

/** Encodes headers as `AppendRecord.headers` takes them; null if the list is empty. */
export function encodeHeaders(list: readonly Header[]): Buffer | null {
  if (list.length === 0) return null;
  let bytesMax = 0;
  for (const [name, value] of list) bytesMax += PREFIX_BYTES + (name.length + value.length) * 3;
  const bytes = Buffer.allocUnsafe(bytesMax);
  let at = 0;
  for (const [name, value] of list) {
    const nameBytes = bytes.write(name, at + PREFIX_BYTES, 'utf8');
    if (nameBytes > NAME_BYTES_MAX) throw new RangeError('A header name is longer than 65,535 bytes');
    const valueBytes = bytes.write(value, at + PREFIX_BYTES + nameBytes, 'utf8');
    bytes.writeUInt16LE(nameBytes, at);
    bytes.writeUInt32LE(valueBytes, at + 2);
    at += PREFIX_BYTES + nameBytes + valueBytes;
  }
  return bytes.subarray(0, at);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The headers in `bytes[start, end)`, in the order in which they were given. */
export function decodeHeaders(bytes: Uint8Array, start = 0, end = bytes.length): readonly Header[] {
  const buffer = asBuffer(bytes);
  const list: Header[] = [];
  let at = start;
  while (at < end) {
    const nameEnd = at + PREFIX_BYTES + buffer.readUInt16LE(at);
    const valueEnd = nameEnd + buffer.readUInt32LE(at + 2);
    list.push([
      buffer.toString('utf8', at + PREFIX_BYTES, nameEnd),
      buffer.toString('utf8', nameEnd, valueEnd),
    ]);
    at = valueEnd;
  }
  return list;
}

/** The value of the first header called `name` in `bytes[start, end)`, or undefined. Decodes no other value. */
export function findHeader(bytes: Uint8Array, start: number, end: number, name: string): string | undefined {
  if (start >= end) return undefined;
  const buffer = asBuffer(bytes);
  let at = start;
  while (at < end) {
    const nameEnd = at + PREFIX_BYTES + buffer.readUInt16LE(at);
    const valueEnd = nameEnd + buffer.readUInt32LE(at + 2);
    if (isText(buffer, at + PREFIX_BYTES, nameEnd, name)) return buffer.toString('utf8', nameEnd, valueEnd);
    at = valueEnd;
  }
  return undefined;
}

/** Names are nearly always ASCII: compares byte by byte, and decodes only where a byte is not ASCII. */
function isText(bytes: Buffer, start: number, end: number, text: string): boolean {
  if (end - start < text.length) return false;
  for (let i = 0; i < text.length; i++) {
    const byte = bytes[start + i];
    if (byte >= 0x80) return bytes.toString('utf8', start, end) === text;
    if (byte !== text.charCodeAt(i)) return false;
  }
  return end - start === text.length;
}
