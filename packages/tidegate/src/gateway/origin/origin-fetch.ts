import type { Buffer } from 'node:buffer';
import type { Duplex } from 'node:stream';
import { type Expiring, TidegateError } from '../../kernel/index.ts';
import { type Attempt, type AttemptOutcome, isIdempotent, mayRetryKeptAlive } from '../routes/attempt.ts';
import { NONE_TRIED } from '../upstreams/balancing/index.ts';
import type { OriginExchange, OriginFailure, OriginHead, OriginReceiver } from './exchange.ts';
import type { FetchOptions } from './fetch-options.ts';
import type { LinkWaiter, OriginLink } from './origin-link.ts';
import type { OriginTarget } from './origin-target.ts';
import { outcomeOf } from './retry-run.ts';

/** A connection that was used so lately is not closed by an origin for being idle. */
const FRESH_MS = 1000;

/** What is under way: nothing, a connection, a pause before the next attempt, the answer's head, its body; or it is over. */
type Stage = 'new' | 'connecting' | 'pausing' | 'asking' | 'answering' | 'over';

/**
 * One request to an upstream, through as many attempts as it may take. Its receiver hears of the last one only. A request whose body was begun is
 * not made again, since nobody keeps the body.
 */
export class OriginFetch implements OriginReceiver, LinkWaiter, OriginExchange, Expiring {
  deadlineMs = Number.POSITIVE_INFINITY;
  readonly #options: FetchOptions;
  readonly #receiver: OriginReceiver;
  #stage: Stage = 'new';
  #target: OriginTarget | null = null;
  #link: OriginLink | null = null;
  #attempts = 0;
  #bodyBegun = false;
  /** The free attempt after a connection that was closed while it was idle has been made. */
  #isRenewed = false;
  #tried: readonly OriginTarget[] = NONE_TRIED;
  #isPaused = false;
  #isHeldBack: boolean;

  constructor(options: FetchOptions, receiver: OriginReceiver) {
    this.#options = options;
    this.#receiver = receiver;
    this.#isHeldBack = options.request.expects === 'continue';
  }

  /** Attempts that were begun. */
  get attempts(): number {
    return this.#attempts;
  }

  /** The target of the last attempt; null if there was none. */
  get target(): OriginTarget | null {
    return this.#target;
  }

  /** Begins. What goes wrong at once is told before it returns. */
  start(): void {
    if (this.#stage !== 'new') return;
    this.#options.context.deadlines.add(this);
    this.#attempt();
  }

  // --- What the one who asks does. ---

  write(slice: Buffer): boolean {
    this.#expectAnswer();
    return this.#link?.write(slice) ?? true;
  }

  end(trailers: readonly string[]): void {
    this.#expectAnswer();
    this.#link?.end(trailers);
  }

  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    // It is the client that does not read: the origin must not be blamed.
    this.deadlineMs = this.#options.deadlineMs;
    this.#link?.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#expectWithin(this.#options.timeouts.idleMs);
    this.#link?.resume();
  }

  abort(): void {
    if (this.#stage === 'over') return;
    const target = this.#target;
    const link = this.#link;
    const stage = this.#stage;
    this.#finish();
    if (stage === 'connecting') target?.withdraw(this);
    if (link !== null) {
      target?.ended();
      link.abort();
    }
  }

  // --- Attempts. ---

  #attempt(): void {
    const { targets, hash = 0, request, timeouts } = this.#options;
    // Where all others have been tried, one that failed is better than none.
    const target =
      targets.pick(hash, this.#tried) ?? (this.#tried.length > 0 ? targets.pick(hash, NONE_TRIED) : null);
    if (target === null) {
      this.#fail(new TidegateError('upstream_unavailable'));
      return;
    }
    this.#attempts++;
    this.#target = target;
    const mayRepeat = request.bodyBytes === 0 && isIdempotent(request.method);
    const link = this.#isRenewed ? null : target.take(mayRepeat ? Number.POSITIVE_INFINITY : FRESH_MS);
    if (link !== null) {
      this.#send(link);
      return;
    }
    this.#stage = 'connecting';
    // The connector keeps the time of connecting; this is the time of those who wait for one to be free.
    this.#expectWithin(timeouts.firstByteMs + timeouts.connectMs);
    target.request(this, timeouts.connectMs);
  }

  connected(link: OriginLink): void {
    if (this.#stage === 'connecting') this.#send(link);
    else link.giveBack();
  }

  refused(error: TidegateError): void {
    if (this.#stage === 'connecting') this.failed({ error, reached: 'nothing' });
  }

  #send(link: OriginLink): void {
    this.#stage = 'asking';
    this.#link = link;
    this.#target?.began();
    const { context, timeouts } = this.#options;
    this.#expectWithin(this.#isHeldBack ? context.continueTimeoutMs : timeouts.firstByteMs);
    const { request, hostFrom } = this.#options;
    const host = hostFrom === 'request' ? null : (this.#target as OriginTarget).spec.authority;
    link.begin(request, host, this);
  }

  #expectWithin(timeoutMs: number): void {
    const { context, deadlineMs } = this.#options;
    this.deadlineMs = Math.min(deadlineMs, context.deadlines.after(timeoutMs));
  }

  /** The time of the first byte counts from the end of the request: while its body is on its way, there may be none. */
  #expectAnswer(): void {
    if (this.#stage === 'asking' && !this.#isHeldBack) this.#expectWithin(this.#options.timeouts.firstByteMs);
  }

  expired(): void {
    const { context, deadlineMs, timeouts } = this.#options;
    if (context.deadlines.nowMs >= deadlineMs) {
      this.#giveUp(new TidegateError('deadline_exceeded'));
    } else if (this.#stage === 'pausing') {
      this.#attempt();
    } else if (this.#stage === 'asking' && this.#isHeldBack) {
      // An origin that does not know the expectation says nothing of it (RFC 9110, section 10.1.1).
      this.#isHeldBack = false;
      this.#expectWithin(timeouts.firstByteMs);
      this.#link?.releaseBody();
    } else {
      const what = this.#stage === 'answering' ? 'stopped arriving' : 'did not begin in time';
      this.#giveUp(new TidegateError('upstream_timeout', `The answer ${what}.`));
    }
  }

  /** The attempt takes too long: its connection is of no use any more. */
  #giveUp(error: TidegateError): void {
    if (this.#stage === 'connecting') this.#target?.withdraw(this);
    this.#link?.abort();
    this.failed({ error, reached: this.#link === null ? 'nothing' : 'origin' });
  }

  // --- What the link tells. ---

  bodyWanted(): void {
    // From here on the client's body is being used up.
    this.#bodyBegun = true;
    if (this.#isHeldBack) {
      this.#isHeldBack = false;
      this.#expectWithin(this.#options.timeouts.firstByteMs);
    }
    this.#receiver.bodyWanted();
  }

  interim(status: number, fields: readonly string[]): void {
    this.#receiver.interim(status, fields);
  }

  head(head: OriginHead): void {
    this.#target?.answered(head.status);
    const pauseMs = this.#pauseAfter({ kind: 'status', status: head.status }, 'sent');
    if (pauseMs !== null) {
      const link = this.#link;
      this.#link = null;
      this.#target?.ended();
      link?.abort();
      this.#askAgainIn(pauseMs);
      return;
    }
    this.#stage = 'answering';
    this.#expectWithin(this.#options.timeouts.idleMs);
    this.#receiver.head(head);
  }

  data(slice: Buffer): void {
    if (!this.#isPaused) this.#expectWithin(this.#options.timeouts.idleMs);
    this.#receiver.data(slice);
  }

  answerEnded(trailers: readonly string[]): void {
    this.#target?.ended();
    this.#finish();
    this.#receiver.answerEnded(trailers);
  }

  failed(failure: OriginFailure): void {
    if (this.#stage === 'over') return;
    const wasAsking = this.#link !== null;
    this.#link = null;
    if (wasAsking) this.#target?.ended();
    const isAnswering = this.#stage === 'answering';
    if (wasAsking && !isAnswering && this.#renew(failure.reached)) return;
    this.#target?.failed(failure.error);
    if (!isAnswering) {
      const pauseMs = this.#pauseAfter(outcomeOf(failure), failure.reached === 'nothing' ? 'unsent' : 'sent');
      if (pauseMs !== null) {
        this.#askAgainIn(pauseMs);
        return;
      }
    }
    this.#fail(failure.error, failure.reached);
  }

  /** A request that an idle connection or the origin did not take is made again, if it may be (RFC 9112, section 9.3.1; RFC 9113, section 8.7). */
  #renew(reached: OriginFailure['reached']): boolean {
    if (reached === 'origin' || this.#isRenewed) return false;
    const sent = reached === 'nothing' ? 'unsent' : 'sent';
    if (!mayRetryKeptAlive(this.#attemptWith({ kind: 'reset' }, sent))) return false;
    this.#isRenewed = true;
    this.#attempts--;
    this.#attempt();
    return true;
  }

  #pauseAfter(outcome: AttemptOutcome, request: Attempt['request']): number | null {
    const { retry } = this.#options;
    return retry === null ? null : retry.pauseAfter(this.#attemptWith(outcome, request));
  }

  #attemptWith(outcome: AttemptOutcome, sent: Attempt['request']): Attempt {
    const { request } = this.#options;
    return {
      number: this.#attempts,
      method: request.method,
      outcome,
      request: sent,
      replay: this.#bodyBegun || request.upgrade !== null ? 'impossible' : 'possible',
    };
  }

  #askAgainIn(pauseMs: number): void {
    const { context, deadlineMs } = this.#options;
    if (this.#target !== null) this.#tried = [...this.#tried, this.#target];
    this.#stage = 'pausing';
    this.deadlineMs = Math.min(deadlineMs, context.deadlines.after(pauseMs));
    if (pauseMs === 0) this.#attempt();
  }

  drained(): void {
    this.#receiver.drained();
  }

  upgraded(socket: Duplex, sentAhead: Buffer): void {
    this.#target?.ended();
    this.#finish();
    this.#receiver.upgraded(socket, sentAhead);
  }

  #fail(error: TidegateError, reached: OriginFailure['reached'] = 'nothing'): void {
    this.#finish();
    this.#receiver.failed({ error, reached });
  }

  #finish(): void {
    this.#stage = 'over';
    this.#link = null;
    this.deadlineMs = Number.POSITIVE_INFINITY;
    this.#options.context.deadlines.delete(this);
  }
}
