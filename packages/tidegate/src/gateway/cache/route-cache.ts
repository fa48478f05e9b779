import { fieldsKey, uriOf } from './cache-key.ts';
import type { OutcomeCounters } from './cache-metrics.ts';
import { type ForwardReason, hitStatus, plainForwardStatus, UNAVAILABLE_STATUS } from './cache-status.ts';
import type { CacheParts, FetchPlan } from './fetch-plan.ts';
import type { CacheRule } from './options.ts';
import type { CacheFetch, CacheLookup, CacheRequest, ForwardChanges } from './port.ts';
import { replyFrom } from './reply.ts';
import { bypassReason, changesFor, type RequestTerms, termsOf, unforwarded } from './request-terms.ts';
import { SharedFetch } from './shared-fetch.ts';
import { judge } from './sharing.ts';
import { type StoredResponse, ttlSeconds } from './stored-response.ts';
import { type Variants, variantKeyOf } from './variants.ts';

/**
 * Fields by which a subscriber says how far it has come. What an origin answers to them is for that place, whether it sends Vary or not:
 * shared, it would lead others past messages.
 */
const PLACE_FIELDS = ['grip-last', 'last-event-id'];

/** What a lookup has found out. */
interface Sought {
  readonly request: CacheRequest;
  readonly terms: RequestTerms;
  readonly uri: string;
  readonly routeKey: string;
  readonly variants: Variants | undefined;
}

/** The cache as one route has it. Routes share the store and its bounds, but never a response. */
export class RouteCache {
  readonly #parts: CacheParts;
  readonly #rule: CacheRule;
  readonly #outcomes: OutcomeCounters;
  readonly #keyNames: readonly string[];
  readonly #keyPrefix: string;
  readonly #removed: ReadonlySet<string>;

  /** @param name tells the route from all others, also from those of another configuration that choose another origin */
  constructor(parts: CacheParts, name: string, rule: CacheRule, outcomes: OutcomeCounters) {
    this.#parts = parts;
    this.#rule = rule;
    this.#outcomes = outcomes;
    this.#keyNames = [...new Set([...PLACE_FIELDS, ...rule.keyHeaders])];
    this.#keyPrefix = `${name.length}:${name};${this.#keyNames.join(',')};`;
    this.#removed = unforwarded(this.#keyNames);
  }

  /** Says what is to be done with a request. */
  lookup(request: CacheRequest): CacheLookup {
    const bypass = bypassReason(request, this.#rule);
    if (bypass !== null) return this.#bypass(bypass);
    const terms = termsOf(request, this.#rule);
    const uri = uriOf(request);
    const routeKey = this.#keyPrefix + fieldsKey(this.#keyNames, request.headers);
    const { store, clock } = this.#parts;
    const variants = store.variants(uri);
    const sought: Sought = { request, terms, uri, routeKey, variants };
    if (variants === undefined) return this.#ask(sought, null, 'uri-miss');
    const stored = store.select(variants, routeKey, request.headers);
    if (stored === undefined || (terms.isAuthorized && !stored.head.freshness.isForAuthorized))
      return this.#ask(sought, null, 'vary-miss');
    const nowMs = clock.monotonicMs();
    const judgement = judge(stored, terms, nowMs);
    if (judgement === 'ask-request') return this.#ask(sought, stored, 'request');
    if (judgement === 'ask-stale') return this.#ask(sought, stored, 'stale');
    this.#outcomes[judgement === 'fresh' ? 'hit' : 'stale'].add(1);
    return {
      kind: 'reply',
      reply: replyFrom(request, stored, { cacheStatus: hitStatus(ttlSeconds(stored.head, nowMs)), nowMs }),
      revalidation: judgement === 'stale-while-revalidate' ? this.#revalidate(sought, stored) : null,
    };
  }

  #bypass(reason: ForwardReason): CacheLookup {
    this.#outcomes.bypass.add(1);
    return { kind: 'bypass', cacheStatus: plainForwardStatus(reason) };
  }

  /** The origin has to be asked: by waiting for somebody who asks it already, or by a fetch. */
  #ask(sought: Sought, stored: StoredResponse | null, reason: ForwardReason): CacheLookup {
    const { request, terms } = sought;
    if (terms.onlyIfCached) {
      this.#outcomes.unavailable.add(1);
      return { kind: 'unavailable', cacheStatus: UNAVAILABLE_STATUS };
    }
    // Only a whole response to a GET can be stored. Parts, and heads without a body, pass; so does what the client wants stored nowhere.
    if (request.method === 'HEAD') return this.#bypass(reason);
    if (request.headers.get('range') !== undefined) return this.#bypass('partial');
    if (terms.forbidsStoring) return this.#bypass('request');

    const key = this.#keyOf(sought);
    const { coalescer, marks } = this.#parts;
    // Who wants the origin to be asked is not content with what was asked for before.
    const ticket = terms.asksOrigin ? null : (coalescer.open(key)?.join(request, terms) ?? null);
    if (ticket !== null) {
      this.#outcomes.collapsed.add(1);
      return { kind: 'wait', ticket };
    }
    this.#outcomes[stored === null ? 'miss' : 'revalidate'].add(1);
    const joining = marks.has(key) ? 'alone' : 'open';
    const fetch = this.#fetch(sought, stored, { key, reason, joining, audience: 'client' });
    return { kind: 'fetch', fetch, ticket: fetch.lead() };
  }

  /** Begins to renew what is stale, unless somebody does already. */
  #revalidate(sought: Sought, stored: StoredResponse): CacheFetch | null {
    const key = this.#keyOf(sought);
    const { coalescer } = this.#parts;
    if (coalescer.open(key) !== undefined || !coalescer.hasRoomForRevalidation) return null;
    return this.#fetch(sought, stored, { key, reason: 'stale', joining: 'open', audience: 'nobody' });
  }

  #fetch(
    { request, terms, uri, routeKey }: Sought,
    stored: StoredResponse | null,
    rest: Pick<FetchPlan, 'key' | 'reason' | 'joining' | 'audience'>,
  ): SharedFetch {
    const rule = this.#rule;
    const changes = this.#changes(stored);
    return new SharedFetch(this.#parts, { request, terms, uri, routeKey, rule, stored, changes, ...rest });
  }

  #changes(stored: StoredResponse | null): ForwardChanges {
    if (stored === null) return changesFor(this.#removed, null);
    const { etag, fields } = stored.head;
    return changesFor(this.#removed, { etag, lastModified: fields.get('last-modified') });
  }

  /**
   * What two requests have in common if one can wait for the other's response, as far as that is known before it comes. What one gets with
   * Authorization says nothing of what others get without: a made-up credential must not keep them from waiting for each other.
   */
  #keyOf({ request, terms, uri, routeKey, variants }: Sought): string {
    const names = variants?.latestNames ?? [];
    return `${uri}\n${terms.isAuthorized ? 'authorized' : ''}\n${variantKeyOf(routeKey, names, request.headers)}`;
  }
}
