import { TidegateError } from '../../kernel/index.ts';
import { CR, DIGIT, FIELD_VALUE, LF, OCTETS, SPACE } from './octets.ts';

const ONE = 0x31;
const ZERO = 0x30;

export interface StatusLine {
  /** 0 or 1: the minor version of HTTP/1. */
  readonly minorVersion: number;
  /** 100 to 599. */
  readonly status: number;
  /** The reason phrase as it was sent; often empty. */
  readonly reason: string;
  /** Where the field lines begin. */
  readonly end: number;
}

/**
 * Reads the status line.
 *
 *     status-line = HTTP-version SP status-code SP [ reason-phrase ] CRLF      (RFC 9112, section 4)
 *
 * The space after the code may be missing if there is no phrase: many servers leave it out, and nothing can be read into it.
 */
export function parseStatusLine(text: string): StatusLine {
  if (!text.startsWith('HTTP/1.')) throw malformed('The answer does not begin with HTTP/1.');
  const minor = text.charCodeAt(7);
  if ((minor !== ZERO && minor !== ONE) || text.charCodeAt(8) !== SPACE) {
    throw malformed('The version is not HTTP/1.0 or HTTP/1.1.');
  }
  let status = 0;
  for (let at = 9; at < 12; at++) {
    const octet = text.charCodeAt(at);
    if ((OCTETS[octet] & DIGIT) === 0) throw malformed('The status is not three digits.');
    status = status * 10 + (octet - ZERO);
  }
  if (status < 100 || status > 599) throw malformed(`There is no class of statuses with ${status}.`);
  let at = 12;
  let reason = '';
  if (text.charCodeAt(at) === SPACE) {
    const start = ++at;
    while ((OCTETS[text.charCodeAt(at)] & FIELD_VALUE) !== 0) at++;
    reason = text.slice(start, at);
  }
  if (text.charCodeAt(at) !== CR || text.charCodeAt(at + 1) !== LF) {
    throw malformed('The status line does not end with CRLF after the reason phrase.');
  }
  return { minorVersion: minor - ZERO, status, reason, end: at + 2 };
}

function malformed(detail: string): TidegateError {
  return new TidegateError('http_malformed', detail);
}
