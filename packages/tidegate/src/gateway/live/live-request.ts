import { type Limits, TidegateError } from '../../kernel/index.ts';
import type { Headers, HttpRequest } from '../../listeners/index.ts';
import { preferredType } from '../../wire/http1/index.ts';
import type { SubscriberForm } from './live-metrics.ts';

export const JSON_TYPE = 'application/json';
export const PATCH_TYPE = 'application/json-patch+json';
export const SSE_TYPE = 'text/event-stream';

/**
 * Query parameters for clients that cannot set header fields. They are the gateway's, and origins never see them: hence names that
 * no API has of its own, as many have `from`.
 */
export const FROM_PARAMETER = 'live-from';
export const WAIT_PARAMETER = 'live-wait';

/** What somebody asks a live route for. */
export interface LiveRequest {
  readonly form: SubscriberForm;
  /** What the origin is asked for: the target without the gateway's own parameters. */
  readonly target: string;
  /** Ids of versions that the client has, or `*` for whatever there is; none if it has nothing. */
  readonly known: readonly string[];
  /** How long a long-poll waits for a version that the client does not have. */
  readonly waitMs: number;
  /** How a long-poll is answered. */
  readonly answer: 'value' | 'patch';
}

/** RFC 7240, section 4.3; preferences are separated by commas, and may have parameters after semicolons. */
const PREFER_WAIT = /(?:^|,)[ \t]*wait[ \t]*=[ \t]*"?([0-9]{1,9})"?[ \t]*(?:[,;]|$)/i;
const SECONDS = /^[0-9]{1,9}(\.[0-9]{1,3})?$/;
const TAG = /(?:W\/)?"([^"]*)"|\*/g;

/**
 * Reads what a request asks for; null if that is nothing live, and the origin's own business.
 * @throws TidegateError http_query_invalid
 */
export function readLiveRequest(request: HttpRequest, limits: Limits): LiveRequest | null {
  const { method, headers } = request;
  if (method !== 'GET' || request.body.lengthBytes !== 0) return null;
  const { target, from, wait } = splitTarget(request.target);
  const preferred = preferredWait(headers);
  const form = formOf(headers);
  if (form === null && preferred === undefined && wait === null && from === null) return null;
  return {
    form: form ?? 'poll',
    target,
    known: knownVersions(headers, from, form),
    waitMs: waitMsOf(preferred, wait, limits.pollWaitMsMax),
    answer: accepts(headers, [JSON_TYPE, PATCH_TYPE]) === PATCH_TYPE ? 'patch' : 'value',
  };
}

function formOf(headers: Headers): 'websocket' | 'sse' | null {
  // RFC 9110, section 7.8: protocols are compared without regard to case.
  const protocols = headers.all('upgrade').join(',').toLowerCase().split(',');
  if (protocols.some((protocol) => protocol.trim() === 'websocket')) return 'websocket';
  return accepts(headers, [JSON_TYPE, SSE_TYPE]) === SSE_TYPE ? 'sse' : null;
}

function accepts<Offer extends string>(headers: Headers, offers: readonly Offer[]): Offer | undefined {
  const accept = headers.all('accept').join(',');
  return accept === '' ? offers[0] : preferredType(accept, offers);
}

/** Takes the gateway's parameters out of a target, and leaves the rest as it is, octet by octet. */
function splitTarget(whole: string): { target: string; from: string | null; wait: string | null } {
  const mark = whole.indexOf('?');
  const found: Record<string, string> = {};
  if (mark === -1 || !whole.includes('live-', mark)) return { target: whole, from: null, wait: null };
  const others = whole
    .slice(mark + 1)
    .split('&')
    .filter((pair) => {
      const [name, value = ''] = pair.split('=', 2);
      if (name !== FROM_PARAMETER && name !== WAIT_PARAMETER) return true;
      if (found[name] !== undefined) throw invalid(name, 'one value');
      found[name] = value;
      return false;
    });
  const query = others.join('&');
  return {
    target: whole.slice(0, mark) + (query === '' ? '' : `?${query}`),
    from: found[FROM_PARAMETER] ?? null,
    wait: found[WAIT_PARAMETER] ?? null,
  };
}

function preferredWait(headers: Headers): string | undefined {
  // LiveResource clients say it in a field of their own.
  return PREFER_WAIT.exec(headers.all('prefer').join(','))?.[1] ?? headers.get('wait');
}

/** A preference is a wish, which is met as far as it goes (RFC 7240, section 2); a parameter is meant. */
function waitMsOf(preferred: string | undefined, wait: string | null, msMax: number): number {
  if (wait === null) return SECONDS.test(preferred ?? '') ? Math.min(Number(preferred) * 1000, msMax) : 0;
  const ms = SECONDS.test(wait) ? Number(wait) * 1000 : Number.POSITIVE_INFINITY;
  if (ms > msMax) throw invalid(WAIT_PARAMETER, `seconds, from 0 to ${msMax / 1000}`);
  return ms;
}

/** What the client received last says more than the address that it was once given. */
function knownVersions(
  headers: Headers,
  from: string | null,
  form: 'websocket' | 'sse' | null,
): readonly string[] {
  const lastEventId = form === 'sse' ? headers.get('last-event-id') : undefined;
  if (lastEventId !== undefined && lastEventId !== '') return [lastEventId];
  const condition = form === null ? headers.all('if-none-match').join(',') : '';
  if (condition !== '') return [...condition.matchAll(TAG)].map(([tag, opaque]) => opaque ?? tag);
  return from === null || from === '' ? [] : [from];
}

function invalid(name: string, takes: string): TidegateError {
  return new TidegateError('http_query_invalid', `The parameter "${name}" takes ${takes}`);
}
