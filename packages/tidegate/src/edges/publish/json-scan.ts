import { TidegateError } from '../../kernel/index.ts';

/*
 * A strict scanner of JSON texts (RFC 8259) over UTF-8 bytes. It finds where values begin and end and builds nothing, so that
 * the bytes of a value are kept exactly as they were sent: numbers beyond double precision, the order of members and repeated
 * names survive. What it accepts is what JSON.parse accepts, which a property test checks. It takes the bytes for valid
 * UTF-8; the caller checks that, in one call for many texts.
 */

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

const PLAIN = 0;
const SPECIAL = 1;
/** For each byte, whether it may stand in a string as itself (RFC 8259, section 7: all but controls, quote, backslash). */
const IN_STRING = new Uint8Array(256).fill(PLAIN);
IN_STRING.fill(SPECIAL, 0, 0x20);
IN_STRING[QUOTE] = SPECIAL;
IN_STRING[BACKSLASH] = SPECIAL;

const ESCAPES = new Uint8Array(256);
for (const letter of '"\\/bfnrt') ESCAPES[letter.charCodeAt(0)] = 1;

/** Levels of nesting that are kept room for between calls. */
const LEVELS_KEPT = 1024;

/** Nesting of the value being scanned: the closing byte that each open level waits for. Grows with the depth. */
let levels = new Uint8Array(LEVELS_KEPT);

function malformed(what: string, at: number): TidegateError {
  return new TidegateError('json_malformed', `${what} at byte ${at}`);
}

/** The error at `at`, where something else was needed, or where the text ended. */
export function unexpected(bytes: Uint8Array, at: number, end: number, wanted: string): TidegateError {
  if (at >= end) return malformed(`The text ends where ${wanted} is needed,`, at);
  const byte = bytes[at];
  const found =
    byte > 0x20 && byte < 0x7f
      ? `"${String.fromCharCode(byte)}"`
      : `byte 0x${byte.toString(16).padStart(2, '0')}`;
  return malformed(`Found ${found} where ${wanted} is needed,`, at);
}

/** The first position at or after `at` that is not white space. */
export function skipWhiteSpace(bytes: Uint8Array, at: number, end: number): number {
  while (at < end) {
    const byte = bytes[at];
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break;
    at++;
  }
  return at;
}

function isHexDigit(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66);
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** The position after the string whose opening quote is at `at`. */
export function skipString(bytes: Uint8Array, at: number, end: number): number {
  at++;
  while (at < end) {
    const byte = bytes[at];
    if (IN_STRING[byte] === PLAIN) {
      at++;
    } else if (byte === QUOTE) {
      return at + 1;
    } else if (byte === BACKSLASH) {
      at = skipEscape(bytes, at + 1, end);
    } else {
      throw unexpected(bytes, at, end, 'a character of a string (control characters must be escaped)');
    }
  }
  throw unexpected(bytes, end, end, 'the end of a string');
}

/** The position after the escape whose backslash is before `at`. */
function skipEscape(bytes: Uint8Array, at: number, end: number): number {
  if (at < end && ESCAPES[bytes[at]] === 1) return at + 1;
  if (at >= end || bytes[at] !== 0x75) throw unexpected(bytes, at, end, 'an escape');
  for (let i = at + 1; i < at + 5; i++) {
    if (i >= end || !isHexDigit(bytes[i])) throw unexpected(bytes, i, end, 'a hexadecimal digit');
  }
  return at + 5;
}

/** The position after the digits at `at`, of which there must be one. */
function skipDigits(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end || !isDigit(bytes[at])) throw unexpected(bytes, at, end, 'a digit');
  while (at < end && isDigit(bytes[at])) at++;
  return at;
}

/** The position after the number at `at`: RFC 8259, section 6. */
function skipNumber(bytes: Uint8Array, at: number, end: number): number {
  if (bytes[at] === MINUS) at++;
  if (at < end && bytes[at] === 0x30) at++;
  else at = skipDigits(bytes, at, end);
  if (at < end && bytes[at] === DOT) at = skipDigits(bytes, at + 1, end);
  if (at < end && (bytes[at] === 0x65 || bytes[at] === 0x45)) {
    at++;
    if (at < end && (bytes[at] === 0x2b || bytes[at] === MINUS)) at++;
    at = skipDigits(bytes, at, end);
  }
  return at;
}

function skipLiteral(bytes: Uint8Array, at: number, end: number, literal: string): number {
  for (let i = 0; i < literal.length; i++) {
    if (at + i >= end || bytes[at + i] !== literal.charCodeAt(i))
      throw unexpected(bytes, at + i, end, `"${literal}"`);
  }
  return at + literal.length;
}

/** The position after the scalar at `at`. */
function skipScalar(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end) throw unexpected(bytes, at, end, 'a value');
  const byte = bytes[at];
  if (byte === QUOTE) return skipString(bytes, at, end);
  if (byte === MINUS || isDigit(byte)) return skipNumber(bytes, at, end);
  if (byte === 0x74) return skipLiteral(bytes, at, end, 'true');
  if (byte === 0x66) return skipLiteral(bytes, at, end, 'false');
  if (byte === 0x6e) return skipLiteral(bytes, at, end, 'null');
  throw unexpected(bytes, at, end, 'a value');
}

/** The position of the value of the member whose name begins at `at`. */
function skipName(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end || bytes[at] !== QUOTE) throw unexpected(bytes, at, end, 'the name of a member');
  at = skipWhiteSpace(bytes, skipString(bytes, at, end), end);
  if (at >= end || bytes[at] !== COLON) throw unexpected(bytes, at, end, '":"');
  return skipWhiteSpace(bytes, at + 1, end);
}

function openLevel(depth: number, closing: number): void {
  if (depth === levels.length) {
    const grown = new Uint8Array(levels.length * 2);
    grown.set(levels);
    levels = grown;
  }
  levels[depth] = closing;
}

/**
 * The position after the JSON value that begins at `at` (white space before it is the caller's). Its depth is bounded by
 * its length only: nesting costs a byte a level, not a stack frame.
 * @throws TidegateError json_malformed
 */
export function skipValue(bytes: Uint8Array, at: number, end: number): number {
  if (levels.length > LEVELS_KEPT) levels = new Uint8Array(LEVELS_KEPT);
  let depth = 0;
  for (;;) {
    // At the beginning of a value.
    const byte = at < end ? bytes[at] : 0;
    if (byte === OPEN_BRACE) {
      at = skipWhiteSpace(bytes, at + 1, end);
      openLevel(depth++, CLOSE_BRACE);
      if (at >= end || bytes[at] !== CLOSE_BRACE) {
        at = skipName(bytes, at, end);
        continue;
      }
    } else if (byte === OPEN_BRACKET) {
      at = skipWhiteSpace(bytes, at + 1, end);
      openLevel(depth++, CLOSE_BRACKET);
      if (at >= end || bytes[at] !== CLOSE_BRACKET) continue;
    } else {
      at = skipScalar(bytes, at, end);
    }
    // After a value, or at the closing byte of an empty array or object.
    for (;;) {
      if (depth === 0) return at;
      at = skipWhiteSpace(bytes, at, end);
      const closing = levels[depth - 1];
      if (at < end && bytes[at] === closing) {
        at++;
        depth--;
      } else if (at < end && bytes[at] === COMMA) {
        at = skipWhiteSpace(bytes, at + 1, end);
        if (closing === CLOSE_BRACE) at = skipName(bytes, at, end);
        break;
      } else {
        throw unexpected(bytes, at, end, closing === CLOSE_BRACE ? '"," or "}"' : '"," or "]"');
      }
    }
  }
}

/**
 * Checks that `bytes[start, end)` are one JSON text, with white space around it at most.
 * @throws TidegateError json_malformed
 */
export function assertJsonText(bytes: Uint8Array, start: number, end: number): void {
  assertAtEnd(bytes, skipValue(bytes, skipWhiteSpace(bytes, start, end), end), end);
}

/**
 * Checks that nothing but white space follows.
 * @throws TidegateError json_malformed
 */
export function assertAtEnd(bytes: Uint8Array, at: number, end: number): void {
  const after = skipWhiteSpace(bytes, at, end);
  if (after !== end) throw unexpected(bytes, after, end, 'the end of the text');
}
