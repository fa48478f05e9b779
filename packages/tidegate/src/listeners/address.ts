import { isIPv4, isIPv6, SocketAddress } from 'node:net';

const MAPPED = '::ffff:';

/**
 * An address in the one form that stands for it: IPv6 shortened and in lower case (RFC 5952), IPv4 that was mapped into it (RFC 4291, section
 * 2.5.5.2) as IPv4. A zone is left out, which means nothing on other machines. Null if it is no address.
 */
export function normalAddress(text: string): string | null {
  if (isIPv4(text)) return text;
  if (!isIPv6(text)) return null;
  const { address } = new SocketAddress({ address: text, family: 'ipv6' });
  const last = address.slice(MAPPED.length);
  return address.startsWith(MAPPED) && isIPv4(last) ? last : address;
}

/** Node of RFC 7239, section 6, where it has an address: with a port or without, IPv6 in brackets. */
const NODE = /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::(?:[0-9]{1,5}|_[A-Za-z0-9._-]+))?$/;

/** The address that a proxy names, as `normalAddress` gives it: bare, or with a port. Null if there is none that can be read. */
export function addressOfNode(node: string): string | null {
  const match = NODE.exec(node);
  if (match === null) return node.includes('%') ? null : normalAddress(node);
  return normalAddress(match[1] ?? match[2]);
}

/** Addresses that begin with the same bits. */
export interface AddressRange {
  readonly address: string;
  readonly family: 'ipv4' | 'ipv6';
  /** How many bits: 32 or 128 for a single address. */
  readonly prefixBits: number;
}

const BITS = { ipv4: 32, ipv6: 128 } as const;
/** How many bits of a mapped address stand before those of IPv4. */
const MAPPED_BITS = 96;

/** Reads an address, or a range as `10.0.0.0/8` or `2001:db8::/32` (RFC 4632, section 3.1; RFC 4291, section 2.3); null if it is neither. */
export function readAddressRange(text: string): AddressRange | null {
  const [written, bits, ...rest] = text.split('/');
  const address = written.includes('%') ? null : normalAddress(written);
  if (address === null || rest.length > 0) return null;
  const family = isIPv4(address) ? 'ipv4' : 'ipv6';
  if (bits === undefined) return { address, family, prefixBits: BITS[family] };
  if (!/^(?:0|[1-9][0-9]{0,2})$/.test(bits)) return null;
  const isMapped = family === 'ipv4' && !isIPv4(written);
  const prefixBits = isMapped ? Number(bits) - MAPPED_BITS : Number(bits);
  return prefixBits < 0 || prefixBits > BITS[family] ? null : { address, family, prefixBits };
}
