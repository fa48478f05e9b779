import { Buffer, isUtf8 } from 'node:buffer';

const ASCII = /^[\0-\x7f]*$/;

/** The text of a header value, whose octets beyond ASCII appear as Latin-1 and stand for UTF-8; null if they are not UTF-8. */
export function textOfOctets(octets: string): string | null {
  if (ASCII.test(octets)) return octets;
  const bytes = Buffer.from(octets, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : null;
}

/** A text as header values have it: the octets of its UTF-8 as Latin-1. */
export function octetsOfText(text: string): string {
  return ASCII.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/**
 * The value without the white space that HTTP knows around it. String.prototype.trim knows more, of which some is half of a character
 * here: the octets of `à` end with what Latin-1 calls a no-break space.
 */
export function trimBlanks(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isBlank(value.charCodeAt(start))) start++;
  while (end > start && isBlank(value.charCodeAt(end - 1))) end--;
  return value.slice(start, end);
}

function isBlank(octet: number): boolean {
  return octet === 0x20 || octet === 0x09;
}
