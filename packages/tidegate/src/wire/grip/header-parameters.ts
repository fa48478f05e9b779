import { TidegateError } from '../../kernel/index.ts';
import { octetsOfText, textOfOctets, trimBlanks } from './octets.ts';

/** A parameter of a header element. One without a value has the empty string. */
export type Parameter = readonly [name: string, value: string];

/** An element of a header field: `value; name=value; name="value"`. */
export interface HeaderElement {
  readonly value: string;
  /** In the order in which they stand, with their names in lower case; a name may be there several times. */
  readonly parameters: readonly Parameter[];
}

/** The first parameter of this name (lower case), or undefined. */
export function parameterOf(element: HeaderElement, name: string): string | undefined {
  return element.parameters.find((parameter) => parameter[0] === name)?.[1];
}

/**
 * Reads a list of elements:
 *
 *     list      = element *( "," element )
 *     element   = value *( ";" parameter )
 *     value     = word | quoted-string                      (where values are words)
 *               | "<" *any ">"                              (where they are links)
 *     parameter = name [ "=" ( word | quoted-string ) ]
 *
 * A word is whatever has no separator and no quote in it, without the white space around it. White space is allowed around every
 * separator, and empty elements and parameters do not count, as RFC 9110, sections 5.6.1 and 5.6.6, ask of recipients. Octets are
 * taken for UTF-8.
 * @param field the name of the field, for the detail of the error
 * @throws TidegateError grip_instruct_invalid
 */
export function parseElements(
  field: string,
  octets: string,
  values: 'words' | 'links' = 'words',
): readonly HeaderElement[] {
  const scanner = new FieldScanner(field, octets, ',');
  const elements: HeaderElement[] = [];
  do {
    if (scanner.isAtSeparator) continue;
    const value = values === 'links' ? scanner.link() : scanner.word();
    const parameters = scanner.parameters();
    if (value === '') throw scanner.fault('has an element without a value');
    elements.push({ value, parameters });
  } while (scanner.skip(','));
  scanner.assertAtEnd();
  return elements;
}

/**
 * Reads a list of nothing but parameters: `a=b, c="d"`. Semicolons separate them as well as commas, and the case of names is kept.
 * @throws TidegateError grip_instruct_invalid
 */
export function parsePairs(field: string, octets: string): readonly Parameter[] {
  const scanner = new FieldScanner(field, octets, ',');
  const pairs: Parameter[] = [];
  do {
    if (scanner.isAtSeparator || scanner.isAt(';')) continue;
    pairs.push(scanner.parameter());
  } while (scanner.skip(',') || scanner.skip(';'));
  scanner.assertAtEnd();
  return pairs;
}

/**
 * Reads a field that is one element, and not a list: commas have no meaning. The value before the first semicolon is taken as it
 * stands, quotes included, as octets.
 * @throws TidegateError grip_instruct_invalid
 */
export function parseWhole(field: string, octets: string): HeaderElement {
  const semicolon = octets.indexOf(';');
  const end = semicolon === -1 ? octets.length : semicolon;
  const scanner = new FieldScanner(field, octets.slice(end), ';');
  const parameters = scanner.parameters();
  scanner.assertAtEnd();
  return { value: trimBlanks(octets.slice(0, end)), parameters };
}

/** What a word can be made of so that everybody reads it as one. */
const PLAIN = /^[!#$%&'*+\-./:=?@^_`|~0-9A-Za-z\x80-\xff]+(?: [!#$%&'*+\-./:=?@^_`|~0-9A-Za-z\x80-\xff]+)*$/;

/** Writes an element as `parseElements` reads it, with quotes only where a word would not do. */
export function formatElement(value: string, parameters: readonly Parameter[]): string {
  let element = formatValue(value);
  for (const [name, parameter] of parameters) element += `; ${name}=${formatValue(parameter)}`;
  return element;
}

function formatValue(text: string): string {
  const octets = octetsOfText(text);
  return PLAIN.test(octets) ? octets : `"${octets.replaceAll(/["\\]/g, '\\$&')}"`;
}

/** Reads a field from left to right. */
class FieldScanner {
  readonly #field: string;
  readonly #text: string;
  readonly #separator: ',' | ';';
  #at = 0;

  constructor(field: string, octets: string, separator: ',' | ';') {
    this.#field = field;
    this.#separator = separator;
    const text = textOfOctets(octets);
    if (text === null) throw this.fault('is not UTF-8');
    this.#text = text;
    this.#skipSpace();
  }

  fault(problem: string): TidegateError {
    return new TidegateError('grip_instruct_invalid', `${this.#field} ${problem}.`);
  }

  get isAtSeparator(): boolean {
    return this.#at >= this.#text.length || this.isAt(this.#separator);
  }

  isAt(character: string): boolean {
    return this.#text[this.#at] === character;
  }

  assertAtEnd(): void {
    if (this.#at < this.#text.length)
      throw this.fault(`has ${JSON.stringify(this.#text[this.#at])} too many`);
  }

  skip(separator: string): boolean {
    if (!this.isAt(separator)) return false;
    this.#at++;
    this.#skipSpace();
    return true;
  }

  word(): string {
    return this.isAt('"') ? this.#quoted() : this.#word(/[;,"]/g);
  }

  /** A URI reference in angle brackets, between which separators have no meaning (RFC 8288, section 3); without them. */
  link(): string {
    const end = this.#text.indexOf('>', this.#at);
    if (!this.isAt('<') || end === -1) throw this.fault('has a link that is not in angle brackets');
    const link = this.#text.slice(this.#at + 1, end);
    this.#at = end + 1;
    this.#skipSpace();
    return link;
  }

  parameters(): readonly Parameter[] {
    const parameters: Parameter[] = [];
    while (this.skip(';')) {
      if (this.isAtSeparator || this.isAt(';')) continue;
      const [name, value] = this.parameter();
      parameters.push([name.toLowerCase(), value]);
    }
    return parameters;
  }

  parameter(): Parameter {
    const name = this.#word(/[=;,"]/g);
    if (name === '') throw this.fault('has a parameter without a name');
    if (!this.skip('=')) return [name, ''];
    if (this.isAt('"')) return [name, this.#quoted()];
    return [name, this.#word(this.#separator === ',' ? /[;,"]/g : /[;"]/g)];
  }

  /** What comes before one of the `stops`, of which the quote is one that must not be met. */
  #word(stops: RegExp): string {
    stops.lastIndex = this.#at;
    const end = stops.exec(this.#text)?.index ?? this.#text.length;
    if (this.#text[end] === '"') throw this.fault('has a quote within a word');
    const word = trimBlanks(this.#text.slice(this.#at, end));
    this.#at = end;
    return word;
  }

  #quoted(): string {
    let text = '';
    for (let from = this.#at + 1; ; ) {
      const end = indexOfQuoteOrBackslash(this.#text, from);
      if (end === -1 || (this.#text[end] === '\\' && end + 1 === this.#text.length)) {
        throw this.fault('has a quote that is not closed');
      }
      text += this.#text.slice(from, end);
      if (this.#text[end] === '"') {
        this.#at = end + 1;
        break;
      }
      text += this.#text[end + 1];
      from = end + 2;
    }
    this.#skipSpace();
    return text;
  }

  #skipSpace(): void {
    while (this.isAt(' ') || this.isAt('\t')) this.#at++;
  }
}

const QUOTE_OR_BACKSLASH = /["\\]/g;

function indexOfQuoteOrBackslash(text: string, from: number): number {
  QUOTE_OR_BACKSLASH.lastIndex = from;
  return QUOTE_OR_BACKSLASH.exec(text)?.index ?? -1;
}
