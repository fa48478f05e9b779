import { TidegateError } from '../../kernel/index.ts';
import { DIGIT, HEX_DIGIT, HOST, IP_LITERAL, OCTETS } from './octets.ts';

const OPENING_BRACKET = 0x5b;
const CLOSING_BRACKET = 0x5d;
const COLON = 0x3a;
const PERCENT = 0x25;
const PORT_MAX = 65_535;

/**
 * Checks the value of Host, or the authority of a target in absolute form.
 *
 *     Host = uri-host [ ":" port ]      (RFC 9110, section 7.2; uri-host is the host of RFC 3986)
 *
 * An empty host is refused: an http URI has one (RFC 9110, section 4.2.1). So are user names, which belong to no
 * request and make a host look like another.
 */
export function assertHost(value: string): void {
  const hostEnd = value.charCodeAt(0) === OPENING_BRACKET ? endOfIpLiteral(value) : endOfName(value);
  if (hostEnd === value.length) return;
  if (value.charCodeAt(hostEnd) !== COLON) throw invalid();
  let port = 0;
  for (let at = hostEnd + 1; at < value.length; at++) {
    const octet = value.charCodeAt(at);
    if ((OCTETS[octet] & DIGIT) === 0) throw invalid();
    port = port * 10 + (octet - 0x30);
    if (port > PORT_MAX) throw invalid();
  }
}

function endOfName(value: string): number {
  let at = 0;
  while ((OCTETS[value.charCodeAt(at)] & HOST) !== 0) {
    if (value.charCodeAt(at) === PERCENT && !(isHex(value, at + 1) && isHex(value, at + 2))) throw invalid();
    at++;
  }
  if (at === 0) throw invalid();
  return at;
}

function endOfIpLiteral(value: string): number {
  let at = 1;
  while ((OCTETS[value.charCodeAt(at)] & IP_LITERAL) !== 0) at++;
  if (at < 4 - 1 || value.charCodeAt(at) !== CLOSING_BRACKET) throw invalid();
  return at + 1;
}

function isHex(value: string, at: number): boolean {
  return (OCTETS[value.charCodeAt(at)] & HEX_DIGIT) !== 0;
}

function invalid(): TidegateError {
  return new TidegateError('http_malformed', 'Host is not a valid host with an optional port.');
}

/** Whether two valid hosts are the same for http: letters in either case, port 80 written or not. */
export function sameHost(one: string, other: string): boolean {
  return withoutDefaultPort(one) === withoutDefaultPort(other);
}

function withoutDefaultPort(host: string): string {
  return host.toLowerCase().replace(/:(?:80)?$/, '');
}
