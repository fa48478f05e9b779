import type { PublishedEvent } from '../channels/index.ts';
import type { Clock } from '../kernel/index.ts';
import { ByteRate } from './byte-rate.ts';
import { EventLimits, type Granted, takenOf } from './event-limits.ts';
import type { LimitHits } from './limit-hits.ts';
import type { LimitOptions } from './options.ts';
import type { Share } from './port.ts';
import { type ShareLimit, shareRefusal } from './share-limits.ts';
import { TokenBucket } from './token-bucket.ts';
import type { Delayed, Usage, Verdicts } from './usage.ts';

/** A usage that is counted in this process. Everything is known at once. */
export class LocalUsage implements Usage {
  readonly #limits: LimitOptions;
  readonly #hits: LimitHits;
  readonly #events: EventLimits;
  readonly #publishes: TokenBucket | null;
  readonly #bytesOut: ByteRate | null;
  #connections = 0;
  #subscriptions = 0;

  constructor(clock: Clock, limits: LimitOptions, hits: LimitHits) {
    const { publishesPerSecondMax, bytesOutPerSecondMax } = limits;
    this.#limits = limits;
    this.#hits = hits;
    this.#events = new EventLimits(limits, hits);
    this.#publishes =
      publishesPerSecondMax === undefined ? null : new TokenBucket(clock, publishesPerSecondMax);
    this.#bytesOut =
      bytesOutPerSecondMax === undefined ? null : new ByteRate(clock, bytesOutPerSecondMax, hits);
  }

  admit(_share: Share, _times: number, ready: () => void): void {
    ready();
  }

  hold(share: Share): void {
    const short = this.tryHold(share);
    if (short !== null) throw shareRefusal(short, this.#limits, this.#hits);
  }

  release({ connections, subscriptions }: Share): void {
    this.#connections -= connections;
    this.#subscriptions -= subscriptions;
  }

  judge(events: readonly PublishedEvent[], done: Verdicts): void {
    const refusals = this.#events.refuseLarge(events);
    if (this.#publishes !== null) this.#events.refuseAbove(refusals, this.takeEvents(takenOf(refusals)));
    done(refusals, events);
  }

  handed(bytes: number, subscriber: Delayed): boolean {
    return this.#bytesOut === null || this.#bytesOut.handed(bytes, subscriber);
  }

  forget(subscriber: Delayed): void {
    this.#bytesOut?.forget(subscriber);
  }

  // --- What other processes ask, which count themselves what they refuse. ---

  /** Takes a share, or nothing of it. Tells which limit it would go beyond; null if it is held. */
  tryHold({ connections, subscriptions }: Share): ShareLimit | null {
    const { connectionsMax, subscriptionsMax } = this.#limits;
    if (connectionsMax !== undefined && connections > 0 && this.#connections + connections > connectionsMax)
      return 'connections';
    if (subscriptionsMax !== undefined && this.#subscriptions + subscriptions > subscriptionsMax)
      return 'subscriptions';
    this.#connections += connections;
    this.#subscriptions += subscriptions;
    return null;
  }

  /** Takes as much of the rate of publishing as there is, up to `wanted`. */
  takeEvents(wanted: number): Granted {
    const bucket = this.#publishes;
    if (bucket === null) return { count: wanted, retryAfterMs: 0 };
    let count = 0;
    while (count < wanted && bucket.take()) count++;
    return { count, retryAfterMs: count === wanted ? 0 : bucket.waitMs(1) };
  }

  /** Subscribers in another process have been handed bytes. Returns how long they have to wait, in milliseconds. */
  spentElsewhere(bytes: number): number {
    return this.#bytesOut?.spentElsewhere(bytes) ?? 0;
  }
}
