import { TidegateError } from '../../kernel/index.ts';
import { parseFieldLines } from './field-lines.ts';

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

/** Checks a trailer section with its empty line. Its fields are dropped, as section 6.5.1 allows. */
export function assertTrailers(text: string, fieldsMax: number): void {
  const fields = parseFieldLines(text, 0, fieldsMax);
  for (let index = 0; index < fields.count; index++) {
    const name = fields.name(index);
    if (FORBIDDEN.has(name))
      throw new TidegateError('http_malformed', `${name} is not allowed as a trailer.`);
  }
}
