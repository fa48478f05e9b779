import type { CacheRequest } from './port.ts';
import type { RequestTerms } from './request-terms.ts';
import { ageMs, type ResponseHead, type StoredResponse } from './stored-response.ts';
import { variantKeyOf } from './variants.ts';

/**
 * Whether a response that comes just now may answer another request than the one that it is for: not if it may not be used again without
 * asking the origin, nor if it was chosen by fields in which the two differ (RFC 9111, sections 4 and 4.1).
 */
export function isShareable(
  head: ResponseHead,
  from: { readonly routeKey: string; readonly request: CacheRequest },
  to: { readonly request: CacheRequest; readonly terms: RequestTerms },
  nowMs: number,
): boolean {
  const { lifetimeMs, staleWhileRevalidateMs, arrivalAgeMs, isForAuthorized } = head.freshness;
  const age = arrivalAgeMs + nowMs - head.receivedMs;
  if (age >= lifetimeMs + staleWhileRevalidateMs) return false;
  if (!meetsTerms(to.terms, age, lifetimeMs)) return false;
  if (to.terms.isAuthorized && !isForAuthorized) return false;
  return (
    head.vary.length === 0 ||
    variantKeyOf(from.routeKey, head.vary, from.request.headers) ===
      variantKeyOf(from.routeKey, head.vary, to.request.headers)
  );
}

/** Whether a response is young enough for what a request says (RFC 9111, section 5.2.1). */
function meetsTerms(terms: RequestTerms, age: number, lifetimeMs: number): boolean {
  return age <= terms.maxAgeMs && (terms.minFreshMs === 0 || lifetimeMs - age >= terms.minFreshMs);
}

/** What may be done with a stored response: serve it, serve it while it is renewed, or ask the origin first, with the reason why. */
export type Judgement = 'fresh' | 'stale' | 'stale-while-revalidate' | 'ask-request' | 'ask-stale';

/** RFC 9111, section 4.2, and RFC 5861. */
export function judge(stored: StoredResponse, terms: RequestTerms, nowMs: number): Judgement {
  const { freshness } = stored.head;
  const age = ageMs(stored.head, nowMs);
  if (terms.asksOrigin || !meetsTerms(terms, age, freshness.lifetimeMs)) return 'ask-request';
  const staleMs = age - freshness.lifetimeMs;
  if (staleMs < 0) return 'fresh';
  if (freshness.grantsMaxStale && terms.maxStaleMs > 0 && staleMs <= terms.maxStaleMs) return 'stale';
  if (staleMs < freshness.staleWhileRevalidateMs) {
    return nowMs < stored.restUntilMs ? 'stale' : 'stale-while-revalidate';
  }
  // The origin has just failed; it would fail this request too.
  if (nowMs < stored.restUntilMs && staleMs < freshness.staleIfErrorMs) return 'stale';
  return 'ask-stale';
}

/** What RFC 5861, section 4 calls an error. */
export const FAILURES: ReadonlySet<number> = new Set([500, 502, 503, 504]);

/** Whether a stale response may stand in for an origin that has failed (RFC 5861, section 4). */
export function mayStandIn(stored: StoredResponse, terms: RequestTerms, nowMs: number): boolean {
  const { lifetimeMs, staleIfErrorMs } = stored.head.freshness;
  // A client that wants the origin to be asked is told what came of it.
  return !terms.asksOrigin && ageMs(stored.head, nowMs) - lifetimeMs < staleIfErrorMs;
}
