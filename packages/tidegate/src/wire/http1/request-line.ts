import { TidegateError } from '../../kernel/index.ts';
import { assertHost } from './host.ts';
import { CR, LF, OCTETS, SPACE, TARGET, TOKEN } from './octets.ts';

const SLASH = 0x2f;
const ONE = 0x31;
const ZERO = 0x30;

export interface RequestLine {
  readonly method: string;
  /** In origin form, or `*`. */
  readonly target: string;
  /** The host and port of a target that was sent in absolute form; null otherwise. */
  readonly authority: string | null;
  /** 0 or 1: the minor version of HTTP/1. */
  readonly minorVersion: number;
  /** Where the field lines begin. */
  readonly end: number;
}

/**
 * Reads the request line.
 *
 *     request-line = method SP request-target SP HTTP-version CRLF      (RFC 9112, section 3)
 *
 * Exactly one space stands between the parts. The section lets a server be lenient about white space, and says what
 * that has led to (section 11.2): so this one is not.
 */
export function parseRequestLine(text: string, targetBytesMax: number): RequestLine {
  let at = 0;
  while ((OCTETS[text.charCodeAt(at)] & TOKEN) !== 0) at++;
  if (at === 0 || text.charCodeAt(at) !== SPACE) throw malformed('The method is not a token and one space.');
  const method = text.slice(0, at);

  const targetStart = ++at;
  while ((OCTETS[text.charCodeAt(at)] & TARGET) !== 0) at++;
  if (at - targetStart > targetBytesMax) {
    throw new TidegateError('http_target_too_long', `The target is longer than ${targetBytesMax} bytes.`);
  }
  if (at === targetStart || text.charCodeAt(at) !== SPACE) {
    throw malformed('The request target is not visible ASCII characters without # and one space.');
  }
  const targetEnd = at++;

  const minorVersion = parseVersion(text, at);
  at += 8;
  if (text.charCodeAt(at) !== CR || text.charCodeAt(at + 1) !== LF) {
    throw malformed('The request line does not end with CRLF after the version.');
  }
  const end = at + 2;

  const sent = text.slice(targetStart, targetEnd);
  if (sent.charCodeAt(0) === SLASH) return { method, target: sent, authority: null, minorVersion, end };
  return { method, ...otherForm(method, sent), minorVersion, end };
}

/** Whether a text may be a request target, of whatever form; the same octets count on every version of HTTP. */
export function isTarget(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const octet = text.charCodeAt(at);
    if (octet > 0xff || (OCTETS[octet] & TARGET) === 0) return false;
  }
  return text !== '';
}

/** `HTTP-version = "HTTP" "/" DIGIT "." DIGIT`, in capitals only (RFC 9112, section 2.3). */
function parseVersion(text: string, at: number): number {
  if (text.startsWith('HTTP/1.', at)) {
    const minor = text.charCodeAt(at + 7);
    if (minor === ONE) return 1;
    if (minor === ZERO) return 0;
  }
  const version = text.slice(at, at + 8);
  if (/^HTTP\/[0-9]\.[0-9]$/.test(version)) {
    throw new TidegateError('http_version_unsupported', `The request says ${version}.`);
  }
  throw malformed('The request line has no valid HTTP version.');
}

/** The three rarer forms of a target (RFC 9112, sections 3.2.2 to 3.2.4). */
function otherForm(method: string, sent: string): { target: string; authority: string | null } {
  if (method === 'CONNECT') {
    throw new TidegateError('http_method_not_allowed', 'This server makes no tunnels.');
  }
  if (sent === '*') {
    if (method === 'OPTIONS') return { target: '*', authority: null };
    throw malformed('Only OPTIONS has the target *.');
  }
  const match = /^http:\/\/([^/?]*)(.*)$/i.exec(sent);
  if (match === null) throw malformed('The request target is neither a path nor an http URI.');
  const [, authority, rest] = match;
  assertHost(authority);
  return { target: rest.startsWith('/') ? rest : `/${rest}`, authority };
}

function malformed(detail: string): TidegateError {
  return new TidegateError('http_malformed', detail);
}
