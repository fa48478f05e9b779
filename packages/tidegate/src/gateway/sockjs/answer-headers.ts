import type { ResponseHeaders } from '../../listeners/port.ts';
import { isReflectable } from '../cross-origin/reflectable.ts';

/** How long what does not change may be kept, in seconds: a year. */
const YEAR_SECONDS = 31_536_000;

/** What of a request decides which pages may read its answer. */
export interface AskingPage {
  readonly origin: string | undefined;
  /** The value of Access-Control-Request-Headers. */
  readonly requestHeaders: string | undefined;
}

/** @param get the value of a field, whose name is in lower case */
export function askingPage(get: (name: string) => string | undefined): AskingPage {
  return { origin: get('origin'), requestHeaders: get('access-control-request-headers') };
}

/**
 * Lets any page read the answer, with its cookies: whose sessions the origin takes, it decides by Origin in their handshake. A page of a file has
 * the origin `null`, which browsers take for a refusal.
 */
export function crossOriginHeaders({ origin, requestHeaders }: AskingPage): ResponseHeaders {
  return {
    'access-control-allow-origin': isReflectable(origin) && origin !== 'null' ? origin : '*',
    'access-control-allow-credentials': 'true',
    ...(isReflectable(requestHeaders) ? { 'access-control-allow-headers': requestHeaders } : {}),
    vary: 'Origin',
  };
}

/** The fields of what must not come from any cache. */
export function liveHeaders(page: AskingPage, contentType: string): ResponseHeaders {
  return {
    'content-type': contentType,
    'cache-control': 'no-store, no-cache, must-revalidate, max-age=0',
    // Nothing that a client has chosen parts of is to be taken for something else than it says it is.
    'x-content-type-options': 'nosniff',
    ...crossOriginHeaders(page),
  };
}

/** The fields of what may be kept for a year. */
export function lastingHeaders(nowMs: number): ResponseHeaders {
  return {
    'cache-control': `public, max-age=${YEAR_SECONDS}`,
    expires: new Date(nowMs + YEAR_SECONDS * 1000).toUTCString(),
  };
}

/** The answer to a preflight, and to an OPTIONS that is none. */
export function preflightHeaders(page: AskingPage, methods: string, nowMs: number): ResponseHeaders {
  return {
    ...lastingHeaders(nowMs),
    ...crossOriginHeaders(page),
    'access-control-allow-methods': methods,
    'access-control-max-age': String(YEAR_SECONDS),
  };
}
