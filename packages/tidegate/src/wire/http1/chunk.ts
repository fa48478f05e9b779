import { Buffer } from 'node:buffer';

/** The end of a chunked body without trailers: `last-chunk CRLF` (RFC 9112, section 7.1). */
export const LAST_CHUNK: Buffer = Buffer.from('0\r\n\r\n', 'latin1');

/** The line before the data of a chunk of `bytes` bytes (at least 1; an empty chunk would end the body). */
export function chunkHeader(bytes: number): string {
  return `${bytes.toString(16)}\r\n`;
}

/** Frames data as one chunk, ready to be shared by many connections. `data` is not empty. */
export function chunk(data: Uint8Array): Buffer {
  const header = chunkHeader(data.length);
  const framed = Buffer.allocUnsafeSlow(header.length + data.length + 2);
  framed.write(header, 0, 'latin1');
  framed.set(data, header.length);
  framed.write('\r\n', header.length + data.length, 'latin1');
  return framed;
}
