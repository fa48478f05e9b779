import { isIPv4, isIPv6 } from 'node:net';
import { TidegateError } from '../kernel/index.ts';

/**
 * Whether a host, as it is listened on or named in a URL, is this machine and nothing else: an address of 127.0.0.0/8, ::1
 * (with brackets or without), `localhost` or a name below it (RFC 6761, section 6.3).
 */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, '');
  if (name === 'localhost' || name.endsWith('.localhost')) return true;
  const address = name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name;
  if (isIPv4(address)) return address.startsWith('127.');
  // The many spellings of ::1 and of mapped addresses are not worth a parser: what is not written plainly is not trusted.
  return isIPv6(address) && (address === '::1' || address.startsWith('::ffff:127.'));
}

/**
 * Refuses, with `listen_refused`, an address that others can reach: for a server that asks for no credentials, so that they could read and
 * publish everything.
 */
export function assertListenable(host: string): void {
  if (isLoopback(host)) return;
  throw new TidegateError(
    'listen_refused',
    `${host === '' ? 'Every address' : host} can be reached from other machines, and no key or issuer is configured.`,
  );
}
