import { EMPTY } from '../../kernel/index.ts';
import { skipString, skipValue, skipWhiteSpace, unexpected } from './json-scan.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const CLOSE_BRACKET = 0x5d;
const CLOSE_BRACE = 0x7d;

/** Walks the elements of one array without building anything. */
export class ElementScanner {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;
  #begun = false;
  /** Where the current element begins. */
  start = 0;

  /** `at` is the position of the opening bracket. */
  constructor(bytes: Uint8Array, at: number, end: number) {
    this.#bytes = bytes;
    this.#at = at + 1;
    this.#end = end;
  }

  /** Moves to the next element; false at the closing bracket. The end of the element before must have been told to `leave`. */
  next(): boolean {
    const bytes = this.#bytes;
    const end = this.#end;
    let at = skipWhiteSpace(bytes, this.#at, end);
    if (at < end && bytes[at] === CLOSE_BRACKET) {
      this.#at = at + 1;
      return false;
    }
    if (this.#begun) {
      if (at >= end || bytes[at] !== COMMA) throw unexpected(bytes, at, end, '"," or "]"');
      at = skipWhiteSpace(bytes, at + 1, end);
    }
    this.#begun = true;
    this.start = at;
    return true;
  }

  /** Tells the position after the current element. */
  leave(at: number): void {
    this.#at = at;
  }

  /** The position after the closing bracket, once `next` has returned false. */
  get end(): number {
    return this.#at;
  }
}

/** Walks the members of one object. One instance serves many objects: its fields speak of the member it stands at. */
export class MemberScanner {
  #bytes: Uint8Array = EMPTY;
  #at = 0;
  #end = 0;
  #begun = false;
  /** The member's name is `bytes[nameStart, nameEnd)`, without the quotes and still escaped. */
  nameStart = 0;
  nameEnd = 0;
  /** The member's value is `bytes[valueStart, valueEnd)`. */
  valueStart = 0;
  valueEnd = 0;

  /** `at` is the position of the opening brace. */
  open(bytes: Uint8Array, at: number, end: number): void {
    this.#bytes = bytes;
    this.#at = at + 1;
    this.#end = end;
    this.#begun = false;
  }

  /**
   * Moves to the next member, whose value has been scanned whole; false at the closing brace.
   * @throws TidegateError json_malformed
   */
  next(): boolean {
    const bytes = this.#bytes;
    const end = this.#end;
    let at = skipWhiteSpace(bytes, this.#at, end);
    if (at < end && bytes[at] === CLOSE_BRACE) {
      this.#at = at + 1;
      return false;
    }
    if (this.#begun) {
      if (at >= end || bytes[at] !== COMMA) throw unexpected(bytes, at, end, '"," or "}"');
      at = skipWhiteSpace(bytes, at + 1, end);
    }
    this.#begun = true;
    if (at >= end || bytes[at] !== QUOTE) throw unexpected(bytes, at, end, 'the name of a member');
    this.nameStart = at + 1;
    at = skipString(bytes, at, end);
    this.nameEnd = at - 1;
    at = skipWhiteSpace(bytes, at, end);
    if (at >= end || bytes[at] !== COLON) throw unexpected(bytes, at, end, '":"');
    at = skipWhiteSpace(bytes, at + 1, end);
    this.valueStart = at;
    this.#at = skipValue(bytes, at, end);
    this.valueEnd = this.#at;
    return true;
  }

  /** The position after the closing brace, once `next` has returned false. */
  get end(): number {
    return this.#at;
  }
}
