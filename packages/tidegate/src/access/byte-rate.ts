import type { Clock, Timer } from '../kernel/index.ts';
import type { LimitHits } from './limit-hits.ts';
import { TokenBucket } from './token-bucket.ts';
import type { Delayed } from './usage.ts';

/**
 * The rate of bytes that the subscribers of somebody are handed. Who was handed more is delayed until it is paid back. Where several processes
 * share a rate, each waits for what all had spent when it had spent the last time, and not for what others spend while it waits: so the sum
 * keeps to the rate, and none of them is passed over.
 */
export class ByteRate {
  readonly #clock: Clock;
  readonly #perSecond: number;
  readonly #hits: LimitHits;
  readonly #bucket: TokenBucket;
  readonly #delayed = new Set<Delayed>();
  /** Until then nobody is handed more. */
  #dueMs = Number.NEGATIVE_INFINITY;
  #resumeTimer: Timer | null = null;
  /** Whether it is not known yet until when nobody is handed more. */
  #isSuspended = false;

  constructor(clock: Clock, perSecond: number, hits: LimitHits) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#hits = hits;
    this.#bucket = new TokenBucket(clock, perSecond);
  }

  /** See `Usage.handed`. */
  handed(bytes: number, subscriber: Delayed): boolean {
    const isEnough = this.#bucket.spend(bytes);
    const nowMs = this.#clock.monotonicMs();
    if (this.#isSuspended) this.#dueMs = Math.max(this.#dueMs, nowMs + this.#bucket.waitMs(0));
    else if (this.#resumeTimer !== null) this.#dueMs += (bytes / this.#perSecond) * 1000;
    else if (isEnough && nowMs >= this.#dueMs) return true;
    else this.#dueMs = Math.max(this.#dueMs, nowMs + this.#bucket.waitMs(0));
    this.#hits.bytes_out.add(1);
    this.#delayed.add(subscriber);
    if (this.#resumeTimer === null && !this.#isSuspended) this.#wait();
    return false;
  }

  /** See `Usage.forget`. */
  forget(subscriber: Delayed): void {
    if (!this.#delayed.delete(subscriber) || this.#delayed.size > 0 || this.#resumeTimer === null) return;
    this.#clock.clearTimer(this.#resumeTimer);
    this.#resumeTimer = null;
  }

  /** Subscribers in another process have been handed bytes. Returns how long they have to wait, in milliseconds. */
  spentElsewhere(bytes: number): number {
    return this.#bucket.spend(bytes) ? 0 : this.#bucket.waitMs(0);
  }

  /** Hands nobody more until `goOn` says how long that is. */
  suspend(): void {
    this.#isSuspended = true;
  }

  /** Hands nobody more for so long, whatever the rate says here: it is shared with others. */
  goOn(waitMs: number): void {
    this.#isSuspended = false;
    this.#dueMs = Math.max(this.#dueMs, this.#clock.monotonicMs() + waitMs);
    if (this.#resumeTimer === null && this.#delayed.size > 0) this.#wait();
  }

  #wait(): void {
    this.#resumeTimer = this.#clock.setTimer(
      () => {
        // More has been handed out since, or there is a pause.
        this.#resumeTimer = null;
        if (this.#isSuspended) return;
        if (this.#clock.monotonicMs() < this.#dueMs) {
          this.#wait();
          return;
        }
        const resumed = [...this.#delayed];
        this.#delayed.clear();
        for (const subscriber of resumed) subscriber.resume();
      },
      Math.max(0, Math.ceil(this.#dueMs - this.#clock.monotonicMs())),
    );
  }
}
