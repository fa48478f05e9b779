import type { Clock, Timer } from '../kernel/index.ts';

/** Something that may not take forever. */
export interface Expiring {
  /** When it has taken too long, on the scale of `Deadlines.after`; infinite if it may take as long as it likes. */
  deadlineMs: number;
  expired(): void;
}

/**
 * The deadlines of a listener's connections, checked by one sweep. A timer per connection would cost memory in each and
 * work in each request; here a request stores one number, at the price that a deadline is met up to two sweeps late.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #entries = new Set<Expiring>();
  readonly #timer: Timer;
  /** The time of the last sweep, so that setting a deadline does not read the clock. */
  #nowMs: number;

  constructor(clock: Clock, intervalMs: number) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#nowMs = clock.monotonicMs();
    this.#timer = clock.setRepeatingTimer(() => this.#sweep(), intervalMs);
  }

  /** The deadline that lies at least `timeoutMs` ahead. */
  after(timeoutMs: number): number {
    return this.#nowMs + this.#intervalMs + timeoutMs;
  }

  add(entry: Expiring): void {
    this.#entries.add(entry);
  }

  delete(entry: Expiring): void {
    this.#entries.delete(entry);
  }

  stop(): void {
    this.#clock.clearTimer(this.#timer);
  }

  #sweep(): void {
    const nowMs = this.#clock.monotonicMs();
    this.#nowMs = nowMs;
    for (const entry of this.#entries) {
      if (entry.deadlineMs > nowMs) continue;
      // What expires sets a new deadline if it goes on.
      entry.deadlineMs = Number.POSITIVE_INFINITY;
      entry.expired();
    }
  }
}
