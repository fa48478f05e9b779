import type { Clock, Timer } from '../kernel/index.ts';
import type { Audience } from './audience.ts';

/** How many slices one round of keep-alives has, so that thousands of silent connections are not written to at once. */
const SLICES = 64;

/** Sends a keep-alive to live subscribers whose audience was silent for an interval. */
export class KeepAlive {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #audiences: Iterable<Audience>;
  readonly #subscriptions: () => number;
  readonly #timer: Timer;
  #round: Iterator<Audience> | null = null;
  #current: Audience | null = null;
  #index = 0;

  constructor(clock: Clock, intervalMs: number, audiences: Iterable<Audience>, subscriptions: () => number) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#audiences = audiences;
    this.#subscriptions = subscriptions;
    this.#timer = clock.setRepeatingTimer(() => this.#slice(), Math.max(10, Math.floor(intervalMs / SLICES)));
  }

  close(): void {
    this.#clock.clearTimer(this.#timer);
  }

  /**
   * Goes on where the last slice ended, for a share of all live members. A round takes half an interval, so that nobody is
   * silent for longer than one and a half.
   */
  #slice(): void {
    let share = Math.ceil((2 * this.#subscriptions()) / SLICES) + 1;
    this.#round ??= this.#audiences[Symbol.iterator]();
    const now = this.#clock.monotonicMs();
    while (share > 0) {
      if (this.#current === null) {
        const next = this.#round.next();
        if (next.done === true) {
          this.#round = null;
          return;
        }
        if (now - next.value.lastSentMs < this.#intervalMs) {
          share--;
          continue;
        }
        this.#current = next.value;
        this.#index = 0;
      }
      const audience = this.#current;
      const to = Math.min(audience.live.count, this.#index + share);
      if (to > this.#index) audience.keepAlive(this.#index, to);
      share -= Math.max(1, to - this.#index);
      this.#index = to;
      if (to >= audience.live.count) this.#current = null;
    }
  }
}
