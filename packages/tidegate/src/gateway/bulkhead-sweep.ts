import type { Clock, Timer } from '../kernel/index.ts';
import type { Bulkhead } from '../policies/index.ts';

/** How often those who wait for a place in a bulkhead are looked at. */
const SWEEP_MS = 10;

/** Bulkheads know no timers: somebody has to tell those who wait that their time is over. While there are none, nothing is swept. */
export class BulkheadSweep {
  readonly #clock: Clock;
  /** By route. */
  readonly #bulkheads = new Map<string, Bulkhead>();
  #timer: Timer | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param bulkhead of the route; null if it has none any more */
  set(route: string, bulkhead: Bulkhead | null): void {
    if (bulkhead === null) this.#bulkheads.delete(route);
    else this.#bulkheads.set(route, bulkhead);
    if (this.#bulkheads.size === 0) this.stop();
    else this.#timer ??= this.#clock.setRepeatingTimer(() => this.#sweep(), SWEEP_MS);
  }

  stop(): void {
    if (this.#timer !== null) this.#clock.clearTimer(this.#timer);
    this.#timer = null;
  }

  #sweep(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const bulkhead of this.#bulkheads.values()) bulkhead.expire(nowMs);
  }
}
