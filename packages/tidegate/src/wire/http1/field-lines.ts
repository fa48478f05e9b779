import { TidegateError } from '../../kernel/index.ts';
import { COLON, CR, FIELD_VALUE, LF, OCTETS, SPACE, TAB, TOKEN } from './octets.ts';

/** Offsets kept for each field: start and end of its name, start and end of its value. */
const STRIDE = 4;

/**
 * The fields of a head or of a trailer section. They stay where they are in the text: only offsets are kept, and a
 * name is compared when somebody asks for it, because most fields of most requests are never looked at.
 */
export class FieldLines {
  /** Whether each line is its name, a colon, one space, its value and CRLF, which is how lines are written here: see `lines`. */
  readonly isPlain: boolean;
  readonly #text: string;
  readonly #offsets: readonly number[];

  constructor(text: string, offsets: readonly number[], form: 'plain' | 'any' = 'any') {
    this.#text = text;
    this.#offsets = offsets;
    this.isPlain = form === 'plain';
  }

  get count(): number {
    return this.#offsets.length / STRIDE;
  }

  /** The length of the name of field `index`: the cheapest way to rule a name out. */
  nameLength(index: number): number {
    return this.#offsets[index * STRIDE + 1] - this.#offsets[index * STRIDE];
  }

  /** Whether field `index` has this name, given in lower case. */
  isNamed(index: number, name: string): boolean {
    const from = this.#offsets[index * STRIDE];
    return (
      this.#offsets[index * STRIDE + 1] - from === name.length && equalsIgnoringCase(this.#text, from, name)
    );
  }

  /** The name of field `index` in lower case. */
  name(index: number): string {
    const at = index * STRIDE;
    return this.#text.slice(this.#offsets[at], this.#offsets[at + 1]).toLowerCase();
  }

  /** The name of field `index` as it was sent. */
  spelledName(index: number): string {
    const at = index * STRIDE;
    return this.#text.slice(this.#offsets[at], this.#offsets[at + 1]);
  }

  value(index: number): string {
    const at = index * STRIDE;
    return this.#text.slice(this.#offsets[at + 2], this.#offsets[at + 3]);
  }

  /** The lines of the fields from `from` to before `to`, each with its CRLF, as they came; only of plain ones. There is at least one. */
  lines(from: number, to: number): string {
    return this.#text.slice(this.#offsets[from * STRIDE], this.#offsets[to * STRIDE - 1] + 2);
  }

  /** Whether a tab is among the white space around the value of field `index`. */
  isTabbed(index: number): boolean {
    const at = index * STRIDE;
    for (let before = this.#offsets[at + 1] + 1; before < this.#offsets[at + 2]; before++) {
      if (this.#text.charCodeAt(before) === TAB) return true;
    }
    for (let after = this.#offsets[at + 3]; this.#text.charCodeAt(after) !== CR; after++) {
      if (this.#text.charCodeAt(after) === TAB) return true;
    }
    return false;
  }

  /** The value of the first field of this name (lower case); octets beyond ASCII appear as Latin-1. */
  get(name: string): string | undefined {
    for (let index = 0; index < this.count; index++) {
      if (this.isNamed(index, name)) return this.value(index);
    }
    return undefined;
  }

  all(name: string): readonly string[] {
    const values: string[] = [];
    for (let index = 0; index < this.count; index++) {
      if (this.isNamed(index, name)) values.push(this.value(index));
    }
    return values;
  }

  *entries(): Generator<readonly [name: string, value: string], void, undefined> {
    for (let index = 0; index < this.count; index++) yield [this.name(index), this.value(index)];
  }
}

/** The offsets of the lines that are being read: what is kept of them is copied at its size, instead of growing to it. */
const FOUND: number[] = [];

/** Whether `text` has `lower` at `from`, with ASCII letters in either case. */
export function equalsIgnoringCase(text: string, from: number, lower: string): boolean {
  for (let i = 0; i < lower.length; i++) {
    let octet = text.charCodeAt(from + i);
    if (octet >= 0x41 && octet <= 0x5a) octet |= 0x20;
    if (octet !== lower.charCodeAt(i)) return false;
  }
  return true;
}

/**
 * Reads field lines from `start` to the empty line.
 *
 *     field-line = field-name ":" OWS field-value OWS CRLF      (RFC 9112, section 5)
 *
 * The text is read once, left to right, and the first fault decides: what follows it cannot change the error.
 */
export function parseFieldLines(text: string, start: number, fieldsMax: number): FieldLines {
  let count = 0;
  let isPlain = true;
  let at = start;
  while (text.charCodeAt(at) !== CR || text.charCodeAt(at + 1) !== LF) {
    if (count === fieldsMax * STRIDE) {
      throw new TidegateError('http_headers_too_large', `There are more than ${fieldsMax} header fields.`);
    }
    const nameStart = at;
    while ((OCTETS[text.charCodeAt(at)] & TOKEN) !== 0) at++;
    if (at === nameStart || text.charCodeAt(at) !== COLON) throw faultInName(text, nameStart, at);
    const nameEnd = at++;

    while (text.charCodeAt(at) === SPACE || text.charCodeAt(at) === TAB) at++;
    const valueStart = at;
    while ((OCTETS[text.charCodeAt(at)] & FIELD_VALUE) !== 0) at++;
    if (text.charCodeAt(at) !== CR || text.charCodeAt(at + 1) !== LF) throw faultInValue(text, at);
    let valueEnd = at;
    while (valueEnd > valueStart && isBlank(text.charCodeAt(valueEnd - 1))) valueEnd--;
    if (valueStart !== nameEnd + 2 || valueEnd !== at || text.charCodeAt(nameEnd + 1) !== SPACE)
      isPlain = false;
    at += 2;

    FOUND[count] = nameStart;
    FOUND[count + 1] = nameEnd;
    FOUND[count + 2] = valueStart;
    FOUND[count + 3] = valueEnd;
    count += STRIDE;
  }
  return new FieldLines(text, FOUND.slice(0, count), isPlain ? 'plain' : 'any');
}

function isBlank(octet: number): boolean {
  return octet === SPACE || octet === TAB;
}

function faultInName(text: string, nameStart: number, at: number): TidegateError {
  if (isBlank(text.charCodeAt(nameStart))) {
    // Section 5.2 lets a server either refuse a folded line or replace the fold; section 2.2 forbids white space
    // before the first field. Whoever guesses differently from the next server lets a request be smuggled.
    return new TidegateError('http_malformed', 'A header line begins with white space.');
  }
  if (isBlank(text.charCodeAt(at))) {
    // RFC 9112, section 5.1: a server MUST reject white space between a field name and its colon.
    return new TidegateError('http_malformed', 'There is white space before the colon of a header field.');
  }
  return new TidegateError('http_malformed', 'A header field has an invalid name.');
}

function faultInValue(text: string, at: number): TidegateError {
  const octet = text.charCodeAt(at);
  if (octet === CR) return new TidegateError('http_malformed', 'A carriage return stands alone.');
  if (octet === LF) return new TidegateError('http_malformed', 'A line ends without a carriage return.');
  return new TidegateError('http_malformed', 'A header field has a control character in its value.');
}
