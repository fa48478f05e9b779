import { type Directives, readDirectives, secondsOf } from './cache-control.ts';
import type { ForwardReason } from './cache-status.ts';
import type { CacheRule } from './options.ts';
import type { CacheRequest, ForwardChanges } from './port.ts';

/** On which terms a client takes what is stored (RFC 9111, section 5.2.1). */
export interface RequestTerms {
  /** The origin has to be asked. */
  readonly asksOrigin: boolean;
  /** Nothing of the exchange may be stored. */
  readonly forbidsStoring: boolean;
  readonly onlyIfCached: boolean;
  /** How old a response may be; Infinity for any age. */
  readonly maxAgeMs: number;
  /** How long a response has to be fresh from now on. */
  readonly minFreshMs: number;
  /** For how long a response may be stale; 0 if not at all. */
  readonly maxStaleMs: number;
  readonly isAuthorized: boolean;
}

const PLAIN: RequestTerms = {
  asksOrigin: false,
  forbidsStoring: false,
  onlyIfCached: false,
  maxAgeMs: Number.POSITIVE_INFINITY,
  minFreshMs: 0,
  maxStaleMs: 0,
  isAuthorized: false,
};
const PLAIN_AUTHORIZED: RequestTerms = { ...PLAIN, isAuthorized: true };

/** The terms of a request. Nearly all have the plain ones, which are there already. */
export function termsOf({ headers }: CacheRequest, rule: CacheRule): RequestTerms {
  const isAuthorized = headers.get('authorization') !== undefined;
  const plain = isAuthorized ? PLAIN_AUTHORIZED : PLAIN;
  if (headers.get('cache-control') === undefined) {
    // RFC 9111, section 5.4: the older way to say no-cache, where Cache-Control says nothing.
    const pragma = rule.clientNoCache === 'ignore' ? undefined : headers.get('pragma');
    return pragma?.toLowerCase().includes('no-cache') ? { ...plain, asksOrigin: true } : plain;
  }
  const directives = readDirectives(headers);
  const told = {
    ...plain,
    forbidsStoring: directives.has('no-store'),
    onlyIfCached: directives.has('only-if-cached'),
    maxStaleMs: maxStaleOf(directives),
  };
  if (rule.clientNoCache === 'ignore') return told;
  return {
    ...told,
    asksOrigin: directives.has('no-cache'),
    maxAgeMs: boundOf(directives, 'max-age', plain.maxAgeMs),
    minFreshMs: boundOf(directives, 'min-fresh', plain.minFreshMs),
  };
}

/** An argument that cannot be read is ignored: the client has asked for nothing in particular. */
function boundOf(directives: Directives, name: string, otherwise: number): number {
  const seconds = secondsOf(directives, name);
  return typeof seconds === 'number' ? seconds * 1000 : otherwise;
}

/** RFC 9111, section 5.2.1.2: without an argument, any age will do. */
function maxStaleOf(directives: Directives): number {
  if (directives.get('max-stale') === '') return Number.POSITIVE_INFINITY;
  return boundOf(directives, 'max-stale', 0);
}

/** Fields by which some frameworks take a request for one of another method. */
const METHOD_OVERRIDES = ['x-http-method-override', 'x-http-method', 'x-method-override'];

/** Why a request has nothing to do with the cache; null if it has. */
export function bypassReason(request: CacheRequest, rule: CacheRule): ForwardReason | null {
  const { method, headers } = request;
  if (method !== 'GET' && method !== 'HEAD') return 'method';
  if (request.content === 'some') return 'bypass';
  // RFC 9111, section 4.3.2: these are for the origin alone to judge.
  if (headers.get('if-match') !== undefined || headers.get('if-unmodified-since') !== undefined)
    return 'request';
  for (const name of METHOD_OVERRIDES) if (headers.get(name) !== undefined) return 'bypass';
  if (rule.authorization === 'bypass' && headers.get('authorization') !== undefined) return 'bypass';
  return null;
}

/** Fields of a client whose answer would be to its own conditions and not to the cache's. */
const CONDITIONS = ['if-none-match', 'if-modified-since', 'if-range', 'range'];

/**
 * Fields that are part of no key and by which origins are known to choose or to write their answer. One client could have a response of its
 * making stored for all others. The gateway adds its own Forwarded and X-Forwarded fields, which come of the key.
 */
const UNKEYED = [
  'forwarded',
  'front-end-https',
  'x-forwarded-host',
  'x-forwarded-path',
  'x-forwarded-port',
  'x-forwarded-prefix',
  'x-forwarded-proto',
  'x-forwarded-protocol',
  'x-forwarded-scheme',
  'x-forwarded-server',
  'x-forwarded-ssl',
  'x-host',
  'x-http-host-override',
  'x-original-host',
  'x-original-uri',
  'x-original-url',
  'x-rewrite-url',
  'x-url-scheme',
];

/** What is not forwarded of a request whose answer may be shared, unless it is part of the key. */
export function unforwarded(keyNames: readonly string[]): ReadonlySet<string> {
  return new Set([...CONDITIONS, ...UNKEYED.filter((name) => !keyNames.includes(name))]);
}

/** How a request is forwarded that validates a stored response, or none (RFC 9111, section 4.3.1). */
export function changesFor(
  remove: ReadonlySet<string>,
  validators: { readonly etag: string | undefined; readonly lastModified: string | undefined } | null,
): ForwardChanges {
  if (validators?.etag !== undefined) return { remove, add: [['if-none-match', validators.etag]] };
  if (validators?.lastModified !== undefined)
    return { remove, add: [['if-modified-since', validators.lastModified]] };
  return { remove, add: [] };
}
