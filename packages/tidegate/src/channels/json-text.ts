import { Buffer } from 'node:buffer';
import type { ByteWriter } from '../kernel/index.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;

/** What stands after the backslash for the bytes that have a short escape (RFC 8259, section 7); 0 for the others. */
const SHORT_ESCAPES = new Uint8Array(128);
for (const [byte, letter] of [
  [0x08, 'b'],
  [0x09, 't'],
  [0x0a, 'n'],
  [0x0c, 'f'],
  [0x0d, 'r'],
  [QUOTE, '"'],
  [BACKSLASH, '\\'],
] as const) {
  SHORT_ESCAPES[byte] = letter.charCodeAt(0);
}

const HEX = '0123456789abcdef';

/** Texts up to this length are copied character by character, which saves a call into C++. */
const SHORT = 128;

/** Appends a short text as a JSON string. Half a surrogate pair becomes an escape, as it has no UTF-8 form. */
export function writeJsonString(text: string, out: ByteWriter): void {
  if (text.length > SHORT || !writePlain(text, out)) out.utf8(JSON.stringify(text));
}

/** Appends the text as a JSON string if it is printable ASCII that needs no escape; returns whether it is. */
function writePlain(text: string, out: ByteWriter): boolean {
  const bytes = out.reserve(text.length + 2);
  let at = out.length;
  bytes[at++] = QUOTE;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < SPACE || code > 0x7e || code === QUOTE || code === BACKSLASH) return false;
    bytes[at++] = code;
  }
  bytes[at] = QUOTE;
  out.advance(text.length + 2);
  return true;
}

/** Appends `bytes[start, end)`, which are valid UTF-8, as a JSON string. What needs no escape is copied in runs. */
export function writeJsonStringOfUtf8(bytes: Uint8Array, start: number, end: number, out: ByteWriter): void {
  out.byte(QUOTE);
  let runStart = start;
  for (let i = start; i < end; i++) {
    const byte = bytes[i];
    if (byte >= SPACE && byte !== QUOTE && byte !== BACKSLASH) continue;
    out.bytes(bytes, runStart, i);
    runStart = i + 1;
    out.byte(BACKSLASH);
    if (SHORT_ESCAPES[byte] !== 0) out.byte(SHORT_ESCAPES[byte]);
    else out.ascii(`u00${HEX[byte >> 4]}${HEX[byte & 15]}`);
  }
  out.bytes(bytes, runStart, end);
  out.byte(QUOTE);
}

/**
 * Appends a JSON text as it is, on one line: line breaks are only legal between the tokens of a JSON text, where a space
 * means the same.
 */
export function writeJsonOnOneLine(bytes: Uint8Array, start: number, end: number, out: ByteWriter): void {
  const from = out.length;
  out.bytes(bytes, start, end);
  const written = out.reserve(0);
  for (let i = from; i < out.length; i++) {
    const byte = written[i];
    if (byte === LINE_FEED || byte === CARRIAGE_RETURN) written[i] = SPACE;
  }
}

/** Appends `bytes[start, end)` as a JSON string in base64 (RFC 4648, section 4, with padding). */
export function writeJsonBase64(bytes: Uint8Array, start: number, end: number, out: ByteWriter): void {
  out.byte(QUOTE);
  out.ascii(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('base64'));
  out.byte(QUOTE);
}
