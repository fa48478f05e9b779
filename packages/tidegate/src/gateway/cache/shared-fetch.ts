import { TidegateError } from '../../kernel/index.ts';
import type { Headers } from '../../listeners/port.ts';
import { Audience } from './audience.ts';
import { fetchedStatus, plainForwardStatus, standInStatus } from './cache-status.ts';
import { FetchBody } from './fetch-body.ts';
import { type CacheParts, entryBytesMax, type FetchPlan, headContext } from './fetch-plan.ts';
import { FieldList } from './field-list.ts';
import type {
  CacheFetch,
  CacheReply,
  CacheRequest,
  FetchControl,
  FetchedHead,
  ForwardChanges,
  HeadOutcome,
} from './port.ts';
import { replyAhead, replyFrom } from './reply.ts';
import type { RequestTerms } from './request-terms.ts';
import { headAfterValidation, headToStore } from './response-head.ts';
import { FAILURES, isShareable, mayStandIn } from './sharing.ts';
import { type ResponseHead, type StoredResponse, ttlSeconds } from './stored-response.ts';
import { StoringPlace } from './storing-place.ts';
import { type AwaitedFetch, Waiter } from './waiter.ts';

/**
 * A request to the origin on behalf of the cache, and those who wait for its response. The client that caused it is one of them, so that the
 * fetch goes on without it if others wait. What cannot be shared lets the others go, all at once: none waits twice.
 */
export class SharedFetch implements CacheFetch, AwaitedFetch {
  readonly plan: FetchPlan;
  readonly #parts: CacheParts;
  readonly #startedMs: number;
  readonly #place: StoringPlace;
  readonly #body: FetchBody;
  readonly #audience: Audience;
  #origin: FetchControl | null = null;
  /** `asked` until the head; then `storing`, or `passing` once the body is too large; `complete` while slow clients still read; `over`. */
  #state: 'asked' | 'storing' | 'passing' | 'complete' | 'over' = 'asked';
  /** Whether the fetch goes on if nobody waits. */
  #purpose: 'clients' | 'store';
  #arrival: 'flowing' | 'paused' = 'flowing';
  #head: ResponseHead | null = null;
  #lengthBytes: number | null = null;

  constructor(parts: CacheParts, plan: FetchPlan) {
    this.#parts = parts;
    this.plan = plan;
    this.#startedMs = parts.clock.monotonicMs();
    this.#place = new StoringPlace(parts, plan);
    this.#purpose = plan.audience === 'nobody' ? 'store' : 'clients';
    this.#body = new FetchBody(parts.coalescer.budget);
    this.#audience = new Audience(this.#body, entryBytesMax(parts.limits, plan.rule), parts.counters);
    parts.coalescer.add(this);
  }

  get changes(): ForwardChanges {
    return this.plan.changes;
  }

  get cacheStatus(): string {
    return plainForwardStatus(this.plan.reason);
  }

  /** The place of the client that caused the fetch. */
  lead(): Waiter {
    const waiter = new Waiter(this, this.plan.request, this.plan.terms);
    this.#audience.add(waiter, 'leader');
    return waiter;
  }

  /** A place for another client; null if it cannot wait for this response. */
  join(request: CacheRequest, terms: RequestTerms): Waiter | null {
    if (
      this.#audience.size >= this.#parts.limits.cacheFetchWaitersMax ||
      this.#place.isOutdated(this.#head)
    ) {
      // The next request begins another fetch, and those after it wait for that one.
      this.#parts.coalescer.close(this);
      return null;
    }
    const nowMs = this.#parts.clock.monotonicMs();
    if (this.#head !== null && !isShareable(this.#head, this.plan, { request, terms }, nowMs)) return null;
    const waiter = new Waiter(this, request, terms);
    this.#audience.add(waiter, 'follower');
    return waiter;
  }

  /** What the origin was asked for has changed since. */
  outdate(): void {
    this.#place.outdate();
  }

  begin(origin: FetchControl): void {
    if (this.#state === 'over') origin.abort();
    else this.#origin = origin;
  }

  head({ status, fields, bodyBytes }: FetchedHead): HeadOutcome {
    if (this.#state !== 'asked') return 'done';
    const { stored } = this.plan;
    const headers = FieldList.spelled(fields);
    if (status === 304 && stored !== null) return this.#validated(stored, headers);
    if (FAILURES.has(status) && this.#standIn(status) === 'served') return 'done';
    const head = headToStore(status, headers, headContext(this.#parts, this.plan, this.#startedMs));
    this.#lengthBytes = bodyBytes;
    if (head === null || this.#isTooLarge(this.#lengthBytes ?? 0)) return this.#unshared(status);
    this.#head = head;
    this.#state = 'storing';
    this.#mark(head);
    this.#body.expect(this.#lengthBytes ?? 0);
    this.#audience.answer(this.#replyAhead(head));
    return this.#isNeeded() ? 'store' : 'done';
  }

  data(slice: Buffer): boolean {
    if (this.#state === 'storing' && this.#isTooLarge(slice.length)) this.#outgrow();
    if (this.#state !== 'storing' && this.#state !== 'passing') return true;
    this.#body.append(slice);
    this.#audience.feed();
    if (this.#state !== 'passing') return true;
    if (this.#audience.advance() === 'full') this.#arrival = 'paused';
    return this.#arrival === 'flowing';
  }

  end(): void {
    if (this.#state !== 'storing' && this.#state !== 'passing') return;
    if (this.#lengthBytes !== null && this.#lengthBytes !== this.#body.end) {
      // RFC 9111, section 3.3: what is incomplete must not be stored, nor may it look complete to anybody.
      this.failed(new TidegateError('upstream_reset', 'The body is not as long as it was said to be.'));
      return;
    }
    if (this.#state === 'storing' && this.#head !== null) this.#place.put(this.#head, this.#body.settle());
    this.#state = 'complete';
    this.#parts.coalescer.remove(this);
    this.#audience.finish();
    if (this.#audience.size === 0) this.#over();
  }

  failed(error: TidegateError): void {
    if (this.#state === 'over' || this.#state === 'complete') return;
    if (this.#state !== 'asked') {
      this.#over();
      this.#audience.fail(error);
    } else if (this.#standIn(undefined) === 'refused') {
      this.#over();
      const { leader } = this.#audience;
      this.#audience.release();
      leader?.fail(error);
    }
  }

  attached(waiter: Waiter): void {
    if (this.#head === null || this.#state === 'over') return;
    this.#audience.answerOne(waiter, this.#replyAhead(this.#head));
    this.drained(waiter);
  }

  drained(waiter: Waiter): void {
    waiter.feed(this.#body);
    if (this.#state !== 'complete') this.#flowAgain();
    else {
      this.#audience.finishOne(waiter);
      if (this.#audience.size === 0) this.#over();
    }
  }

  left(waiter: Waiter): void {
    this.#audience.remove(waiter);
    if (this.#state === 'complete' && this.#audience.size === 0) this.#over();
    else if (this.#isNeeded()) this.#flowAgain();
  }

  /** Whether anybody, or the store, still wants the response; if not, the origin is told. */
  #isNeeded(): boolean {
    if (this.#state === 'over') return false;
    if (this.#audience.size > 0 || (this.#purpose === 'store' && this.#state !== 'passing')) return true;
    this.#over();
    this.#origin?.abort();
    return false;
  }

  /** Who paces may have changed, or may have caught up. */
  #flowAgain(): void {
    if (this.#state !== 'passing' || this.#arrival === 'flowing' || this.#audience.advance() === 'full')
      return;
    this.#arrival = 'flowing';
    this.#origin?.resume();
  }

  #over(): void {
    this.#state = 'over';
    this.#parts.coalescer.remove(this);
    this.#body.release();
  }

  #isTooLarge(moreBytes: number): boolean {
    return (
      this.#body.end + moreBytes > entryBytesMax(this.#parts.limits, this.plan.rule) ||
      !this.#parts.coalescer.budget.hasRoom(this.#body.growthFor(moreBytes))
    );
  }

  /** The body will not be stored; those who have its beginning get the rest too. */
  #outgrow(): void {
    this.#state = 'passing';
    this.#parts.marks.add(this.plan.key);
    this.#parts.coalescer.close(this);
    this.#isNeeded();
  }

  /** Whether the next ones should wait for each other, as far as this response tells. */
  #mark(head: ResponseHead): void {
    const { marks, clock } = this.#parts;
    if (isShareable(head, this.plan, this.plan, clock.monotonicMs())) marks.delete(this.plan.key);
    else marks.add(this.plan.key);
  }

  /** What each is told while the body is on its way; null for those who cannot share it. */
  #replyAhead(head: ResponseHead): (waiter: Waiter) => CacheReply | null {
    const nowMs = this.#parts.clock.monotonicMs();
    return (waiter) => {
      if (waiter !== this.#audience.leader && !isShareable(head, this.plan, waiter, nowMs)) return null;
      const cacheStatus = this.#status(waiter, head, nowMs);
      const reply = replyAhead(waiter.request, head, this.#lengthBytes, { cacheStatus, nowMs });
      // Somebody who needs no body is no reason to throw it away.
      if (reply.body !== null) this.#purpose = 'store';
      return reply;
    };
  }

  #status(waiter: Waiter, head: ResponseHead, nowMs: number, originStatus?: number): string {
    const role = waiter === this.#audience.leader ? 'leader' : 'follower';
    const storing = this.#place.isOutdated(this.#head) ? 'not-stored' : 'stored';
    return fetchedStatus(this.plan.reason, {
      role,
      storing,
      ttlSeconds: ttlSeconds(head, nowMs),
      originStatus,
    });
  }

  /** The origin has confirmed what is stored (RFC 9111, section 4.3.3). */
  #validated(stored: StoredResponse, headers: Headers): HeadOutcome {
    const context = headContext(this.#parts, this.plan, this.#startedMs);
    const head = headAfterValidation(stored, headers, context);
    this.#parts.store.remove(stored);
    this.#over();
    if (head === 'mismatch') {
      const { leader } = this.#audience;
      this.#audience.release();
      leader?.release();
      return 'done';
    }
    this.#parts.counters.validated.add(1);
    this.#head = head;
    const shown = head ?? stored.head;
    const response = head === null ? stored : this.#place.put(head, stored.body);
    if (head !== null) this.#mark(head);
    const nowMs = this.#parts.clock.monotonicMs();
    const replyFor = (waiter: Waiter): CacheReply | null => {
      const isFor =
        waiter === this.#audience.leader || (head !== null && isShareable(head, this.plan, waiter, nowMs));
      if (!isFor) return null;
      const cacheStatus = this.#status(waiter, shown, nowMs, 304);
      return replyFrom(waiter.request, response, { cacheStatus, nowMs });
    };
    this.#audience.answer(replyFor);
    return 'done';
  }

  /** Serves the stored response since the origin has failed (RFC 5861, section 4), if that may be. */
  #standIn(originStatus: number | undefined): 'served' | 'refused' {
    const { stored, terms, reason } = this.plan;
    if (stored === null) return 'refused';
    const nowMs = this.#parts.clock.monotonicMs();
    stored.restUntilMs = nowMs + this.#parts.limits.cacheOriginRestMs;
    if (!mayStandIn(stored, terms, nowMs) || this.#place.isOutdated(this.#head)) return 'refused';
    const cacheStatus = standInStatus(reason, ttlSeconds(stored.head, nowMs), originStatus);
    this.#over();
    this.#parts.counters.outcomes.stale_if_error.add(this.#audience.size);
    this.#audience.answer((waiter) => replyFrom(waiter.request, stored, { cacheStatus, nowMs }));
    return 'served';
  }

  /** What came is for the client alone that asked for it. */
  #unshared(status: number): HeadOutcome {
    const { stored, key } = this.plan;
    if (!FAILURES.has(status)) {
      this.#parts.marks.add(key);
      // What is stored is not what the origin answers any more (RFC 9111, section 4.3.3).
      if (stored !== null) this.#parts.store.remove(stored);
    }
    this.#over();
    const { leader } = this.#audience;
    this.#audience.release();
    return leader === null ? 'done' : 'pass';
  }
}
