import CachePolicy from 'http-cache-semantics';
import type { Headers } from '../../listeners/port.ts';
import { combinedField, type Directives, readDirectives, secondsOf } from './cache-control.ts';
import type { CacheRule } from './options.ts';

/** For how long a stored response may be used how. All of it is decided when it is stored, so that a hit compares numbers. */
export interface Freshness {
  /** RFC 9111, section 4.2.1. */
  readonly lifetimeMs: number;
  /** The age that the response had when it came: its Age, and the time that the origin took (RFC 9111, section 4.2.3). */
  readonly initialAgeMs: number;
  /** Its Age alone. For those who were waiting when it came, the origin took just as long. */
  readonly arrivalAgeMs: number;
  /** RFC 5861, section 3; 0 if it may not be. */
  readonly staleWhileRevalidateMs: number;
  /** RFC 5861, section 4; 0 if it may not be. */
  readonly staleIfErrorMs: number;
  /** Whether a request's max-stale may be granted (RFC 9111, section 4.2.4). */
  readonly grantsMaxStale: boolean;
  /** Whether requests with Authorization may be answered with it (RFC 9111, section 3.5). */
  readonly isForAuthorized: boolean;
}

/** What decides about storing a response to a GET. */
export interface Received {
  readonly status: number;
  readonly headers: Headers;
  /** Whether the request had Authorization. */
  readonly isAuthorized: boolean;
  /** How long the origin took to answer. */
  readonly delayMs: number;
  /** The wall clock. */
  readonly nowMs: number;
  /** How long a freshness may be at most that is only guessed. */
  readonly heuristicMaxMs: number;
}

/** How a response may be used; null if it may not be stored, or if storing it would serve nobody. */
export function freshnessOf(received: Received, rule: CacheRule): Freshness | null {
  const { headers } = received;
  const directives = readDirectives(headers);
  // RFC 9111, section 7.3 leaves cookies to origins; one that does not say `public` hardly means its cookie for everybody.
  if (headers.get('set-cookie') !== undefined && !directives.has('public')) return null;
  // A stream of events has no end that could be waited for, unless it is only the beginning of one that the gateway is to hold.
  const isEventStream = headers.get('content-type')?.startsWith('text/event-stream') === true;
  if (isEventStream && headers.get('grip-hold') === undefined) return null;
  const policy = policyOf(received, directives);
  if (!policy.storable()) return null;
  const lifetimeMs = lifetimeOf(policy, received, directives, rule);
  if (lifetimeMs === null) return null;

  const arrivalAgeMs = ageFieldMs(headers);
  const extension = staleUse(directives, rule);
  const isUseful =
    lifetimeMs > arrivalAgeMs ||
    extension.staleWhileRevalidateMs > 0 ||
    extension.staleIfErrorMs > 0 ||
    headers.get('etag') !== undefined ||
    headers.get('last-modified') !== undefined;
  if (!isUseful) return null;
  return {
    lifetimeMs,
    initialAgeMs: arrivalAgeMs + received.delayMs,
    arrivalAgeMs,
    ...extension,
    isForAuthorized: allowsAuthorized(directives),
  };
}

/** RFC 9111, section 3.5. */
function allowsAuthorized(directives: Directives): boolean {
  return directives.has('public') || directives.has('s-maxage') || directives.has('must-revalidate');
}

/** RFC 9111, section 4.2.4: when a stale response may be used. */
function staleUse(
  directives: Directives,
  rule: CacheRule,
): Pick<Freshness, 'staleWhileRevalidateMs' | 'staleIfErrorMs' | 'grantsMaxStale'> {
  if (MUST_REVALIDATE.some((name) => directives.has(name)))
    return { staleWhileRevalidateMs: 0, staleIfErrorMs: 0, grantsMaxStale: false };
  const told = (name: string): number => {
    const seconds = secondsOf(directives, name);
    return typeof seconds === 'number' ? seconds * 1000 : 0;
  };
  return {
    staleWhileRevalidateMs: rule.staleWhileRevalidateMs ?? told('stale-while-revalidate'),
    staleIfErrorMs: rule.staleIfErrorMs ?? told('stale-if-error'),
    // Section 5.2.2.10: s-maxage means proxy-revalidate too. An origin that names a stale use beside it, or an operator, knows better;
    // a client does not.
    grantsMaxStale: !directives.has('s-maxage'),
  };
}

const MUST_REVALIDATE = ['must-revalidate', 'proxy-revalidate', 'no-cache'];

/** Errors in how a request was made: whoever makes such a request must not have its answer stored for those who make better ones. */
const ABOUT_THE_REQUEST: ReadonlySet<number> = new Set([405, 414, 501]);

/** The freshness lifetime; null if there is none and none is to be guessed. */
function lifetimeOf(
  policy: CachePolicy,
  { status, headers, heuristicMaxMs }: Received,
  directives: Directives,
  rule: CacheRule,
): number | null {
  const isTold = TELLS_FRESHNESS.some((name) => directives.has(name)) || headers.get('expires') !== undefined;
  if (isTold) return Math.max(0, policy.maxAge() * 1000);
  if (rule.ttlMs === null || ABOUT_THE_REQUEST.has(status)) return null;
  if (rule.ttlMs !== 'heuristic') return rule.ttlMs;
  return Math.min(Math.max(0, policy.maxAge() * 1000), heuristicMaxMs);
}

const TELLS_FRESHNESS = ['s-maxage', 'max-age', 'no-cache'];

/** RFC 9111, section 5.1; 0 if there is no Age, or none that can be read. */
function ageFieldMs(headers: Headers): number {
  const text = headers.get('age');
  return text !== undefined && /^[0-9]{1,10}$/.test(text) ? Number(text) * 1000 : 0;
}

/**
 * The library's view of a response, from fields that leave it no room: directives in lower case and one each, numbers valid, and a Date that
 * can be read, without which it would ask the machine's clock.
 */
function policyOf({ status, headers, isAuthorized, nowMs }: Received, directives: Directives): CachePolicy {
  const fields: Record<string, string> = { date: dateOf(headers, nowMs) };
  for (const name of ['expires', 'last-modified'] as const) {
    const value = combinedField(headers, name);
    if (value !== undefined) fields[name] = value;
  }
  const told: string[] = UNARGUED.filter((name) => directives.has(name));
  for (const name of ['max-age', 's-maxage'] as const) {
    const seconds = secondsOf(directives, name);
    if (seconds !== undefined) told.push(`${name}=${seconds === 'invalid' ? 0 : seconds}`);
  }
  if (told.length > 0) fields['cache-control'] = told.join(', ');
  const request: Record<string, string> = {};
  if (isAuthorized) request.authorization = 'present';
  return new CachePolicy({ method: 'GET', headers: request }, { status, headers: fields }, { shared: true });
}

/** Directives whose presence is all that counts. `proxy-revalidate` is not among them: for the library nothing is ever fresh with it. */
const UNARGUED = ['no-store', 'private', 'public', 'no-cache', 'must-revalidate'];

/** RFC 9110, section 6.6.1: a response without a Date has that of its arrival. */
function dateOf(headers: Headers, nowMs: number): string {
  const date = headers.get('date');
  return date !== undefined && Number.isFinite(Date.parse(date)) ? date : new Date(nowMs).toUTCString();
}
