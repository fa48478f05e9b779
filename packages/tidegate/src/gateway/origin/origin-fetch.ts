import type { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { type Expiring, TidegateError } from '../../kernel/index.ts';
import { type Attempt, type AttemptOutcome, isIdempotent, mayRetryKeptAlive } from '../routes/attempt.ts';
import { NONE_TRIED } from '../upstreams/balancing/index.ts';
import type { OriginExchange, OriginFailure, OriginHead, OriginReceiver, OriginRequest } from './exchange.ts';
import type { FetchOptions } from './fetch-options.ts';
import type { Http1Connection } from './http1-connection.ts';
import type { ConnectionWaiter } from './http1-pool.ts';
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
export class OriginFetch implements OriginReceiver, ConnectionWaiter, OriginExchange, Expiring {
  deadlineMs = Number.POSITIVE_INFINITY;
  readonly #options: FetchOptions;
  readonly #receiver: OriginReceiver;
  #stage: Stage = 'new';
  #target: OriginTarget | null = null;
  #connection: Http1Connection | null = null;
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
    return this.#connection?.write(slice) ?? true;
  }

  end(trailers: readonly string[]): void {
    this.#connection?.end(trailers);
  }

  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    // It is the client that does not read: the origin must not be blamed.
    this.deadlineMs = this.#options.deadlineMs;
    this.#connection?.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#expectWithin(this.#options.timeouts.idleMs);
    this.#connection?.resume();
  }

  abort(): void {
    if (this.#stage === 'over') return;
    const target = this.#target;
    const connection = this.#connection;
    const stage = this.#stage;
    this.#finish();
    if (stage === 'connecting') target?.withdraw(this);
    if (connection !== null) {
      target?.ended();
      connection.abort();
    }
  }

  // --- Attempts. ---

  #attempt(): void {
    const { targets, request, timeouts } = this.#options;
    // Where all others have been tried, one that failed is better than none.
    const target = targets.pick(this.#tried) ?? (this.#tried.length > 0 ? targets.pick(NONE_TRIED) : null);
    if (target === null) {
      this.#fail(new TidegateError('upstream_unavailable'));
      return;
    }
    this.#attempts++;
    this.#target = target;
    const mayRepeat = request.bodyBytes === 0 && isIdempotent(request.method);
    const connection = this.#isRenewed ? null : target.take(mayRepeat ? Number.POSITIVE_INFINITY : FRESH_MS);
    if (connection !== null) {
      this.#send(connection);
      return;
    }
    this.#stage = 'connecting';
    // The connector keeps the time of connecting; this is the time of those who wait for one to be free.
    this.#expectWithin(timeouts.firstByteMs + timeouts.connectMs);
    target.request(this, timeouts.connectMs);
  }

  connected(connection: Http1Connection): void {
    if (this.#stage === 'connecting') this.#send(connection);
    else this.#target?.giveBack(connection);
  }

  refused(error: TidegateError): void {
    if (this.#stage === 'connecting') this.failed({ error, reached: 'nothing' });
  }

  #send(connection: Http1Connection): void {
    this.#stage = 'asking';
    this.#connection = connection;
    this.#target?.began();
    if (this.#isHeldBack) this.#expectWithin(this.#options.context.continueTimeoutMs);
    else this.#expectWithin(this.#options.timeouts.firstByteMs);
    connection.begin(this.#requestFor(this.#target as OriginTarget), this);
  }

  #requestFor({ spec }: OriginTarget): OriginRequest {
    const { request, hostFrom } = this.#options;
    if (hostFrom === 'request') return request;
    return { ...request, fields: ['Host', spec.authority, ...request.fields.slice(2)] };
  }

  #expectWithin(timeoutMs: number): void {
    const { context, deadlineMs } = this.#options;
    this.deadlineMs = Math.min(deadlineMs, context.deadlines.after(timeoutMs));
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
      this.#connection?.releaseBody();
    } else {
      const what =
        this.#stage === 'answering' ? 'The answer stopped arriving.' : 'The answer did not begin in time.';
      this.#giveUp(new TidegateError('upstream_timeout', what));
    }
  }

  /** The attempt takes too long: its connection is of no use any more. */
  #giveUp(error: TidegateError): void {
    if (this.#stage === 'connecting') this.#target?.withdraw(this);
    this.#connection?.abort();
    this.failed({ error, reached: this.#connection === null ? 'nothing' : 'origin' });
  }

  // --- What the connection tells. ---

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
      const connection = this.#connection;
      this.#connection = null;
      this.#target?.ended();
      connection?.abort();
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
    const wasAsking = this.#connection !== null;
    this.#connection = null;
    if (wasAsking) this.#target?.ended();
    if (this.#stage !== 'answering') {
      if (failure.reached === 'idle_connection' && this.#renew()) return;
      this.#target?.failed(failure.error);
      const pauseMs = this.#pauseAfter(outcomeOf(failure), failure.reached === 'nothing' ? 'unsent' : 'sent');
      if (pauseMs !== null) {
        this.#askAgainIn(pauseMs);
        return;
      }
    } else {
      this.#target?.failed(failure.error);
    }
    this.#fail(failure.error, failure.reached);
  }

  /** The origin closed an idle connection while the request was on its way: it is made again on a new one, if that is safe. */
  #renew(): boolean {
    if (this.#isRenewed || !mayRetryKeptAlive(this.#attemptWith({ kind: 'reset' }, 'sent'))) return false;
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

  upgraded(socket: Socket, sentAhead: Buffer): void {
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
    this.#connection = null;
    this.deadlineMs = Number.POSITIVE_INFINITY;
    this.#options.context.deadlines.delete(this);
  }
}
