import type { Clock, Timer } from '../kernel/index.ts';
import type { LimitHits } from './limit-hits.ts';
import { TokenBucket } from './token-bucket.ts';
import type { Delayed } from './usage.ts';

/** Called when no more may be handed to anybody for so long. */
export type ShortListener = (waitMs: number) => void;

/** The rate of bytes that the subscribers of somebody are handed. Who was handed more is delayed until it is paid back. */
export class ByteRate {
  readonly #clock: Clock;
  readonly #hits: LimitHits;
  readonly #bucket: TokenBucket;
  readonly #delayed = new Set<Delayed>();
  readonly #listeners = new Set<ShortListener>();
  #pausedUntilMs = Number.NEGATIVE_INFINITY;
  #resumeTimer: Timer | null = null;

  constructor(clock: Clock, perSecond: number, hits: LimitHits) {
    this.#clock = clock;
    this.#hits = hits;
    this.#bucket = new TokenBucket(clock, perSecond);
  }

  /** See `Usage.handed`. */
  handed(bytes: number, subscriber: Delayed): boolean {
    const isEnough = this.#bucket.spend(bytes);
    if (isEnough && this.#clock.monotonicMs() >= this.#pausedUntilMs) return true;
    this.#hits.bytes_out.add(1);
    this.#delayed.add(subscriber);
    if (this.#resumeTimer === null) this.#wait();
    return false;
  }

  /** See `Usage.forget`. */
  forget(subscriber: Delayed): void {
    if (!this.#delayed.delete(subscriber) || this.#delayed.size > 0 || this.#resumeTimer === null) return;
    this.#clock.clearTimer(this.#resumeTimer);
    this.#resumeTimer = null;
  }

  /** Subscribers in another process have been handed bytes. */
  spentElsewhere(bytes: number): void {
    if (!this.#bucket.spend(bytes)) this.#tell(this.#bucket.waitMs(0));
  }

  /** Hands nobody more for so long, whatever the rate says here: others have used it up. */
  pause(waitMs: number): void {
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, this.#clock.monotonicMs() + waitMs);
  }

  /** Tells when the rate is used up, and until when. Returns what ends it. */
  onShort(listener: ShortListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(waitMs: number): void {
    for (const listener of this.#listeners) listener(waitMs);
  }

  #waitMs(): number {
    const pausedMs = Math.ceil(this.#pausedUntilMs - this.#clock.monotonicMs());
    return Math.max(this.#bucket.waitMs(0), pausedMs);
  }

  #wait(): void {
    const waitMs = this.#waitMs();
    // Others go by what they were told last, so that they are told again when that time is over.
    this.#tell(waitMs);
    this.#resumeTimer = this.#clock.setTimer(() => {
      // Others have been handed bytes since.
      if (this.#waitMs() > 0) {
        this.#wait();
        return;
      }
      this.#resumeTimer = null;
      const resumed = [...this.#delayed];
      this.#delayed.clear();
      for (const subscriber of resumed) subscriber.resume();
    }, waitMs);
  }
}
