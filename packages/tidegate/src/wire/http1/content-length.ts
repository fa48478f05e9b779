import { TidegateError } from '../../kernel/index.ts';
import { DIGIT, OCTETS } from './octets.ts';

/**
 * Reads the value of a Content-Length field.
 *
 *     Content-Length = 1*DIGIT      (RFC 9110, section 8.6)
 *
 * A list of equal numbers, which the section lets a recipient merge, is refused: it shows that the fields of two
 * messages, or the opinions of two programs, were mixed.
 */
export function parseContentLength(value: string): number {
  if (value.length === 0) throw malformed();
  let length = 0;
  for (let at = 0; at < value.length; at++) {
    const octet = value.charCodeAt(at);
    if ((OCTETS[octet] & DIGIT) === 0) {
      if (value.includes(',')) throw new TidegateError('http_ambiguous', 'Content-Length is a list.');
      throw malformed();
    }
    length = length * 10 + (octet - 0x30);
    // Beyond this the number is rounded, and the end of the body would be a guess.
    if (length > Number.MAX_SAFE_INTEGER) {
      throw new TidegateError('http_malformed', 'Content-Length is larger than any body can be.');
    }
  }
  return length;
}

function malformed(): TidegateError {
  return new TidegateError('http_malformed', 'Content-Length is not a decimal number.');
}
