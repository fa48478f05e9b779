import type { Headers } from '../../listeners/port.ts';
import { varyNames } from './cache-key.ts';
import { httpDateMs, sameTag } from './conditions.ts';
import { FieldList } from './field-list.ts';
import { freshnessOf, type Received } from './freshness.ts';
import type { CacheRule } from './options.ts';
import { type ResponseHead, type StoredResponse, storedPairs, updatedPairs } from './stored-response.ts';
import { surrogateKeysOf } from './surrogate-keys.ts';

/** What decides about a response beside itself. */
export interface HeadContext extends Omit<Received, 'status' | 'headers'> {
  readonly rule: CacheRule;
  /** The clock that never steps back. */
  readonly receivedMs: number;
  readonly varyFieldsMax: number;
  readonly surrogateKeysMax: number;
}

/** The head of a response to store; null if the response may not be stored. */
export function headToStore(status: number, headers: Headers, context: HeadContext): ResponseHead | null {
  return assembled(status, headers, storedPairs(headers), headers, context);
}

/**
 * The head of a stored response that the origin has just confirmed by a 304 (RFC 9111, section 4.3.4): null if it may not be stored any
 * more, `mismatch` if the 304 is about another response than the stored one.
 */
export function headAfterValidation(
  stored: StoredResponse,
  brought: Headers,
  context: HeadContext,
): ResponseHead | 'mismatch' | null {
  if (!isAbout(stored.head, brought)) return 'mismatch';
  const pairs = updatedPairs(stored.head.fields, brought);
  // Age is of the 304 alone: the origin has just vouched for the response anew.
  const age = brought.get('age');
  const effective = new FieldList(age === undefined ? pairs : [...pairs, 'age', age]);
  const head = assembled(stored.head.status, effective, pairs, brought, context);
  if (head === null || brought.get('surrogate-key') !== undefined) return head;
  return { ...head, surrogateKeys: stored.head.surrogateKeys };
}

/** RFC 9111, section 4.3.4: the validators of the 304 have to be those of the stored response, where it has any. */
function isAbout(head: ResponseHead, brought: Headers): boolean {
  const tag = brought.get('etag');
  if (tag !== undefined) return head.etag !== undefined && sameTag(tag, head.etag);
  const modified = brought.get('last-modified');
  return modified === undefined || head.etag !== undefined || modified === head.fields.get('last-modified');
}

/**
 * @param headers what the response says, Age included
 * @param pairs what is stored of it
 * @param keyed where the surrogate keys are
 */
function assembled(
  status: number,
  headers: Headers,
  pairs: readonly string[],
  keyed: Headers,
  context: HeadContext,
): ResponseHead | null {
  const vary = varyNames(headers, context.varyFieldsMax);
  const surrogateKeys = surrogateKeysOf(keyed, context.surrogateKeysMax);
  if (vary === null || surrogateKeys === null) return null;
  const freshness = freshnessOf({ ...context, status, headers }, context.rule);
  if (freshness === null) return null;
  const fields = FieldList.detached(pairs);
  const modified = fields.get('last-modified') ?? fields.get('date');
  return {
    status,
    fields,
    freshness,
    vary,
    surrogateKeys,
    receivedMs: context.receivedMs,
    modifiedMs: (modified === undefined ? null : httpDateMs(modified)) ?? context.nowMs,
    etag: fields.get('etag'),
    isInstruct: isInstruct(fields),
    hasAge: headers.get('age') !== undefined,
  };
}

/** Whether a response is an instruction of GRIP, in its fields or in its body. */
function isInstruct(fields: FieldList): boolean {
  if (fields.get('content-type')?.toLowerCase().startsWith('application/grip-instruct')) return true;
  for (const [name] of fields.entries()) if (name.startsWith('grip-')) return true;
  return false;
}
