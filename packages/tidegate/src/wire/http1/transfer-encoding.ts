import { TidegateError } from '../../kernel/index.ts';

const TOKENS_THEN_CHUNKED = /^(?:[!#$%&'*+.^_`|~0-9a-z-]+[ \t]*,[ \t]*)+chunked$/i;

/**
 * Checks the value of a request's only Transfer-Encoding field: nothing but one final `chunked` is taken. Whatever else
 * frames the body in a way that the next server may read differently (RFC 9112, sections 6.1 and 6.3).
 */
export function assertChunked(value: string): void {
  if (value.length === 7 && value.toLowerCase() === 'chunked') return;
  const codings = TOKENS_THEN_CHUNKED.test(value) ? value.toLowerCase().split(',') : [];
  if (codings.filter((coding) => coding.trim() === 'chunked').length === 1) {
    throw new TidegateError('http_transfer_coding_unsupported', `The body is encoded as ${value}.`);
  }
  throw new TidegateError('http_ambiguous', 'The transfer coding is not one final chunked.');
}
