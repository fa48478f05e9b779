/** Carriage return, line feed, and the other octets that the grammar names. */
export const CR = 0x0d;
export const LF = 0x0a;
export const TAB = 0x09;
export const SPACE = 0x20;
export const COLON = 0x3a;

/** May be part of a token (RFC 9110, section 5.6.2): methods, field names, chunk extension names. */
export const TOKEN = 1;
/** May be part of a field value (RFC 9110, section 5.5): visible ASCII, space, tab and obs-text. */
export const FIELD_VALUE = 2;
/**
 * May be part of a request target: visible ASCII without `#`. RFC 3986 allows fewer characters, but browsers send
 * some of the others (such as `|`) unencoded, and none of them can be mistaken for the end of the target.
 */
export const TARGET = 4;
/**
 * May be part of a host name (RFC 3986, section 3.2.2), percent signs included. The comma is left out, although it
 * is a sub-delimiter: no host has one, and it is what a merged pair of Host fields looks like.
 */
export const HOST = 8;
/** May be part of an IP literal, between its brackets. */
export const IP_LITERAL = 16;
export const HEX_DIGIT = 32;
export const DIGIT = 64;

/** For each octet, the roles that it may play. One lookup validates one octet. */
export const OCTETS: Uint8Array = buildTable();

function buildTable(): Uint8Array {
  const table = new Uint8Array(256);
  const mark = (characters: string, role: number): void => {
    for (let i = 0; i < characters.length; i++) table[characters.charCodeAt(i)] |= role;
  };
  const digits = '0123456789';
  const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
  mark(digits + letters, TOKEN | HOST);
  mark("!#$%&'*+-.^_`|~", TOKEN);
  mark("-._~%!$&'()*+;=", HOST);
  mark(`${digits}abcdefABCDEF:.`, IP_LITERAL);
  mark(`${digits}abcdefABCDEF`, HEX_DIGIT);
  mark(digits, DIGIT);
  for (let octet = 0x21; octet <= 0x7e; octet++) table[octet] |= FIELD_VALUE | TARGET;
  for (let octet = 0x80; octet <= 0xff; octet++) table[octet] |= FIELD_VALUE;
  table[SPACE] |= FIELD_VALUE;
  table[TAB] |= FIELD_VALUE;
  table['#'.charCodeAt(0)] &= ~TARGET;
  return table;
}
