import type { Buffer } from 'node:buffer';
import type { FrameEncoder } from '../../channels/index.ts';
import { type Codec, offsetOf, type PublicationForm } from './codec.ts';

/*
 * Messages on their way into a reply, which lists them: each is preceded by its offset, so that a page can be cut after any of them.
 *
 *   entry = offset (8 bytes, double), length (4 bytes, big endian), publication
 */

const HEAD_BYTES = 12;
const LENGTH_AT = 8;

/** Writes messages as entries of pages. */
export function createPageEncoder(codec: Codec, data: PublicationForm['data'] = 'plain'): FrameEncoder {
  const form = { channel: '', offsets: 'told' as const, data };
  return {
    key: `centrifuge page ${codec.name} ${data}`,
    begin() {},
    message(message, out) {
      const at = out.length;
      out.reserve(HEAD_BYTES);
      out.advance(HEAD_BYTES);
      form.channel = message.channel;
      codec.publication(message, form, out);
      const bytes = out.reserve(0);
      bytes.writeDoubleBE(offsetOf(message), at);
      bytes.writeUInt32BE(out.length - at - HEAD_BYTES, at + LENGTH_AT);
    },
    gap() {},
    keepAlive() {},
    end() {},
  };
}

/** Calls `take` for each entry, in order, until it returns false. Returns whether all were taken. */
export function forEachEntry(bytes: Buffer, take: (publication: Buffer, offset: number) => boolean): boolean {
  for (let at = 0; at < bytes.length; ) {
    const start = at + HEAD_BYTES;
    const end = start + bytes.readUInt32BE(at + LENGTH_AT);
    if (!take(bytes.subarray(start, end), bytes.readDoubleBE(at))) return false;
    at = end;
  }
  return true;
}
