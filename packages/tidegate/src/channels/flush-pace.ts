import type { Clock } from '../kernel/index.ts';

/** How long handing over rests, as a share of how long it took: as long, so that half of the time is left for all that brings messages. */
const REST_SHARE = 1;
/** A hand-over follows another if it began within so many times of what that one had taken: as long as a rest, and some. */
const FOLLOWING_SHARE = REST_SHARE + 0.25;
/** So many that follow each other make a busy hub. Fewer are what a machine leaves behind that had other things to do for a moment. */
const FOLLOWING_BUSY = 4;

/**
 * Says when the live path may hand over. Each hand-over costs a system call for each subscriber, so that what comes in small
 * pieces had better come together: in a busy hub there is a rest after a small one, in which the messages that arrived meanwhile are read
 * and stored, to go out as one. A hub that is not busy never notices; and large pieces gain nothing and are not held up.
 */
export class FlushPace {
  readonly #clock: Clock;
  readonly #smallBytesMax: number;
  #restUntilMs = 0;
  #endedMs = Number.NEGATIVE_INFINITY;
  #tookMs = 0;
  #following = 0;

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
    const isFollowing = startedMs - this.#endedMs <= this.#tookMs * FOLLOWING_SHARE;
    const bytes = handOver();
    if (bytes === 0) return;
    this.#following = isFollowing ? this.#following + 1 : 0;
    this.#endedMs = this.#clock.monotonicMs();
    this.#tookMs = this.#endedMs - startedMs;
    if (this.#following >= FOLLOWING_BUSY && bytes <= this.#smallBytesMax)
      this.#restUntilMs = this.#endedMs + this.#tookMs * REST_SHARE;
  }
}
