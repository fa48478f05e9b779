import { Buffer, isUtf8 } from 'node:buffer';
import type { ByteWriter } from '../../kernel/index.ts';

/** The event name that marks data as base64, alone or after the event's own name and a semicolon. */
export const BASE64_MARK = 'base64';

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const COLON = 0x3a;

const FIELDS = {
  event: Buffer.from('event: '),
  id: Buffer.from('id: '),
  retry: Buffer.from('retry: '),
  data: Buffer.from('data: '),
} as const;
const NEXT_DATA = Buffer.from('\ndata: ');

/** From here on native searches are worth their calls. */
const NATIVE_FROM_BYTES = 64;

/** What is known of the data: `text` is valid UTF-8, `unknown` is to be looked at. */
export type SseDataKind = 'text' | 'unknown';

/**
 * Appends one event with the data `bytes[start, end)`, in the form of the HTML standard, section 9.2.5:
 *
 *     [event: name LF] [id: id LF] 1*( data: line LF ) LF
 *
 * A stream carries only UTF-8 and takes CR for the end of a line, so other data is sent in base64 (RFC 4648, section 4), and the
 * event name says so: `base64`, or `name;base64`.
 * @param name the event name, or empty for the default, `message`
 * @param id the position for Last-Event-ID, or empty to leave the client's as it is; without line breaks and NUL
 */
export function writeSseEvent(
  out: ByteWriter,
  name: string,
  id: string,
  bytes: Uint8Array,
  start: number,
  end: number,
  kind: SseDataKind,
): void {
  const begin = out.length;
  if (name !== '') writeSseField(out, 'event', name);
  if (id !== '') writeSseField(out, 'id', id);
  const readable =
    kind === 'text' || isUtf8(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end));
  if (!readable || !writeLines(out, bytes, start, end)) {
    out.truncate(begin);
    writeSseField(out, 'event', name === '' ? BASE64_MARK : `${name};${BASE64_MARK}`);
    if (id !== '') writeSseField(out, 'id', id);
    out.bytes(FIELDS.data);
    out.ascii(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('base64'));
  }
  out.byte(LINE_FEED);
  out.byte(LINE_FEED);
}

/** Appends the data as lines, without the last line's end. Returns false at a CR, when what was written is of no use. */
function writeLines(out: ByteWriter, bytes: Uint8Array, start: number, end: number): boolean {
  out.bytes(FIELDS.data);
  let lineStart = start;
  if (end - start < NATIVE_FROM_BYTES) {
    for (let at = start; at < end; at++) {
      const byte = bytes[at];
      if (byte > CARRIAGE_RETURN) continue;
      if (byte === CARRIAGE_RETURN) return false;
      if (byte !== LINE_FEED) continue;
      out.bytes(bytes, lineStart, at);
      out.bytes(NEXT_DATA);
      lineStart = at + 1;
    }
    out.bytes(bytes, lineStart, end);
    return true;
  }
  const data = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
  if (data.includes(CARRIAGE_RETURN)) return false;
  lineStart = 0;
  for (let at = data.indexOf(LINE_FEED); at !== -1; at = data.indexOf(LINE_FEED, lineStart)) {
    out.bytes(data, lineStart, at);
    out.bytes(NEXT_DATA);
    lineStart = at + 1;
  }
  out.bytes(data, lineStart, data.length);
  return true;
}

/**
 * Appends one field, `name: value`, for fields that stand outside a message, such as `retry` and `id`. A value cannot have
 * line breaks or NUL; they become spaces, so that no value can forge a field.
 */
export function writeSseField(out: ByteWriter, name: keyof typeof FIELDS, value: string): void {
  out.bytes(FIELDS[name]);
  const target = out.reserve(value.length + 1);
  const begin = out.length;
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    // Positions and most names are printable ASCII; for so few characters, this loop costs less than a native call.
    if (code < 0x20 || code > 0x7e) {
      out.utf8(oneLine(value));
      out.byte(LINE_FEED);
      return;
    }
    target[begin + i] = code;
  }
  target[begin + value.length] = LINE_FEED;
  out.advance(value.length + 1);
}

/** Appends a comment, which clients ignore: it keeps the connection alive. Without text it is the single byte `:`. */
export function writeSseComment(out: ByteWriter, text = ''): void {
  out.byte(COLON);
  if (text !== '') out.utf8(` ${oneLine(text)}`);
  out.byte(LINE_FEED);
}

/** Ends the event that fields were written for. */
export function endSseEvent(out: ByteWriter): void {
  out.byte(LINE_FEED);
}

function oneLine(value: string): string {
  return value.replaceAll(/[\r\n\0]/g, ' ');
}
