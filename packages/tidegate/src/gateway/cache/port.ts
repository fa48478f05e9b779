import type { TidegateError } from '../../kernel/index.ts';
import type { Headers } from '../../listeners/port.ts';

/** What the cache has to know of a request. */
export interface CacheRequest {
  readonly method: string;
  readonly scheme: 'http' | 'https';
  /** The host that the request is for (RFC 9110, section 7.1). Never what a forwarding field claims. */
  readonly host: string;
  /** The path, as `normalPath` gives it, and the query, as the client sent it: what is asked for, before the route rewrites it. */
  readonly target: string;
  readonly headers: Headers;
  /** Whether the request has content. The content of a GET belongs to no key, so such a request is never served from the cache. */
  readonly content: 'none' | 'some';
}

/** A response as the cache answers with it. */
export interface CacheReply {
  readonly status: number;
  /**
   * The end-to-end fields of the origin's response, its `Grip-*` fields among them: names (lower case) and values in turn. Without what
   * frames the body, Age and Surrogate-Key; those of a 304 and of a part are fewer.
   */
  readonly fields: readonly string[];
  /** The value of Age; null if the response comes from the origin itself. */
  readonly age: string | null;
  /** The value of a further Cache-Status line. */
  readonly cacheStatus: string;
  /** The value of Content-Range; null unless the status is 206 or 416. */
  readonly contentRange: string | null;
  /** The length of the body, also where HEAD keeps it back; null if it is not known yet, or if there is none (304). */
  readonly lengthBytes: number | null;
  /** The whole body, empty if none is to be sent; null if it follows in slices. Never to be changed. */
  readonly body: Buffer | null;
}

/** A client that waits for a response that is on its way to the cache. */
export interface CacheReceiver {
  /** The response begins. If `reply.body` is not null, it is all there, and nothing follows. */
  head(reply: CacheReply): void;
  /** A slice of the body, which never changes and may be kept. Returns whether the client keeps pace: if not, nothing comes until `drained` is called on the ticket. */
  data(slice: Buffer): boolean;
  end(): void;
  /** The response will not come, or, after `head`, not be completed. Nothing follows. */
  failed(error: TidegateError): void;
  /** What came cannot be shared: the request is to go to the origin by itself, past the cache. Only instead of `head`; nothing follows. */
  released(): void;
}

/** A client's place among those that wait for a response. */
export interface CacheTicket {
  /** Begins to wait; to be called once. What is there already is handed over before it returns. */
  attach(receiver: CacheReceiver): void;
  /** The client keeps pace again. */
  drained(): void;
  /** The client has left. The receiver is called no more. */
  leave(): void;
}

/** The head of an origin's answer. */
export interface FetchedHead {
  /** Of the final answer: 200 to 599. */
  readonly status: number;
  /** Names and values in turn, as they came. */
  readonly fields: readonly string[];
  /** The length of the body; null if it is not known. */
  readonly bodyBytes: number | null;
}

/** What the cache may ask of the request to the origin. */
export interface FetchControl {
  /** The body may arrive again, after `data` has returned false. */
  resume(): void;
  /** Nobody waits for the response any more. The fetch is not to be called again. */
  abort(): void;
}

/** How a request is changed on its way to the origin, so that its answer depends on nothing but what is part of the key. */
export interface ForwardChanges {
  /** Names of fields (lower case) of the client that are not forwarded. */
  readonly remove: ReadonlySet<string>;
  /** Fields that are added: If-None-Match or If-Modified-Since of the stored response that is to be validated. */
  readonly add: readonly (readonly [name: string, value: string])[];
}

/**
 * What becomes of a response whose head has come: `store` wants its body by `data`, `end` and `failed`; `pass` leaves it to the client whose
 * request it was, and is done with it; `done` needs nothing more of it.
 */
export type HeadOutcome = 'store' | 'pass' | 'done';

/**
 * A request to the origin on behalf of the cache: that of the client with `changes`, but always a GET. Exactly one of `end`, `failed` and a
 * `head` that is not to be stored ends it, or `abort`; until then others may wait for it.
 */
export interface CacheFetch {
  readonly changes: ForwardChanges;
  /** What Cache-Status says of a response that was passed on; to be asked after `head` has returned `pass`. */
  readonly cacheStatus: string;
  /** Names the origin's side, so that it can be resumed and aborted; before `head`. */
  begin(origin: FetchControl): void;
  head(head: FetchedHead): HeadOutcome;
  /** A slice of the body, valid only during the call. False: pause until `resume`. */
  data(slice: Buffer): boolean;
  end(): void;
  failed(error: TidegateError): void;
}

/** What is to be done with a request. */
export type CacheLookup =
  /** Answer with this; and if there is a fetch, carry it out for nobody in particular. */
  | { readonly kind: 'reply'; readonly reply: CacheReply; readonly revalidation: CacheFetch | null }
  /** Attach the client, then carry out the fetch. */
  | { readonly kind: 'fetch'; readonly fetch: CacheFetch; readonly ticket: CacheTicket }
  /** Attach the client: another one's request is under way. */
  | { readonly kind: 'wait'; readonly ticket: CacheTicket }
  /** Forward the request as if there were no cache. */
  | { readonly kind: 'bypass'; readonly cacheStatus: string }
  /** The client wants what is cached or nothing (RFC 9111, section 5.2.1.7): 504. */
  | { readonly kind: 'unavailable'; readonly cacheStatus: string };
