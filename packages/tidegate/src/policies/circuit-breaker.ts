import { SlidingCounts } from './sliding-counts.ts';

/** When a circuit opens and closes. */
export interface CircuitBreakerOptions {
  /** Failures within the window that open it. */
  readonly failures: number;
  /** But only if they are at least this share of the calls within the window. */
  readonly percent: number;
  readonly withinMs: number;
  /** How long it stays open before a trial, at first; twice as long after each trial that fails. */
  readonly openForMs: number;
  readonly openForMaxMs: number;
  /** Calls that are let through half-open; all have to succeed. */
  readonly trials: number;
}

export type CircuitState = 'closed' | 'open' | 'half_open';

/** What became of a call. `unknown` tells nothing of the origin: the client left, or the call was never made. */
export type CallOutcome = 'success' | 'failure' | 'unknown';

/**
 * What a call that was let through has to be given back with. A number: calls of an earlier state say nothing about a later one, and are
 * not counted.
 */
export type CallTicket = number;

/**
 * A circuit breaker. Closed, calls pass and are counted; after enough failures it opens, and calls are refused without asking the
 * origin. After a while it is half-open: a few calls are let through as trials. If all succeed it closes; one failure opens it
 * again, for twice as long. Which answers are failures is for the caller to say.
 */
export class CircuitBreaker {
  readonly #options: CircuitBreakerOptions;
  readonly #calls: SlidingCounts;
  readonly #failures: SlidingCounts;
  /** Grows with each change of state. */
  #generation = 1;
  #state: CircuitState = 'closed';
  #openUntilMs = 0;
  #openForMs: number;
  #trialsStarted = 0;
  #trialsSucceeded = 0;

  constructor(options: CircuitBreakerOptions) {
    this.#options = options;
    this.#calls = new SlidingCounts(options.withinMs);
    this.#failures = new SlidingCounts(options.withinMs);
    this.#openForMs = options.openForMs;
  }

  /** The state, as a call would find it at this time. */
  state(nowMs: number): CircuitState {
    return this.#state === 'open' && nowMs >= this.#openUntilMs ? 'half_open' : this.#state;
  }

  /**
   * Asks whether a call may be made.
   * @returns null if not; otherwise a ticket, which has to be given to `settle` exactly once
   */
  admit(nowMs: number): CallTicket | null {
    if (this.#state === 'open') {
      if (nowMs < this.#openUntilMs) return null;
      this.#enter('half_open');
    }
    if (this.#state === 'half_open') {
      if (this.#trialsStarted >= this.#options.trials) return null;
      this.#trialsStarted++;
    }
    return this.#generation;
  }

  /** In how many milliseconds a call may be let through; 0 if one may now or as soon as a trial ends. */
  retryAfterMs(nowMs: number): number {
    return this.#state === 'open' ? Math.max(0, this.#openUntilMs - nowMs) : 0;
  }

  /** Says what became of a call that was let through. */
  settle(ticket: CallTicket, outcome: CallOutcome, nowMs: number): void {
    if (ticket !== this.#generation) return;
    if (this.#state === 'half_open') this.#settleTrial(outcome, nowMs);
    else if (outcome !== 'unknown') this.#count(outcome, nowMs);
  }

  #settleTrial(outcome: CallOutcome, nowMs: number): void {
    // Another may try in its place.
    if (outcome === 'unknown') this.#trialsStarted--;
    else if (outcome === 'failure') {
      this.#openForMs = Math.min(this.#options.openForMaxMs, this.#openForMs * 2);
      this.#open(nowMs);
    } else if (++this.#trialsSucceeded === this.#options.trials) {
      this.#openForMs = this.#options.openForMs;
      this.#enter('closed');
    }
  }

  #count(outcome: 'success' | 'failure', nowMs: number): void {
    this.#calls.add(nowMs);
    if (outcome === 'success') return;
    this.#failures.add(nowMs);
    const { failures, percent } = this.#options;
    const failed = this.#failures.total(nowMs);
    if (failed >= failures && failed * 100 >= percent * this.#calls.total(nowMs)) this.#open(nowMs);
  }

  #open(nowMs: number): void {
    this.#openUntilMs = nowMs + this.#openForMs;
    this.#enter('open');
  }

  #enter(state: CircuitState): void {
    this.#state = state;
    this.#generation++;
    this.#trialsStarted = 0;
    this.#trialsSucceeded = 0;
    this.#calls.clear();
    this.#failures.clear();
  }
}
