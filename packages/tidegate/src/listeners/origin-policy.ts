import { isIPv4 } from 'node:net';
import { isLoopback } from './loopback.ts';
import type { HttpRequest } from './port.ts';

/**
 * Which web pages may use a server that listens on loopback.
 *
 * A browser lets any page send requests to http://127.0.0.1:8080: simple POSTs and WebSocket handshakes are not even
 * asked for first, and only the reading of answers is guarded. So the server refuses what it can recognise:
 *
 * - A request with `Origin` comes from a page. Its origin must be listed, or be the server's own.
 * - "Its own" means that Origin and Host agree, which is not enough: with DNS rebinding, the name of an attacker's
 *   page, evil.example, is made to resolve to 127.0.0.1 after the page was loaded. The page then is of the same origin
 *   as the server in the browser's eyes, and Origin and Host agree on evil.example. Hence Host must also be a name
 *   that nobody else can own: a loopback name.
 * - Such a page reads by GET without any Origin, because to the browser it is not a cross-origin request. What gives it
 *   away is Host, which pages cannot set: a domain name that is neither a loopback name nor the host of a listed
 *   origin is refused. IP addresses cannot be rebound, and clients that are no browsers use those or localhost.
 *
 * Over TLS the browser has compared the name with the certificate before it sends anything, and nobody has one for
 * evil.example that we could show: there a page of the same origin is one of the server's own, whatever its name.
 */
export class OriginPolicy {
  readonly #origins: ReadonlySet<string>;
  readonly #hostNames: ReadonlySet<string>;
  readonly #allowsAny: boolean;

  /** Origins such as `https://app.example.com`; `*` stands for any. */
  constructor(origins: readonly string[]) {
    this.#origins = new Set(origins.map((origin) => origin.toLowerCase()));
    this.#hostNames = new Set(
      [...this.#origins].map((origin) => hostName(origin.replace(/^[a-z]+:\/\//, ''))),
    );
    this.#allowsAny = this.#origins.has('*');
  }

  /** Whether a request with these values of Origin and Host is let in; undefined stands for an absent field. */
  allows(origin: string | undefined, host: string | undefined, asked: Pick<HttpRequest, 'scheme'>): boolean {
    if (this.#allowsAny) return true;
    if (origin === undefined) {
      return (
        host === undefined || this.#isTrustedHost(hostName(host.toLowerCase())) || asked.scheme === 'https'
      );
    }
    const lower = origin.toLowerCase();
    if (this.#origins.has(lower)) return true;
    if (host === undefined) return false;
    const own = host.toLowerCase();
    if (asked.scheme === 'https') return lower === `https://${own.replace(/:(?:443)?$/, '')}`;
    return isLoopback(hostName(own)) && lower === `http://${own.replace(/:(?:80)?$/, '')}`;
  }

  #isTrustedHost(name: string): boolean {
    return name.startsWith('[') || isIPv4(name) || isLoopback(name) || this.#hostNames.has(name);
  }
}

/** A host without its port. */
function hostName(host: string): string {
  return host.startsWith('[') ? host.slice(0, host.indexOf(']') + 1) : host.replace(/:.*$/, '');
}
