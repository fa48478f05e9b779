import { TidegateError } from '../../kernel/index.ts';
import { type FieldLines, parseFieldLines } from './field-lines.ts';

/**
 * Fields that decide framing, routing, authentication or how the content is processed: they come too late in a
 * trailer section, and a server on the way that merges them into the head would see another request
 * (RFC 9110, section 6.5.1).
 */
const FORBIDDEN = new Set([
  'authorization',
  'cache-control',
  'connection',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'cookie',
  'expect',
  'host',
  'keep-alive',
  'max-forwards',
  'origin',
  'proxy-authorization',
  'range',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
]);

/**
 * What becomes of trailer fields that are not allowed: a request that has one is refused, as the server that reads it next may believe
 * it; of a response they are dropped, since its head is with the client already.
 */
export type TrailerRule = 'refuse' | 'drop';

/** Reads a trailer section with its empty line. */
export function parseTrailers(text: string, fieldsMax: number, rule: TrailerRule): FieldLines {
  const fields = parseFieldLines(text, 0, fieldsMax);
  if (rule === 'drop') return fields;
  for (let index = 0; index < fields.count; index++) {
    const name = fields.name(index);
    if (FORBIDDEN.has(name))
      throw new TidegateError('http_malformed', `${name} is not allowed as a trailer.`);
  }
  return fields;
}

/** Whether a trailer field of this name, in lower case, may be passed on. */
export const isPermittedTrailer = (name: string): boolean => !FORBIDDEN.has(name);

/** The fields of a trailer section that may be passed on: names and values in turn. */
export function permittedTrailers(fields: FieldLines): string[] {
  const pairs: string[] = [];
  for (let index = 0; index < fields.count; index++) {
    const name = fields.name(index);
    if (!FORBIDDEN.has(name)) pairs.push(name, fields.value(index));
  }
  return pairs;
}
