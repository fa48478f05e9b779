import { BlockList, isIPv4 } from 'node:net';
import { TidegateError } from '../kernel/index.ts';
import { assertHost, type ForwardedElement, parseForwarded } from '../wire/http1/index.ts';
import { addressOfNode, readAddressRange } from './address.ts';
import type { TrustedField } from './options.ts';
import type { Headers } from './port.ts';

/** Where a request comes from that trusted proxies have passed on. */
export interface RequestSource {
  /** The client's address: the last one on the way here that is not a trusted proxy's. */
  readonly remoteAddress: string;
  /** The scheme by which the client asked. */
  readonly scheme: 'http' | 'https';
  /** The host that the client asked for. */
  readonly host: string;
  /** The trusted proxies on the way, the one that made the connection last. */
  readonly proxies: readonly string[];
}

/** A request as the proxy sent it. */
export interface ProxiedRequest {
  readonly headers: Headers;
  readonly scheme: 'http' | 'https';
  readonly host: string;
}

/** The load balancers that are believed what they say of their clients, and which of their fields say it. */
export class TrustedProxies {
  readonly #ranges = new BlockList();
  readonly #fields: ReadonlySet<TrustedField>;

  private constructor(ranges: readonly string[], fields: readonly TrustedField[]) {
    this.#fields = new Set(fields);
    for (const text of ranges) {
      const range = readAddressRange(text);
      // The config has been checked before.
      if (range === null) throw new TidegateError('config_invalid', `${text} is no address and no range.`);
      this.#ranges.addSubnet(range.address, range.prefixBits, range.family);
    }
  }

  /** Null if nobody is trusted. */
  static of(ranges: readonly string[], fields: readonly TrustedField[]): TrustedProxies | null {
    return ranges.length === 0 ? null : new TrustedProxies(ranges, fields);
  }

  /** Whether an address, as `normalAddress` gives it, is a trusted proxy's. */
  include(address: string): boolean {
    return this.#ranges.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
  }

  /**
   * Where a request comes from. The way is followed from here towards the client for as long as trusted proxies tell of it. What stands before the
   * first address that is not one of theirs was written by who knows whom, and is not looked at.
   * @param peer the trusted proxy that made the connection
   * @throws TidegateError proxy_fields_invalid, if what a proxy says can be read in no way, or in several
   */
  sourceOf(request: ProxiedRequest, peer: string): RequestSource {
    return this.#fields.has('forwarded')
      ? this.#byForwarded(request, peer)
      : this.#byXForwarded(request, peer);
  }

  #byXForwarded({ headers, scheme, host }: ProxiedRequest, peer: string): RequestSource {
    const isRead = (field: TrustedField): boolean => this.#fields.has(field);
    const way = new Way(peer);
    const nodes = isRead('x-forwarded-for') ? headers.all('x-forwarded-for').join(',').split(',') : [];
    for (let at = nodes.length - 1; at >= 0 && this.include(way.client); at--) {
      const node = nodes[at].trim();
      if (node === '') continue;
      const address = addressOfNode(node);
      if (address === null) break;
      way.goOn(address);
    }
    const proto = isRead('x-forwarded-proto') ? onlyValue(headers, 'X-Forwarded-Proto') : null;
    const asked = isRead('x-forwarded-host') ? onlyValue(headers, 'X-Forwarded-Host') : null;
    return way.source(proto === null ? scheme : schemeOf(proto), asked === null ? host : hostOf(asked));
  }

  #byForwarded({ headers, scheme, host }: ProxiedRequest, peer: string): RequestSource {
    const elements = headers.all('forwarded').flatMap(parseForwarded);
    const way = new Way(peer);
    /** What the proxy says that the client itself asked. */
    let first: ForwardedElement | null = null;
    for (let at = elements.length - 1; at >= 0 && this.include(way.client); at--) {
      first = elements[at];
      const address = first.for === null ? null : addressOfNode(first.for);
      if (address === null) break;
      way.goOn(address);
    }
    const { proto = null, host: asked = null } = first ?? {};
    return way.source(proto === null ? scheme : schemeOf(proto), asked === null ? host : hostOf(asked));
  }
}

/** The way of a request, as far as it is known. */
class Way {
  /** Who has sent the request to the proxy that was reached last; at first, to this server. */
  client: string;
  readonly #proxies: string[] = [];

  constructor(peer: string) {
    this.client = peer;
  }

  /** Who has been the client so far is a proxy, and has the request from `address`. */
  goOn(address: string): void {
    this.#proxies.push(this.client);
    this.client = address;
  }

  source(scheme: 'http' | 'https', host: string): RequestSource {
    return { remoteAddress: this.client, scheme, host, proxies: this.#proxies.reverse() };
  }
}

/** The value of a field that a proxy sets and none adds to; null if there is none. */
function onlyValue(headers: Headers, name: string): string | null {
  const values = headers.all(name.toLowerCase());
  if (values.length === 0) return null;
  const [value] = values;
  if (values.length > 1 || value.includes(','))
    throw invalid(`${name} has several values: the proxy has to set it, whatever it has been sent.`);
  return value.trim();
}

/** Some proxies name the scheme of a WebSocket (RFC 6455, section 3), which is that of the handshake by another name. */
const SCHEMES: ReadonlyMap<string, 'http' | 'https'> = new Map([
  ['http', 'http'],
  ['https', 'https'],
  ['ws', 'http'],
  ['wss', 'https'],
]);

function schemeOf(proto: string): 'http' | 'https' {
  const scheme = SCHEMES.get(proto.toLowerCase());
  if (scheme === undefined) throw invalid('The scheme that the proxy names is neither http nor https.');
  return scheme;
}

function hostOf(text: string): string {
  try {
    assertHost(text);
  } catch (error) {
    throw new TidegateError('proxy_fields_invalid', 'The host that the proxy names is not a valid host.', {
      cause: error,
    });
  }
  return text;
}

const invalid = (detail: string): TidegateError => new TidegateError('proxy_fields_invalid', detail);
