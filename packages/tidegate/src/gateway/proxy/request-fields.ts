import type { Headers, HttpRequest } from '../../listeners/port.ts';
import type { ForwardChanges } from '../cache/index.ts';
import { connectionOptions, isHopByHop } from '../origin/hop-by-hop.ts';

/** What a route does to the fields of a request. */
export interface RequestFieldRules {
  /** Names in lower case that are not passed on. */
  readonly remove: ReadonlySet<string>;
  /** Names and values in turn, behind those of the client; their names are in `remove`. */
  readonly add: readonly string[];
  /** How this gateway is called on the way (RFC 9110, section 7.6.3), such as `tidegate-4f2a`. */
  readonly viaName: string;
  /** Whether the origin believes what only a gateway may say to it, so that clients must not. */
  readonly speaksGrip: 'yes' | 'no';
}

/** Names that are written anew for each hop: those of the way here, and what the gateway decides itself. */
const REWRITTEN = new Set([
  'expect',
  'forwarded',
  'host',
  'http2-settings',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-real-ip',
]);
const REWRITTEN_LENGTHS = new Set([...REWRITTEN].map((name) => name.length));

/**
 * The fields of a request as the origin gets them: names and values in turn. What the client says of those before it is not passed on: it may be
 * the client's own invention.
 * @param hostName the Host that the origin gets; null for the client's
 * @param changes what the cache wants of a request that is made on its behalf
 */
export function requestFields(
  request: HttpRequest,
  rules: RequestFieldRules,
  hostName: string | null,
  changes: ForwardChanges | null,
): string[] {
  const { headers, host, remoteAddress, scheme } = request;
  const pairs = ['Host', hostName ?? host];
  const named = connectionOptions(headers);
  const removesAny = rules.remove.size > 0 || changes !== null;
  for (let index = 0; index < headers.count; index++) {
    if (isHopByHop(headers, index)) continue;
    const length = headers.nameLength(index);
    if (REWRITTEN_LENGTHS.has(length) && REWRITTEN.has(headers.name(index))) continue;
    if (named?.has(headers.name(index)) === true) continue;
    if (rules.speaksGrip === 'yes' && isForGateway(headers.name(index))) continue;
    if (removesAny && isRemoved(headers.name(index), rules, changes)) continue;
    pairs.push(headers.spelledName(index), headers.value(index));
  }
  pairs.push('X-Forwarded-For', remoteAddress, 'X-Forwarded-Proto', scheme);
  if (host !== '') pairs.push('X-Forwarded-Host', host);
  pairs.push('Forwarded', forwardedElement(remoteAddress, host, scheme));
  const earlier = headers.all('via').join(', ');
  const here = `${request.majorVersion}.${request.minorVersion} ${rules.viaName}`;
  pairs.push('Via', earlier === '' ? here : `${earlier}, ${here}`);
  for (const part of rules.add) pairs.push(part);
  for (const [name, value] of changes?.add ?? []) pairs.push(name, value);
  // The last one, where whoever frames the request looks for it.
  if (acceptsTrailers(headers)) pairs.push('TE', 'trailers');
  return pairs;
}

/**
 * What only a gateway says to an origin that speaks GRIP; and what would have it compress what the gateway has to read.
 */
function isForGateway(name: string): boolean {
  return (
    name.startsWith('grip-') ||
    name.startsWith('meta-') ||
    name === 'connection-id' ||
    name === 'accept-encoding'
  );
}

function isRemoved(name: string, rules: RequestFieldRules, changes: ForwardChanges | null): boolean {
  return rules.remove.has(name) || changes?.remove.has(name) === true;
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** RFC 7239, section 4. An IPv6 address stands in brackets and quotes (section 6). */
function forwardedElement(address: string, host: string, scheme: string): string {
  const node = address.includes(':') ? `"[${address}]"` : address === '' ? 'unknown' : address;
  const quotedHost = TOKEN.test(host) ? host : `"${host.replace(/["\\]/g, '\\$&')}"`;
  return host === '' ? `for=${node};proto=${scheme}` : `for=${node};host=${quotedHost};proto=${scheme}`;
}

/** RFC 9110, section 10.1.4. */
function acceptsTrailers(headers: Headers): boolean {
  const te = headers.get('te');
  return te?.split(',').some((coding) => coding.trim().toLowerCase() === 'trailers') === true;
}

/** Whether a request has come through this gateway before. */
export function hasPassed(headers: Headers, viaName: string): boolean {
  const via = headers.get('via');
  return via !== undefined && headers.all('via').some((value) => value.includes(viaName));
}
