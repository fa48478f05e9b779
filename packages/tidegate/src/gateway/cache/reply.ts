import { EMPTY } from '../../kernel/index.ts';
import { rangeOf } from './byte-range.ts';
import { isNotModified, isRangeApplicable } from './conditions.ts';
import type { CacheReply, CacheRequest } from './port.ts';
import { ageMs, type ResponseHead, type StoredResponse } from './stored-response.ts';

/** How a reply came about. */
export interface ReplyOrigin {
  readonly cacheStatus: string;
  /** The clock that never steps back. */
  readonly nowMs: number;
}

/**
 * Answers a request with a stored response: with all of it, or with 304, 206 or 416 if the request asks for that. A GRIP instruction
 * is for the gateway, which needs all of it, and the conditions are then for what the gateway makes of it.
 */
export function replyFrom(request: CacheRequest, stored: StoredResponse, origin: ReplyOrigin): CacheReply {
  const { head, body } = stored;
  const age = ageText(head, origin.nowMs);
  if (!head.isInstruct) {
    if (isNotModified(request.headers, head)) return notModified(head, age, origin.cacheStatus);
    // RFC 9110, section 14.2: Range is defined for GET only, and for what would be a 200.
    const range = request.method === 'GET' && head.status === 200 ? request.headers.get('range') : undefined;
    if (range !== undefined && isRangeApplicable(request.headers, head)) {
      const part = partOf(range, stored, age, origin.cacheStatus);
      if (part !== null) return part;
    }
  }
  return {
    status: head.status,
    fields: head.fields.pairs,
    age,
    cacheStatus: origin.cacheStatus,
    contentRange: null,
    lengthBytes: body.length,
    body: request.method === 'HEAD' ? EMPTY : body,
  };
}

/** Answers a request with a response whose body is on its way. */
export function replyAhead(
  request: CacheRequest,
  head: ResponseHead,
  lengthBytes: number | null,
  origin: ReplyOrigin,
): CacheReply {
  const age = head.hasAge ? ageText(head, origin.nowMs) : null;
  if (!head.isInstruct && isNotModified(request.headers, head))
    return notModified(head, age, origin.cacheStatus);
  return {
    status: head.status,
    fields: head.fields.pairs,
    age,
    cacheStatus: origin.cacheStatus,
    contentRange: null,
    lengthBytes,
    body: null,
  };
}

/** RFC 9111, section 5.1. */
const ageText = (head: ResponseHead, nowMs: number): string =>
  String(Math.max(0, Math.floor(ageMs(head, nowMs) / 1000)));

/** RFC 9110, section 15.4.5: what a 304 has to bring; what else describes the body is what the client has already. */
function notModified(head: ResponseHead, age: string | null, cacheStatus: string): CacheReply {
  return {
    status: 304,
    fields: head.fields.filtered((name) => !name.startsWith('content-') || name === 'content-location').pairs,
    age,
    cacheStatus,
    contentRange: null,
    lengthBytes: null,
    body: EMPTY,
  };
}

function partOf(
  range: string,
  { head, body }: StoredResponse,
  age: string | null,
  cacheStatus: string,
): CacheReply | null {
  const outcome = rangeOf(range, body.length);
  if (outcome.kind === 'whole') return null;
  if (outcome.kind === 'unsatisfiable') {
    return {
      status: 416,
      fields: head.fields.filtered((name) => !name.startsWith('content-')).pairs,
      age,
      cacheStatus,
      contentRange: `bytes */${body.length}`,
      lengthBytes: 0,
      body: EMPTY,
    };
  }
  const part = body.subarray(outcome.start, outcome.end);
  return {
    status: 206,
    fields: head.fields.pairs,
    age,
    cacheStatus,
    contentRange: `bytes ${outcome.start}-${outcome.end - 1}/${body.length}`,
    lengthBytes: part.length,
    body: part,
  };
}
