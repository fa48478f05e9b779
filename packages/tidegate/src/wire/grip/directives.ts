import { Buffer, isUtf8 } from 'node:buffer';

const PERCENT = 0x25;
const OPEN = 0x28;
const CLOSE = 0x29;
const BACKSLASH = 0x5c;

/**
 * What a directive stands for: `%X` (then `argument` is null) or `%(argument)X`, X being `type`. Null if it stands for nothing.
 */
export type Resolve = (type: string, argument: string | null) => string | Uint8Array | null;

/**
 * Replaces the directives in `content`; `%%` is a percent sign. In an argument a backslash stands for the character after it.
 * Returns null if a directive is incomplete or stands for nothing, and the content itself if it has none.
 */
export function replaceDirectives(content: Uint8Array, resolve: Resolve): Uint8Array | null {
  const replaced = replaceWhole(content, resolve);
  return replaced === null || replaced.readBytes < content.length ? null : replaced.bytes;
}

/** What was made of a beginning of content, and how long that was. */
export interface Replaced {
  readonly bytes: Uint8Array;
  /** Less than there were if a directive begins behind it of which the end is missing. */
  readonly readBytes: number;
}

/** The same for content of which more may come: up to a directive that is incomplete. Null if one stands for nothing. */
export function replaceWhole(content: Uint8Array, resolve: Resolve): Replaced | null {
  let percent = content.indexOf(PERCENT);
  if (percent === -1) return { bytes: content, readBytes: content.length };
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
  const parts: Uint8Array[] = [];
  let from = 0;
  for (; percent !== -1; percent = bytes.indexOf(PERCENT, from)) {
    parts.push(bytes.subarray(from, percent));
    from = percent;
    let at = percent + 1;
    let argument: string | null = null;
    if (bytes[at] === OPEN) {
      const end = argumentEnd(bytes, at + 1);
      if (end === -1) break;
      argument = argumentOf(bytes.subarray(at + 1, end));
      if (argument === null) return null;
      at = end + 1;
    }
    if (at >= bytes.length) break;
    if (bytes[at] === PERCENT && argument === null) {
      parts.push(bytes.subarray(at, at + 1));
    } else {
      const value = resolve(String.fromCharCode(bytes[at]), argument);
      if (value === null) return null;
      parts.push(typeof value === 'string' ? Buffer.from(value, 'utf8') : value);
    }
    from = at + 1;
  }
  if (percent === -1) {
    parts.push(bytes.subarray(from));
    from = bytes.length;
  }
  return { bytes: Buffer.concat(parts), readBytes: from };
}

/** Where the parenthesis is that ends an argument, or -1. */
function argumentEnd(bytes: Buffer, start: number): number {
  for (let at = start; at < bytes.length; at++) {
    if (bytes[at] === BACKSLASH) at++;
    else if (bytes[at] === CLOSE) return at;
  }
  return -1;
}

function argumentOf(bytes: Buffer): string | null {
  return isUtf8(bytes) ? bytes.toString('utf8').replaceAll(/\\(.)/gsu, '$1') : null;
}
