import { Buffer } from 'node:buffer';
import { TidegateError } from '../../kernel/index.ts';
import type { ByteInput } from './byte-input.ts';
import { CR, LF } from './octets.ts';

const BLOCK_END = Buffer.from('\r\n\r\n', 'latin1');

/** A stretch of lines that an empty line ends: a head, or a trailer section that has fields. */
export type BlockKind = 'head' | 'trailers';

/**
 * Looks for the end of the block that begins the input. Returns its length with the empty line; 0 if it is not yet
 * complete; a negative length if a line feed without a carriage return is the last of that many octets: such a
 * block is invalid whatever follows, so that its parser can say what is wrong without waiting for an end that may
 * never come. The answer depends on the bytes alone, not on the pieces in which they arrived.
 */
export function blockLength(input: ByteInput, bytesMax: number, kind: BlockKind): number {
  const { bytes, start, searched } = input;
  const found = bytes.indexOf(BLOCK_END, start + Math.max(0, searched - 3));
  if (found !== -1 && found + 4 - start <= bytesMax) return found + 4 - start;

  const end = Math.min(bytes.length, start + bytesMax);
  let lineFeeds = 0;
  for (let at = bytes.indexOf(LF, start + searched); at !== -1 && at < end; at = bytes.indexOf(LF, at + 1)) {
    if (at === start || bytes[at - 1] !== CR) return -(at + 1 - start);
    lineFeeds++;
  }
  if (bytes.length - start >= bytesMax) {
    const firstLine = lineFeeds === 0 && !bytes.subarray(start, end).includes(LF);
    throw firstLine && kind === 'head'
      ? new TidegateError('http_target_too_long', `The first line is longer than ${bytesMax} bytes.`)
      : new TidegateError('http_headers_too_large', `The ${kind} would exceed ${bytesMax} bytes.`);
  }
  input.searched = end - start;
  return 0;
}
