import { Buffer, isUtf8 } from 'node:buffer';
import { type ErrorCode, TidegateError } from '../../kernel/index.ts';
import { decodeBase64 } from './base64.ts';
import { fieldOctets } from './field-text.ts';
import { secondsOf } from './seconds.ts';

/** Content, and by which of its two members it was given: as text, or as bytes in base64. */
export interface Content {
  readonly bytes: Uint8Array;
  readonly given: 'text' | 'binary';
}

const DECIMAL = /^[0-9]{1,10}$/;

/**
 * The members of an object that came as JSON or as a tnetstring, where text and content are bytes. A member that is null counts as
 * absent. Each error names the member by its path.
 */
export class Members {
  readonly #object: Readonly<Record<string, unknown>>;
  readonly #where: string;
  readonly #code: ErrorCode;

  /**
   * @param where the path of the object, empty for the outermost
   * @throws TidegateError with `code`, if the value is no object
   */
  constructor(value: unknown, where: string, code: ErrorCode) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array) {
      throw new TidegateError(code, `${where === '' ? 'It' : where} is not an object.`);
    }
    this.#object = value as Readonly<Record<string, unknown>>;
    this.#where = where;
    this.#code = code;
  }

  fault(name: string, problem: string): TidegateError {
    return new TidegateError(this.#code, `${this.#path(name)} ${problem}.`);
  }

  get(name: string): unknown {
    return Object.hasOwn(this.#object, name) ? (this.#object[name] ?? undefined) : undefined;
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  object(name: string): Members | null {
    const value = this.get(name);
    return value === undefined ? null : new Members(value, this.#path(name), this.#code);
  }

  list(name: string): readonly unknown[] | null {
    const value = this.get(name);
    if (value === undefined) return null;
    if (!Array.isArray(value)) throw this.fault(name, 'is not an array');
    return value;
  }

  /** The array `name` as JSON has it: bytes become text. */
  jsonList(name: string, levelsMax: number): readonly unknown[] | null {
    return this.list(name)?.map((value) => this.#jsonOf(value, levelsMax - 1, name)) ?? null;
  }

  /** The objects in the array `name`; null if there is no such array. */
  objects(name: string): readonly Members[] | null {
    return (
      this.list(name)?.map((value, i) => new Members(value, `${this.#path(name)}[${i}]`, this.#code)) ?? null
    );
  }

  text(name: string): string | null {
    const value = this.get(name);
    return value === undefined ? null : this.#textOf(value, name);
  }

  /** A text that can stand in a header field, as ids do that origins are told later; null if it is absent or empty. */
  id(name: string): string | null {
    const text = this.text(name) ?? '';
    if (fieldOctets(text) === null) throw this.fault(name, 'has a control character');
    return text || null;
  }

  /** The same for what must be there. */
  name(name: string): string {
    const text = this.id(name);
    if (text === null) throw this.fault(name, this.has(name) ? 'is empty' : 'is missing');
    return text;
  }

  /** A text that is one of `choices`; the first of them if there is none. */
  choice<const T extends string>(name: string, choices: readonly [T, ...T[]]): T {
    const text = this.text(name);
    if (text === null) return choices[0];
    const found = choices.find((choice) => choice === text);
    if (found === undefined) throw this.fault(name, `is not one of ${choices.join(', ')}`);
    return found;
  }

  texts(name: string): readonly string[] | null {
    return this.list(name)?.map((value, i) => this.#textOf(value, `${name}[${i}]`)) ?? null;
  }

  /** The members of the object `name`, all of them text. */
  textMembers(name: string): readonly (readonly [name: string, value: string])[] | null {
    const object = this.object(name);
    if (object === null) return null;
    return Object.keys(object.#object).map((key) => {
      const value = object.text(key);
      if (value === null) throw object.fault(key, 'is not text');
      return [key, value];
    });
  }

  /** Pairs of text, given as an object or as an array of arrays of two. */
  textPairs(name: string): readonly (readonly [name: string, value: string])[] | null {
    if (!Array.isArray(this.get(name))) return this.textMembers(name);
    return this.list(name)!.map((pair, i) => {
      const path = `${name}[${i}]`;
      if (!Array.isArray(pair) || pair.length !== 2) throw this.fault(path, 'is not an array of two');
      return [this.#textOf(pair[0], `${path}[0]`), this.#textOf(pair[1], `${path}[1]`)];
    });
  }

  /** A whole number between both bounds, which may be given as text. */
  wholeNumber(name: string, min: number, max: number): number | null {
    const value = this.get(name);
    if (value === undefined) return null;
    const number = typeof value === 'number' ? value : decimalOf(latin1Of(value));
    if (!Number.isInteger(number) || number < min || number > max) {
      throw this.fault(name, `is not a whole number from ${min} to ${max}`);
    }
    return number;
  }

  /** A time of at least 0 seconds, which may be given as text. */
  seconds(name: string): number | null {
    const value = this.get(name);
    if (value === undefined) return null;
    const number = typeof value === 'number' ? value : secondsOf(latin1Of(value));
    if (!Number.isFinite(number) || number < 0) throw this.fault(name, 'is not a number of seconds');
    return number;
  }

  /** Whether the member is there and true. */
  isSet(name: string): boolean {
    const value = this.get(name) ?? false;
    if (typeof value !== 'boolean') throw this.fault(name, 'is not true or false');
    return value;
  }

  /** Content that is given as text under one name or, which goes before, in base64 under that name with `-bin`. */
  content(name: 'content' | 'body'): Content | null {
    const binary = this.get(`${name}-bin`);
    if (binary !== undefined) return { bytes: this.#bytesOf(binary, `${name}-bin`), given: 'binary' };
    const text = this.get(name);
    if (text === undefined) return null;
    if (text instanceof Uint8Array) return { bytes: text, given: 'text' };
    if (typeof text !== 'string') throw this.fault(name, 'is not text');
    return { bytes: Buffer.from(text, 'utf8'), given: 'text' };
  }

  #path(name: string): string {
    return this.#where === '' ? name : `${this.#where}.${name}`;
  }

  #textOf(value: unknown, name: string): string {
    if (typeof value === 'string') return value;
    if (value instanceof Uint8Array && isUtf8(value)) return Buffer.from(value).toString('utf8');
    throw this.fault(name, 'is not text');
  }

  #jsonOf(value: unknown, levels: number, name: string): unknown {
    if (typeof value !== 'object' || value === null) return value;
    if (value instanceof Uint8Array) return this.#textOf(value, name);
    if (levels === 0) throw this.fault(name, 'is nested too deeply');
    if (Array.isArray(value)) return value.map((element) => this.#jsonOf(element, levels - 1, name));
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => [key, this.#jsonOf(member, levels - 1, name)]),
    );
  }

  #bytesOf(value: unknown, name: string): Uint8Array {
    // A tnetstring has bytes as they are; only JSON needs base64.
    if (value instanceof Uint8Array) return value;
    const bytes = typeof value === 'string' ? decodeBase64(value) : null;
    if (bytes === null) throw this.fault(name, 'is not base64 (RFC 4648, section 4)');
    return bytes;
  }
}

function latin1Of(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1');
  return typeof value === 'string' ? value : '';
}

function decimalOf(text: string): number {
  return DECIMAL.test(text) ? Number(text) : Number.NaN;
}
