import { type Clock, TidegateError, type Timer } from '../kernel/index.ts';
import type { LimitHits } from './limit-hits.ts';
import type { LimitOptions } from './options.ts';
import { TokenBucket } from './token-bucket.ts';

/** A subscriber that is delayed. */
export interface Delayed {
  /** It may be handed more. Never comes from within a call. */
  resume(): void;
}

/** What is held for as long as a subscription or connection goes on. */
export interface Share {
  readonly connections: number;
  readonly subscriptions: number;
}

/** How far somebody has used up its limits: one for all connections that count as one. */
export class Usage {
  readonly #clock: Clock;
  readonly #limits: LimitOptions;
  readonly #hits: LimitHits;
  readonly #publishes: TokenBucket | null;
  readonly #bytesOut: TokenBucket | null;
  readonly #delayed = new Set<Delayed>();
  #connections = 0;
  #subscriptions = 0;
  #resumeTimer: Timer | null = null;

  constructor(clock: Clock, limits: LimitOptions, hits: LimitHits) {
    const { publishesPerSecondMax, bytesOutPerSecondMax } = limits;
    this.#clock = clock;
    this.#limits = limits;
    this.#hits = hits;
    this.#publishes =
      publishesPerSecondMax === undefined ? null : new TokenBucket(clock, publishesPerSecondMax);
    this.#bytesOut = bytesOutPerSecondMax === undefined ? null : new TokenBucket(clock, bytesOutPerSecondMax);
  }

  /**
   * Takes a share, or nothing of it.
   * @throws TidegateError quota_exceeded
   */
  hold({ connections, subscriptions }: Share): void {
    const { connectionsMax, subscriptionsMax } = this.#limits;
    if (connectionsMax !== undefined && connections > 0 && this.#connections + connections > connectionsMax) {
      this.#hits.connections.add(1);
      throw new TidegateError('quota_exceeded', `${connectionsMax} connections are held already`);
    }
    if (subscriptionsMax !== undefined && this.#subscriptions + subscriptions > subscriptionsMax) {
      this.#hits.subscriptions.add(1);
      throw new TidegateError('quota_exceeded', `There may be ${subscriptionsMax} subscriptions at once`);
    }
    this.#connections += connections;
    this.#subscriptions += subscriptions;
  }

  release({ connections, subscriptions }: Share): void {
    this.#connections -= connections;
    this.#subscriptions -= subscriptions;
  }

  /** Why a message may not be published now; null if it may, which counts. */
  refusal(dataBytes: number): TidegateError | null {
    const { messageBytesMax, publishesPerSecondMax } = this.#limits;
    if (messageBytesMax !== undefined && dataBytes > messageBytesMax) {
      this.#hits.message_bytes.add(1);
      return new TidegateError(
        'body_too_large',
        `The credential allows messages of ${messageBytesMax} bytes`,
      );
    }
    if (this.#publishes === null || this.#publishes.take()) return null;
    this.#hits.publish_rate.add(1);
    return new TidegateError('rate_exceeded', `${publishesPerSecondMax} messages a second are allowed`, {
      retryAfterMs: this.#publishes.waitMs(1),
    });
  }

  /** A subscriber has been handed bytes. Returns whether it may be handed more; if not, it is resumed once it may. */
  handed(bytes: number, subscriber: Delayed): boolean {
    if (this.#bytesOut === null || this.#bytesOut.spend(bytes)) return true;
    this.#hits.bytes_out.add(1);
    this.#delayed.add(subscriber);
    if (this.#resumeTimer === null) this.#waitForBytes(this.#bytesOut);
    return false;
  }

  /** The subscriber has gone, and need not be resumed. */
  forget(subscriber: Delayed): void {
    if (!this.#delayed.delete(subscriber) || this.#delayed.size > 0 || this.#resumeTimer === null) return;
    this.#clock.clearTimer(this.#resumeTimer);
    this.#resumeTimer = null;
  }

  #waitForBytes(bucket: TokenBucket): void {
    this.#resumeTimer = this.#clock.setTimer(() => {
      // Others have been handed bytes since.
      if (bucket.waitMs(0) > 0) {
        this.#waitForBytes(bucket);
        return;
      }
      this.#resumeTimer = null;
      const resumed = [...this.#delayed];
      this.#delayed.clear();
      for (const subscriber of resumed) subscriber.resume();
    }, bucket.waitMs(0));
  }
}
