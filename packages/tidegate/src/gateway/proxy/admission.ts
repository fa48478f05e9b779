import { type Clock, TidegateError } from '../../kernel/index.ts';
import type { Headers } from '../../listeners/port.ts';
import {
  assertInTime,
  type BulkheadGuest,
  type BulkheadPlace,
  type CallOutcome,
  type CallTicket,
  deadlineOf,
  REQUEST_TIMEOUT_HEADER,
} from '../../policies/index.ts';
import type { RouteRun } from '../route-run.ts';
import { hasPassed } from './request-fields.ts';

/** How a request ended: with the status of the origin, with an error of the gateway, or by the client's leaving. */
export type ProxyOutcome = number | TidegateError | 'client_left';

/** Who wants to be let in. */
export interface Applicant {
  /** May ask the origin now. Throws what keeps it from doing so. */
  admitted(): void;
  /** May not, by an error of the route's rules. */
  refused(error: TidegateError): void;
}

/** What a request has to pass before its origin is asked: the deadline of its client, the bulkhead and the circuit of its route. */
export class Admission implements BulkheadGuest {
  readonly #run: RouteRun;
  readonly #clock: Clock;
  readonly #applicant: Applicant;
  /** When the client does not wait any longer, as `Clock.nowMs`; null if it does not say. */
  deadlineMs: number | null = null;
  #place: BulkheadPlace | null = null;
  #isInside = false;
  #ticket: CallTicket | null = null;

  constructor(run: RouteRun, clock: Clock, applicant: Applicant) {
    this.#run = run;
    this.#clock = clock;
    this.#applicant = applicant;
  }

  /**
   * Lets the applicant in before it returns, or has it wait.
   * @returns whether it waits
   * @throws TidegateError gateway_loop, http_malformed, deadline_exceeded, bulkhead_full, circuit_open, and what the applicant throws
   */
  seek(headers: Headers): 'admitted' | 'waits' {
    const { route, bulkhead, requestRules } = this.#run;
    if (hasPassed(headers, requestRules.viaName)) throw new TidegateError('gateway_loop');
    if (route.deadline !== null) {
      const nowMs = this.#clock.nowMs();
      const { header, defaultMs } = route.deadline;
      const told = { deadline: headers.get(header), timeout: headers.get(REQUEST_TIMEOUT_HEADER) };
      this.deadlineMs = deadlineOf(told, nowMs) ?? (defaultMs === null ? null : nowMs + defaultMs);
      assertInTime(this.deadlineMs, nowMs);
    }
    if (bulkhead !== null) {
      const waitMs = Math.min(route.bulkhead?.waitMs ?? 0, this.timeLeftMs);
      const place = bulkhead.enter(this, this.#clock.monotonicMs() + waitMs);
      if (place === 'full') throw new TidegateError('bulkhead_full');
      if (place !== 'entered') {
        this.#place = place;
        return 'waits';
      }
      this.#isInside = true;
    }
    this.#enter();
    return 'admitted';
  }

  /** Does not want in any more. */
  cancel(): void {
    this.#place?.cancel();
    this.#place = null;
  }

  /** Until the client's deadline; infinite if there is none. */
  get timeLeftMs(): number {
    return this.deadlineMs === null
      ? Number.POSITIVE_INFINITY
      : Math.max(0, this.deadlineMs - this.#clock.nowMs());
  }

  /** Tells the circuit what became of asking. */
  settle(outcome: ProxyOutcome): void {
    const ticket = this.#ticket;
    if (ticket === null) return;
    this.#ticket = null;
    this.#run.breaker?.settle(ticket, this.#callOutcome(outcome), this.#clock.monotonicMs());
  }

  /** The origin has nothing more to do with the request. */
  leave(outcome: ProxyOutcome): void {
    this.settle(outcome);
    if (!this.#isInside) return;
    this.#isInside = false;
    this.#run.bulkhead?.leave(this.#clock.monotonicMs());
  }

  entered(): void {
    this.#isInside = true;
    this.#place = null;
    try {
      assertInTime(this.deadlineMs, this.#clock.nowMs());
      this.#enter();
    } catch (error) {
      this.#applicant.refused(TidegateError.from(error));
    }
  }

  expired(): void {
    this.#place = null;
    this.#applicant.refused(new TidegateError('bulkhead_full', 'No place became free in time.'));
  }

  #enter(): void {
    const { breaker } = this.#run;
    if (breaker !== null) {
      const nowMs = this.#clock.monotonicMs();
      this.#ticket = breaker.admit(nowMs);
      if (this.#ticket === null)
        throw new TidegateError('circuit_open', '', { retryAfterMs: breaker.retryAfterMs(nowMs) });
    }
    this.#applicant.admitted();
  }

  #callOutcome(outcome: ProxyOutcome): CallOutcome {
    if (outcome === 'client_left') return 'unknown';
    if (typeof outcome === 'number')
      return this.#run.route.breaker?.statuses.has(outcome) === true ? 'failure' : 'success';
    return outcome.entry.blame === 'client' ? 'unknown' : 'failure';
  }
}
