import type { Clock, Timer } from './clock.ts';

/** Something that may not take forever. */
export interface Expiring {
  /** When it has taken too long, on the scale of `Deadlines.after`; infinite if it may take as long as it likes. */
  deadlineMs: number;
  expired(): void;
}

/**
 * The deadlines of many things, such as a listener's connections, checked by one sweep. A timer for each would cost memory in each and
 * work in each request; here a request stores one number, at the price that a deadline is met up to two sweeps late. While there is
 * nothing to look at, nothing is swept.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #entries = new Set<Expiring>();
  #timer: Timer | null = null;
  #isStopped = false;
  /** The time of the last sweep, so that setting a deadline does not read the clock. */
  #nowMs = 0;

  constructor(clock: Clock, intervalMs: number) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
  }

  /** The time of the last sweep, which is what deadlines are compared with. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** The deadline that lies at least `timeoutMs` ahead. */
  after(timeoutMs: number): number {
    if (this.#timer === null) this.#nowMs = this.#clock.monotonicMs();
    return this.#nowMs + this.#intervalMs + timeoutMs;
  }

  add(entry: Expiring): void {
    this.#entries.add(entry);
    if (this.#timer !== null || this.#isStopped) return;
    this.#nowMs = this.#clock.monotonicMs();
    this.#timer = this.#clock.setRepeatingTimer(() => this.#sweep(), this.#intervalMs);
  }

  delete(entry: Expiring): void {
    this.#entries.delete(entry);
  }

  stop(): void {
    this.#isStopped = true;
    this.#rest();
  }

  #rest(): void {
    if (this.#timer !== null) this.#clock.clearTimer(this.#timer);
    this.#timer = null;
  }

  #sweep(): void {
    const nowMs = this.#clock.monotonicMs();
    this.#nowMs = nowMs;
    if (this.#entries.size === 0) this.#rest();
    for (const entry of this.#entries) {
      if (entry.deadlineMs > nowMs) continue;
      // What expires sets a new deadline if it goes on.
      entry.deadlineMs = Number.POSITIVE_INFINITY;
      entry.expired();
    }
  }
}
