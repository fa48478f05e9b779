import { Buffer } from 'node:buffer';
import { ByteWriter } from '../../kernel/index.ts';
import { LAST_CHUNK } from './chunk.ts';

/**
 * How the body of a streamed response is framed: `chunked` needs HTTP/1.1, `close` are bare bytes, which end with the connection
 * on HTTP/1 and with the stream on HTTP/2.
 */
export type StreamFraming = 'chunked' | 'close';

/*
 * The bytes of one flush are made once for all subscribers, the framing of their responses included. A chunk begins with its
 * size, which is only known at its end: its place is kept free, with leading zeros, which RFC 9112, section 7.1 allows
 * (chunk-size = 1*HEXDIG).
 */

const HEAD = '00000000\r\n';
const SIZE_DIGITS = 8;
const DIGITS = Buffer.from('0123456789abcdef', 'latin1');

/** Begins a flush in an empty writer. */
export function beginFlush(out: ByteWriter, framing: StreamFraming): void {
  if (framing === 'chunked') out.ascii(HEAD);
}

/** Ends the flush that the writer holds. A flush without content is taken back: an empty chunk would end the response. */
export function endFlush(out: ByteWriter, framing: StreamFraming): void {
  if (framing === 'close') return;
  let size = out.length - HEAD.length;
  if (size === 0) {
    out.truncate(0);
    return;
  }
  out.ascii('\r\n');
  const bytes = out.reserve(0);
  for (let i = SIZE_DIGITS - 1; size > 0; i--) {
    bytes[i] = DIGITS[size & 15];
    size >>>= 4;
  }
}

/** A flush of its own, with what `write` appends. For what is said seldom. */
export function singleFlush(framing: StreamFraming, write: (out: ByteWriter) => void): Buffer {
  const out = new ByteWriter(128);
  beginFlush(out, framing);
  write(out);
  endFlush(out, framing);
  return out.take();
}

/** What ends the response, after the last flush. */
export function endOfStream(framing: StreamFraming): Buffer | undefined {
  return framing === 'chunked' ? LAST_CHUNK : undefined;
}

/** The framing that a client of this minor version of HTTP/1 understands. */
export function framingFor(minorVersion: number): StreamFraming {
  return minorVersion === 0 ? 'close' : 'chunked';
}
