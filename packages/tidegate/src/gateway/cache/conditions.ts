import type { Headers } from '../../listeners/port.ts';
import { combinedField } from './cache-control.ts';
import type { ResponseHead } from './stored-response.ts';

/** Whether the client's own copy is what the cache would send: RFC 9110, section 13.2.2, as RFC 9111, section 4.3.2 applies it to caches. */
export function isNotModified(headers: Headers, head: ResponseHead): boolean {
  // Preconditions are about a 200 (RFC 9110, section 13.2.1).
  if (head.status !== 200) return false;
  const tags = combinedField(headers, 'if-none-match');
  if (tags !== undefined)
    return tags.trim() === '*' || (head.etag !== undefined && listsTag(tags, head.etag));
  const since = headers.get('if-modified-since');
  if (since === undefined) return false;
  const sinceMs = httpDateMs(since);
  return sinceMs !== null && head.modifiedMs <= sinceMs;
}

/** RFC 9110, section 13.1.5: whether a part may be sent, since If-Range names just what is stored. True without If-Range. */
export function isRangeApplicable(headers: Headers, head: ResponseHead): boolean {
  const validator = headers.get('if-range');
  if (validator === undefined) return true;
  if (/^(?:W\/)?"/.test(validator)) {
    // Section 8.8.3.2: the strong comparison, since parts of two versions would be put together.
    return !validator.startsWith('W/') && validator === head.etag;
  }
  return validator === head.fields.get('last-modified');
}

/** Whether a list of entity tags names this one, by the weak comparison (RFC 9110, section 8.8.3.2). */
function listsTag(list: string, tag: string): boolean {
  const wanted = opaqueTag(tag);
  for (const match of list.matchAll(ENTITY_TAG)) if (match[1] === wanted) return true;
  return false;
}

/** `entity-tag` of RFC 9110, section 8.8.3, which may hold commas. */
const ENTITY_TAG = /(?:W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g;

/** Whether two entity tags say that what they tag means the same. */
export function sameTag(one: string, other: string): boolean {
  return opaqueTag(one) === opaqueTag(other);
}

function opaqueTag(tag: string): string {
  return tag.startsWith('W/') ? tag.slice(2) : tag;
}

const HTTP_DATE =
  /^(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT|\w+, \d\d-\w{3}-\d\d \d\d:\d\d:\d\d GMT|\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4})$/;

/** A date in one of the three forms of RFC 9110, section 5.6.7, in milliseconds since the Unix epoch; null if it is in none. */
export function httpDateMs(text: string): number | null {
  if (!HTTP_DATE.test(text)) return null;
  const ms = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
  return Number.isFinite(ms) ? ms : null;
}
