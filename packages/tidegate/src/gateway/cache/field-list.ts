import { Buffer } from 'node:buffer';
import type { Headers } from '../../listeners/port.ts';

/** What a field costs beside its characters: two strings that are windows on one text, and their two places. Measured. */
const FIELD_BYTES = 80;

/** Fields of a response in the order of their arrival. Immutable. */
export class FieldList implements Headers {
  /** Names (lower case) and values in turn. */
  readonly pairs: readonly string[];

  /** @param pairs names (lower case) and values in turn; kept as they are */
  constructor(pairs: readonly string[]) {
    this.pairs = pairs;
  }

  /** Fields whose names are as an origin spells them. */
  static spelled(pairs: readonly string[]): FieldList {
    return new FieldList(pairs.map((part, at) => (at % 2 === 0 ? part.toLowerCase() : part)));
  }

  /**
   * A copy that holds on to nothing else. A value that a parser hands out is a window on the head that it came in, and would keep all of it
   * in memory; so the characters are copied into one text of just this length.
   */
  static detached(pairs: readonly string[]): FieldList {
    const text = detachedText(pairs.join(''));
    let at = 0;
    return new FieldList(
      pairs.map((part) => {
        const from = at;
        at += part.length;
        return text.slice(from, at);
      }),
    );
  }

  get(name: string): string | undefined {
    const pairs = this.pairs;
    for (let at = 0; at < pairs.length; at += 2) if (pairs[at] === name) return pairs[at + 1];
    return undefined;
  }

  all(name: string): readonly string[] {
    const values: string[] = [];
    for (let at = 0; at < this.pairs.length; at += 2) {
      if (this.pairs[at] === name) values.push(this.pairs[at + 1]);
    }
    return values;
  }

  *entries(): Generator<readonly [name: string, value: string], void, undefined> {
    for (let at = 0; at < this.pairs.length; at += 2) yield [this.pairs[at], this.pairs[at + 1]];
  }

  get count(): number {
    return this.pairs.length / 2;
  }

  nameLength(index: number): number {
    return this.pairs[index * 2].length;
  }

  isNamed(index: number, name: string): boolean {
    return this.pairs[index * 2] === name;
  }

  name(index: number): string {
    return this.pairs[index * 2];
  }

  spelledName(index: number): string {
    return this.pairs[index * 2];
  }

  value(index: number): string {
    return this.pairs[index * 2 + 1];
  }

  /** The fields whose names a filter keeps. */
  filtered(keeps: (name: string) => boolean): FieldList {
    const pairs: string[] = [];
    for (const [name, value] of this.entries()) if (keeps(name)) pairs.push(name, value);
    return new FieldList(pairs);
  }

  /** What the fields cost in memory. */
  get bytes(): number {
    let bytes = 0;
    for (const part of this.pairs) bytes += part.length;
    return bytes + (this.pairs.length / 2) * FIELD_BYTES;
  }
}

/** The same characters in memory of their own: what was cut out of a longer text no longer keeps that alive. */
export function detachedText(text: string): string {
  const encoding = BEYOND_LATIN_1.test(text) ? 'utf16le' : 'latin1';
  return Buffer.from(text, encoding).toString(encoding);
}

const BEYOND_LATIN_1 = /[^\0-\xff]/;
