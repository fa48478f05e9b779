import type { Headers } from '../../listeners/port.ts';
import { combinedField } from './cache-control.ts';
import { FieldList } from './field-list.ts';
import type { Freshness } from './freshness.ts';

/** What an entry costs beside its text, its fields and its body: the objects, and their places in maps. Measured. */
const RESPONSE_BYTES = 800;

/** What a response has before its body is there. */
export interface ResponseHead {
  readonly status: number;
  /** As `CacheReply.headers` says. */
  readonly fields: FieldList;
  readonly freshness: Freshness;
  /** Names of the request fields that the response varies by: sorted, in lower case. */
  readonly vary: readonly string[];
  readonly surrogateKeys: readonly string[];
  /** When it came, by the clock that never steps back. */
  readonly receivedMs: number;
  /** What If-Modified-Since is compared with: Last-Modified, or else Date, or else when it came (RFC 9111, section 4.3.2). */
  readonly modifiedMs: number;
  readonly etag: string | undefined;
  /** Whether the response tells the gateway how to go on (GRIP): then it is not the client's to ask for a part of it, or for nothing. */
  readonly isInstruct: boolean;
  /** Whether the origin sent Age: then there is a cache before this one. */
  readonly hasAge: boolean;
}

/** A stored response. Its content never changes; its places in the store do, and are the store's alone. */
export class StoredResponse {
  readonly uri: string;
  /** Which of the responses of its URI this is. */
  readonly variantKey: string;
  readonly head: ResponseHead;
  readonly body: Buffer;
  /** How many purges there had been when it was stored. */
  readonly sequence: number;
  /** What it costs in memory. */
  readonly bytes: number;
  /** Until when the origin is not asked again, after it failed; by the clock that never steps back. */
  restUntilMs = 0;
  /** When it was used last, as a number that grows with each use of any. */
  usedAt = 0;
  /** The neighbours by last use. */
  newer: StoredResponse | null = null;
  older: StoredResponse | null = null;

  constructor(
    place: { readonly uri: string; readonly variantKey: string; readonly sequence: number },
    head: ResponseHead,
    body: Buffer,
  ) {
    this.uri = place.uri;
    this.variantKey = place.variantKey;
    this.sequence = place.sequence;
    this.head = head;
    this.body = body;
    this.bytes = RESPONSE_BYTES + place.variantKey.length + head.fields.bytes + body.length;
  }
}

/** RFC 9111, section 4.2.3: how old a response is. */
export function ageMs({ freshness, receivedMs }: ResponseHead, nowMs: number): number {
  return freshness.initialAgeMs + nowMs - receivedMs;
}

/** How long a response is still fresh, in whole seconds; negative if it is stale. */
export function ttlSeconds(head: ResponseHead, nowMs: number): number {
  return Math.floor((head.freshness.lifetimeMs - ageMs(head, nowMs)) / 1000);
}

/** Fields that are of a connection (RFC 9111, section 3.1; RFC 9110, section 7.6.1), that frame the body, or that the cache writes anew. */
const NOT_STORED = new Set([
  'age',
  'connection',
  'content-length',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'surrogate-key',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** The fields of a response that are stored and served, as name and value in turn. */
export function storedPairs(headers: Headers): readonly string[] {
  const connection = combinedField(headers, 'connection');
  const named = connection
    ?.toLowerCase()
    .split(',')
    .map((name) => name.trim());
  const pairs: string[] = [];
  for (const [name, value] of headers.entries()) {
    if (NOT_STORED.has(name) || named?.includes(name)) continue;
    pairs.push(name, value);
  }
  return pairs;
}

/** Fields of which a 304 says nothing that holds for the stored body (RFC 9111, section 3.2). */
const OF_THE_BODY = new Set(['content-encoding', 'content-length', 'content-range', 'content-type']);

/** RFC 9111, section 3.2: the stored fields, each replaced by those of its name that a 304 brought, and whatever else it brought. */
export function updatedPairs(stored: FieldList, brought: Headers): readonly string[] {
  const fresh = new FieldList(storedPairs(brought)).filtered((name) => !OF_THE_BODY.has(name));
  const kept = stored.filtered((name) => fresh.get(name) === undefined);
  return [...kept.entries(), ...fresh.entries()].flat();
}
