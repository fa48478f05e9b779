import type { Clock } from '../kernel/index.ts';

/** How long handing over rests, as a share of how long it took: as long, so that half of the time is left for all that brings messages. */
const REST_SHARE = 1;

/**
 * Says when the live path may hand over. Each hand-over costs a system call for each subscriber, so that what comes in small
 * pieces had better come together: after a small one there is a rest, in which the messages that arrived meanwhile are read and
 * stored, to go out as one. A hub that is not busy never notices; and large pieces gain nothing and are not held up.
 */
export class FlushPace {
  readonly #clock: Clock;
  readonly #smallBytesMax: number;
  #restUntilMs = 0;

  /** @param smallBytesMax what is small: a hand-over of up to so many bytes */
  constructor(clock: Clock, smallBytesMax: number) {
    this.#clock = clock;
    this.#smallBytesMax = smallBytesMax;
  }

  get isResting(): boolean {
    return this.#clock.monotonicMs() < this.#restUntilMs;
  }

  /** @param handOver answers how many bytes of the log it handed over */
  run(handOver: () => number): void {
    const startedMs = this.#clock.monotonicMs();
    const bytes = handOver();
    if (bytes === 0 || bytes > this.#smallBytesMax) return;
    const endedMs = this.#clock.monotonicMs();
    this.#restUntilMs = endedMs + (endedMs - startedMs) * REST_SHARE;
  }
}
