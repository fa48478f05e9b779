import { TidegateError } from '../../kernel/index.ts';

/** Thirteen hexadecimal digits are 52 bits, which a number holds exactly; leading zeros count as digits. */
const SIZE = /^[0-9A-Fa-f]{1,13}$/;
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const QUOTED = '"(?:[\\t !#-\\[\\]-~]|\\\\[\\t -~])*"';
const EXTENSIONS = new RegExp(`^(?:;${TOKEN}(?:=(?:${TOKEN}|${QUOTED}))?)+$`);

/**
 * Reads the line that begins a chunk, without its CRLF, and returns the size of the chunk.
 *
 *     chunk-size [ chunk-ext ]
 *     chunk-size = 1*HEXDIG
 *     chunk-ext  = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )      (RFC 9112, section 7.1)
 *
 * Extensions are checked and ignored. The optional "bad" white space is refused: no client sends it, and servers
 * disagree on it, which is how requests are smuggled.
 */
export function parseChunkHeader(line: string): number {
  const semicolon = line.indexOf(';');
  const size = semicolon === -1 ? line : line.slice(0, semicolon);
  if (!SIZE.test(size)) throw new TidegateError('http_malformed', 'A chunk has an invalid size.');
  if (semicolon !== -1 && !EXTENSIONS.test(line.slice(semicolon))) {
    throw new TidegateError('http_malformed', 'A chunk has an invalid extension.');
  }
  return Number.parseInt(size, 16);
}
