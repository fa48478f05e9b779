import { type Clock, type Limits, type Random, TidegateError, type Timer } from '../../kernel/index.ts';
import { type Failure, failureOfError, failureOfStatus, fieldOf } from './failure.ts';
import { PollPace } from './poll-pace.ts';
import type { FetchOrigin, OriginFields, OriginResponse } from './port.ts';

/** Learns what polls bring. */
export interface PollerOwner {
  /** A new answer. Returns why it is of no use, if it is not: that counts as a failed poll. */
  answered(response: OriginResponse): Failure | null;
  /** The origin says that its last answer still holds. */
  confirmed(): void;
  failed(failure: Failure): void;
}

export interface PollerOptions {
  readonly clock: Clock;
  readonly limits: Limits;
  readonly random: Random;
  readonly target: string;
  /** What every poll says besides its conditions. */
  readonly headers: OriginFields;
  readonly everyMs: number;
}

/** What an answer gave to recognise it by. */
interface Validators {
  readonly conditions: OriginFields;
  readonly tag: string | null;
}

interface Poll {
  readonly startedMs: number;
  timeout: Timer | null;
  call: { abort(): void } | null;
}

/**
 * Asks an origin for one value again and again, while it is started: one request at a time, on the condition that the value has
 * changed (RFC 9110, sections 13.1.2 and 13.1.3).
 */
export class OriginPoller {
  readonly #options: PollerOptions;
  readonly #owner: PollerOwner;
  readonly #pace: PollPace;
  #fetch: FetchOrigin;
  #isStarted = false;
  #nextMs = Number.NEGATIVE_INFINITY;
  #timer: Timer | null = null;
  #poll: Poll | null = null;
  #validators: Validators = { conditions: [], tag: null };

  constructor(options: PollerOptions, owner: PollerOwner, fetch: FetchOrigin) {
    this.#options = options;
    this.#owner = owner;
    this.#fetch = fetch;
    this.#pace = new PollPace(options.everyMs, options.limits, options.random);
  }

  /** The origin's own tag of the value; null if it gave none. */
  get tag(): string | null {
    return this.#validators.tag;
  }

  /** What was last learnt is too old to begin with: starting would poll at once. */
  get isDue(): boolean {
    return this.#options.clock.monotonicMs() >= this.#nextMs;
  }

  /** Makes further polls go this way: that of the newest request, as routes may have been changed since. */
  use(fetch: FetchOrigin): void {
    this.#fetch = fetch;
  }

  /** Begins, with a poll at once if one is due. */
  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#proceed();
  }

  /** No more polls. One that is under way is given up, and its answer not waited for. */
  stop(): void {
    this.#isStarted = false;
    if (this.#timer !== null) this.#options.clock.clearTimer(this.#timer);
    this.#timer = null;
    const poll = this.#poll;
    this.#poll = null;
    this.#giveUp(poll);
  }

  #proceed(): void {
    if (!this.#isStarted || this.#poll !== null || this.#timer !== null) return;
    const { clock } = this.#options;
    const waitMs = this.#nextMs - clock.monotonicMs();
    if (waitMs <= 0) {
      this.#begin();
      return;
    }
    this.#timer = clock.setTimer(() => {
      this.#timer = null;
      // Timers may be early by a fraction of a millisecond, which is no reason for another.
      if (this.#isStarted) this.#begin();
    }, Math.ceil(waitMs));
  }

  #begin(): void {
    const { clock, limits, target, headers } = this.#options;
    const poll: Poll = { startedMs: clock.monotonicMs(), timeout: null, call: null };
    this.#poll = poll;
    const call = this.#fetch(
      { target, headers: [...headers, ...this.#validators.conditions] },
      (error, response) => {
        if (this.#poll !== poll) return;
        this.#end(poll, response ?? failureOfError(error ?? new TidegateError('internal')));
      },
    );
    // The answer may have been at hand.
    if (this.#poll !== poll) return;
    poll.call = call;
    poll.timeout = clock.setTimer(() => {
      this.#giveUp(poll);
      this.#end(poll, failureOfError(new TidegateError('upstream_timeout')));
    }, limits.livePollTimeoutMs);
  }

  #giveUp(poll: Poll | null): void {
    if (poll === null) return;
    if (poll.timeout !== null) this.#options.clock.clearTimer(poll.timeout);
    poll.timeout = null;
    poll.call?.abort();
  }

  #end(poll: Poll, result: OriginResponse | Failure): void {
    const { clock } = this.#options;
    this.#poll = null;
    if (poll.timeout !== null) clock.clearTimer(poll.timeout);
    const outcome = 'status' in result ? this.#judge(result) : result;
    const failure = outcome === 'confirmed' || outcome === 'answered' ? null : outcome;
    const endedMs = clock.monotonicMs();
    this.#nextMs =
      failure === null
        ? this.#pace.afterSuccess(poll.startedMs, endedMs)
        : this.#pace.afterFailure(endedMs, failure.retryAfterMs);
    if (failure !== null) this.#owner.failed(failure);
    else if (outcome === 'confirmed') this.#owner.confirmed();
    this.#proceed();
  }

  #judge(response: OriginResponse): 'confirmed' | 'answered' | Failure {
    const { status, headers } = response;
    // Without conditions, nothing was asked to be unmodified.
    if (status === 304 && this.#validators.conditions.length > 0) return 'confirmed';
    if (status < 200 || status >= 300) return failureOfStatus(response, this.#options.clock.nowMs());
    const before = this.#validators;
    this.#validators = validatorsOf(headers);
    const failure = this.#owner.answered(response);
    if (failure === null) return 'answered';
    // An answer that was of no use must not be asked to be confirmed.
    this.#validators = before;
    return failure;
  }
}

function validatorsOf(headers: OriginFields): Validators {
  const conditions: [string, string][] = [];
  const tag = fieldOf(headers, 'etag');
  const modified = fieldOf(headers, 'last-modified');
  if (tag !== undefined) conditions.push(['if-none-match', tag]);
  // RFC 9110, section 13.1.3: with a tag, the date is for caches on the way that know none.
  if (modified !== undefined) conditions.push(['if-modified-since', modified]);
  return { conditions, tag: tag ?? null };
}
