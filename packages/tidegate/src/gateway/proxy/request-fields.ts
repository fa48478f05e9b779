import type { Headers, HttpRequest } from '../../listeners/port.ts';
import type { FieldLines } from '../../wire/http1/index.ts';
import type { ForwardChanges } from '../cache/index.ts';
import { connectionOptions, isAmong, isHopByHop, namesByLength } from '../origin/hop-by-hop.ts';
import { linesOfPairs } from '../origin/request-lines.ts';

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
const REWRITTEN = namesByLength([
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

/** What is added to the fields of a request, and where Host comes from. */
export interface RequestFieldTerms {
  readonly rules: RequestFieldRules;
  /** The Host that the origin gets; null for the client's. */
  readonly hostName: string | null;
  /** What the gateway says of this one request, right behind Host: names and values in turn. */
  readonly told: readonly string[];
  /** What the cache wants of a request that is made on its behalf. */
  readonly changes: ForwardChanges | null;
}

/**
 * The fields of a request as the origin gets them: names and values in turn. What the client says of those before it is not passed on: it may be
 * the client's own invention. What trusted proxies say of it is, with the proxies behind it.
 */
export function requestFields(request: HttpRequest, terms: RequestFieldTerms): string[] {
  const { headers, host, scheme } = request;
  const { rules, changes } = terms;
  const pairs = ['Host', terms.hostName ?? host, ...terms.told];
  const named = connectionOptions(headers);
  for (let index = 0; index < headers.count; index++) {
    if (isPassed(headers, index, named, rules, changes))
      pairs.push(headers.spelledName(index), headers.value(index));
  }
  pairs.push('X-Forwarded-For', wayOf(request), 'X-Forwarded-Proto', scheme);
  if (host !== '') pairs.push('X-Forwarded-Host', host);
  pairs.push('Forwarded', forwardedOf(request), 'Via', viaOf(request, rules));
  for (const part of rules.add) pairs.push(part);
  for (const [name, value] of changes?.add ?? []) pairs.push(name, value);
  // The last one, where whoever frames the request looks for it.
  if (acceptsTrailers(headers)) pairs.push('TE', 'trailers');
  return pairs;
}

/**
 * The same as lines of HTTP/1, each with its CRLF. What is passed on is cut out of the request's head as it stands there, which is most of it.
 * @param headers those of the request, which are plain
 * @param hostName the Host that the origin gets
 */
export function requestLines(
  request: HttpRequest,
  headers: FieldLines,
  { rules, told, changes }: RequestFieldTerms,
  hostName: string,
): string {
  const { host, scheme } = request;
  const named = connectionOptions(headers);
  let lines = `Host: ${hostName}\r\n`;
  lines += linesOfPairs(told);
  let from = 0;
  for (let index = 0; index < headers.count; index++) {
    if (isPassed(headers, index, named, rules, changes)) continue;
    if (from < index) lines += headers.lines(from, index);
    from = index + 1;
  }
  if (from < headers.count) lines += headers.lines(from, headers.count);
  lines += `X-Forwarded-For: ${wayOf(request)}\r\nX-Forwarded-Proto: ${scheme}\r\n`;
  if (host !== '') lines += `X-Forwarded-Host: ${host}\r\n`;
  lines += `Forwarded: ${forwardedOf(request)}\r\nVia: ${viaOf(request, rules)}\r\n`;
  lines += linesOfPairs(rules.add);
  for (const [name, value] of changes?.add ?? []) lines += `${name}: ${value}\r\n`;
  if (acceptsTrailers(headers)) lines += 'TE: trailers\r\nConnection: TE\r\n';
  return lines;
}

/** Whether the origin gets field `index` as it came. `named` are those that Connection names. */
function isPassed(
  headers: Headers,
  index: number,
  named: ReadonlySet<string> | null,
  rules: RequestFieldRules,
  changes: ForwardChanges | null,
): boolean {
  if (isHopByHop(headers, index) || isAmong(REWRITTEN, headers, index)) return false;
  if (named?.has(headers.name(index)) === true) return false;
  if (rules.speaksGrip === 'yes' && isForGateway(headers.name(index))) return false;
  return (rules.remove.size === 0 && changes === null) || !isRemoved(headers.name(index), rules, changes);
}

/** RFC 9110, section 7.6.3. */
function viaOf({ headers, majorVersion, minorVersion }: HttpRequest, { viaName }: RequestFieldRules): string {
  const here = `${majorVersion}.${minorVersion} ${viaName}`;
  return headers.get('via') === undefined ? here : `${headers.all('via').join(', ')}, ${here}`;
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

/** The last one that was asked for: the requests of a gateway name few hosts. */
let lastQuoted = { host: '', text: '""' };

/** A host as the value of a parameter. */
function quoted(host: string): string {
  if (host !== lastQuoted.host)
    lastQuoted = { host, text: TOKEN.test(host) ? host : `"${host.replace(/["\\]/g, '\\$&')}"` };
  return lastQuoted.text;
}

/** The addresses on the way here, the client's first. */
function wayOf({ remoteAddress, proxies }: HttpRequest): string {
  return proxies.length === 0 ? remoteAddress : [remoteAddress, ...proxies].join(', ');
}

/** RFC 7239, section 4: what the client asked, and then the proxies on the way here. */
function forwardedOf({ remoteAddress, host, scheme, proxies }: HttpRequest): string {
  const hostPair = host === '' ? '' : `;host=${quoted(host)}`;
  let elements = `for=${nodeOf(remoteAddress)}${hostPair};proto=${scheme}`;
  for (const proxy of proxies) elements += `, for=${nodeOf(proxy)}`;
  return elements;
}

/** Section 6: an IPv6 address stands in brackets and quotes. */
function nodeOf(address: string): string {
  if (address === '') return 'unknown';
  return address.includes(':') ? `"[${address}]"` : address;
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
