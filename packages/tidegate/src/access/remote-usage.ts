import { Buffer } from 'node:buffer';
import type { PublishedEvent } from '../channels/index.ts';
import { type Clock, type Limits, TidegateError } from '../kernel/index.ts';
import { ByteRate } from './byte-rate.ts';
import { EventLimits, takenOf } from './event-limits.ts';
import type { LimitHits } from './limit-hits.ts';
import type { LimitOptions } from './options.ts';
import type { Share } from './port.ts';
import { isNothing, shareRefusal } from './share-limits.ts';
import type { Delayed, Usage, Verdicts } from './usage.ts';
import type { Admitted } from './usage-messages.ts';
import type { OwnerOfUsage } from './usage-owner.ts';

/** What a usage needs that is counted in another process. */
export interface RemoteUsageOptions {
  readonly clock: Clock;
  readonly serverLimits: Limits;
  readonly hits: LimitHits;
  readonly limits: LimitOptions;
  /** The process that counts it. */
  readonly owner: OwnerOfUsage;
}

/** What was granted, and is held by whoever asks for it until `ready` returns. */
interface InHand {
  connections: number;
  subscriptions: number;
  /** Why there is no more. */
  readonly end: Admitted | TidegateError;
}

/** A usage that the owner of the log counts, for all processes together. */
export class RemoteUsage implements Usage {
  readonly #options: RemoteUsageOptions;
  readonly #events: EventLimits;
  readonly #bytesOut: ByteRate | null;
  readonly #countsShares: boolean;
  #inHand: InHand | null = null;
  #bytesSpent = 0;
  #reportsSoon = false;
  /** Until then it is likely that all processes together use up the rate of bytes. */
  #tightUntilMs = Number.NEGATIVE_INFINITY;

  constructor(options: RemoteUsageOptions) {
    const { clock, limits, hits } = options;
    const { bytesOutPerSecondMax, connectionsMax, subscriptionsMax } = limits;
    this.#options = options;
    this.#events = new EventLimits(limits, hits);
    this.#bytesOut =
      bytesOutPerSecondMax === undefined ? null : new ByteRate(clock, bytesOutPerSecondMax, hits);
    this.#countsShares = connectionsMax !== undefined || subscriptionsMax !== undefined;
  }

  // --- Connections and subscriptions. ---

  admit(share: Share, times: number, ready: () => void): void {
    if (!this.#countsShares || times === 0 || isNothing(share)) {
      ready();
      return;
    }
    this.#options.owner.hold(share, times, (end) => {
      const held = end instanceof TidegateError ? 0 : end.times;
      const inHand = {
        connections: held * share.connections,
        subscriptions: held * share.subscriptions,
        end,
      };
      this.#inHand = inHand;
      try {
        ready();
      } finally {
        this.#inHand = null;
        if (!isNothing(inHand)) this.#options.owner.release(inHand);
      }
    });
  }

  hold(share: Share): void {
    if (!this.#countsShares || isNothing(share)) return;
    const inHand = this.#inHand;
    if (inHand === null) throw new TidegateError('internal', 'Nobody has asked whether there is a share');
    const { end } = inHand;
    if (inHand.connections >= share.connections && inHand.subscriptions >= share.subscriptions) {
      inHand.connections -= share.connections;
      inHand.subscriptions -= share.subscriptions;
    } else if (end instanceof TidegateError) throw end;
    else if (end.short === null) throw new TidegateError('internal', 'It is more than was asked for');
    else throw shareRefusal(end.short, this.#options.limits, this.#options.hits);
  }

  release(share: Share): void {
    if (!this.#countsShares || isNothing(share)) return;
    const inHand = this.#inHand;
    if (inHand === null) this.#options.owner.release(share);
    else {
      // Whoever subscribes anew in the same call gets it back.
      inHand.connections += share.connections;
      inHand.subscriptions += share.subscriptions;
    }
  }

  // --- Events. ---

  judge(events: readonly PublishedEvent[], done: Verdicts): void {
    const refusals = this.#events.refuseLarge(events);
    const wanted = takenOf(refusals);
    if (!this.#events.hasRate || wanted === 0) {
      done(refusals, events);
      return;
    }
    const kept = events.map(keptEvent);
    this.#options.owner.publish(wanted, (granted) => {
      if (granted instanceof TidegateError) {
        done(
          refusals.map((refusal) => refusal ?? granted),
          kept,
        );
        return;
      }
      this.#events.refuseAbove(refusals, granted);
      done(refusals, kept);
    });
  }

  // --- Bytes. ---

  handed(bytes: number, subscriber: Delayed): boolean {
    if (this.#bytesOut === null) return true;
    this.#bytesSpent += bytes;
    if (!this.#reportsSoon) {
      this.#reportsSoon = true;
      // With what else the turn brings.
      this.#options.clock.endOfTurn(() => this.#report());
    }
    // Where there is likely nothing left, others have their turn before more is handed out on credit.
    if (this.#options.clock.monotonicMs() < this.#tightUntilMs) this.#bytesOut.suspend();
    return this.#bytesOut.handed(bytes, subscriber);
  }

  forget(subscriber: Delayed): void {
    this.#bytesOut?.forget(subscriber);
  }

  /** Says at once what was spent after a rest, since it may have been too much, and then only every now and then. */
  #report(): void {
    if (this.#bytesSpent === 0) {
      this.#reportsSoon = false;
      return;
    }
    const { clock, serverLimits, owner } = this.#options;
    owner.spent(this.#bytesSpent, (waitMs) => {
      this.#tightUntilMs =
        clock.monotonicMs() + (waitMs > 0 ? waitMs + serverLimits.usageReportIntervalMs : 0);
      this.#bytesOut?.goOn(waitMs);
    });
    this.#bytesSpent = 0;
    clock.setTimer(() => this.#report(), serverLimits.usageReportIntervalMs);
  }
}

/** The bytes of an event may be valid during the call only that offers it. */
function keptEvent(event: PublishedEvent): PublishedEvent {
  return event.data === null ? event : { ...event, data: Buffer.from(event.data) };
}
