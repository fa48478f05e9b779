import { isUtf8 } from 'node:buffer';
import { hash } from 'node:crypto';
import { TidegateError } from '../../kernel/index.ts';
import { fieldOf } from './failure.ts';
import type { OriginResponse } from './port.ts';

/** One version of a value. */
export interface LiveValue {
  /**
   * Derived from the text alone, so that every process, before and after a restart, gives the same version the same id: 128 bits of
   * its SHA-256, in base64url.
   */
  readonly id: string;
  /** The JSON as the origin wrote it, but in one line: numbers keep their digits, and members their order. */
  readonly text: string;
  readonly json: unknown;
  /** Some integer of it has digits that a double does not hold, and that `json` has lost. */
  readonly isInexact: boolean;
}

/** The characters of 16 bytes in base64url. */
const ID_LENGTH = 22;

const BYTE_ORDER_MARK = '\ufeff';
const LINE_BREAKS = /[\r\n]+/g;
/** Integers that may be beyond 2^53, which has 16 digits. */
const LONG_INTEGERS = /(?<![\d.eE+"\w])-?\d{16,}(?![\d.eE"\w])/g;

/** The text of an answer, in one line. @throws TidegateError live_value_invalid if it is too long, compressed, or not UTF-8 */
export function textOf({ headers, body }: OriginResponse, bytesMax: number): string {
  const coding = fieldOf(headers, 'content-encoding') ?? 'identity';
  if (coding !== 'identity') throw invalid('It is compressed, unasked.');
  if (body.length > bytesMax) throw invalid(`It has ${body.length} bytes.`);
  if (!isUtf8(body)) throw invalid('It is not UTF-8.');
  const text = body.toString('utf8');
  // RFC 8259, section 8.1: a mark may be ignored. Within strings line breaks are escaped, so that those here are only white space.
  const start = text.startsWith(BYTE_ORDER_MARK) ? 1 : 0;
  return text.slice(start).replaceAll(LINE_BREAKS, ' ').trim();
}

/** The id of the version with this text. */
export function idOf(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, ID_LENGTH);
}

/** @throws TidegateError live_value_invalid if the text is not JSON */
export function parseValue(id: string, text: string): LiveValue {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new TidegateError('live_value_invalid', 'It is not JSON.', { cause: error });
  }
  return { id, text, json, isInexact: hasInexactIntegers(text) };
}

/** A false alarm, from digits inside a string, costs a patch and nothing else. */
function hasInexactIntegers(text: string): boolean {
  for (const [digits] of text.matchAll(LONG_INTEGERS)) if (!Number.isSafeInteger(Number(digits))) return true;
  return false;
}

function invalid(detail: string): TidegateError {
  return new TidegateError('live_value_invalid', detail);
}
