import type { Clock, Counter, Limits, Metrics, Timer } from '../../kernel/index.ts';

/** An item that waits for the one before it. */
interface Waiting {
  readonly channel: Order;
  readonly id: string | null;
  readonly prevId: string;
  readonly release: () => void;
  readonly untilMs: number;
}

/** What is known of the order in one channel. */
interface Order {
  readonly name: string;
  /** The latest ids that were let through, oldest first. */
  readonly ids: Set<string>;
  /** Oldest first. */
  readonly waiting: Set<Waiting>;
}

export interface PublishOrderOptions {
  readonly clock: Clock;
  readonly limits: Limits;
  readonly metrics: Metrics;
}

/**
 * Restores the order in which publishers meant their items: one that names the id of the item before it waits until that was let
 * through, if it was not lately. Ids are of one channel. Publishers that know nothing of each other do not hold each other up, since any of the latest ids
 * will do, and not only the last. Where nothing is known of a channel, nothing waits.
 */
export class PublishOrder {
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #givenUp: Counter;
  /** Least recently used first. */
  readonly #channels = new Map<string, Order>();
  /** All that wait, oldest first, which is the order of their ends. */
  readonly #waiting = new Set<Waiting>();
  #timer: Timer | null = null;

  constructor({ clock, limits, metrics }: PublishOrderOptions) {
    this.#clock = clock;
    this.#limits = limits;
    this.#givenUp = metrics.counter({
      name: 'tidegate_grip_order_given_up_total',
      help: 'GRIP items that were stored although the item before them had not come.',
    });
    metrics.observedGauge(
      { name: 'tidegate_grip_items_waiting', help: 'GRIP items that wait for the item before them.' },
      () => this.#waiting.size,
    );
  }

  /** Calls `release` when it is the item's turn: before this returns, or later. */
  offer(name: string, id: string | null, prevId: string | null, release: () => void): void {
    const known = this.#channels.get(name);
    if (known === undefined || prevId === null || known.ids.has(prevId)) {
      if (known === undefined && id === null) release();
      else this.#letThrough(this.#used(name, known), id, release);
      return;
    }
    const channel = this.#used(name, known);
    const untilMs = this.#clock.monotonicMs() + this.#limits.gripOrderWaitMs;
    const waiting: Waiting = { channel, id, prevId, release, untilMs };
    channel.waiting.add(waiting);
    this.#waiting.add(waiting);
    if (channel.waiting.size > this.#limits.gripOrderPendingMax) {
      for (const oldest of channel.waiting) {
        this.#giveUp(oldest);
        break;
      }
    }
    this.#timer ??= this.#clock.setTimer(() => this.#expire(), this.#limits.gripOrderWaitMs);
  }

  /** Lets through all that wait. */
  close(): void {
    for (const waiting of [...this.#waiting]) this.#giveUp(waiting);
    if (this.#timer !== null) this.#clock.clearTimer(this.#timer);
    this.#timer = null;
  }

  #used(name: string, known: Order | undefined): Order {
    const order = known ?? { name, ids: new Set<string>(), waiting: new Set<Waiting>() };
    this.#channels.delete(name);
    this.#channels.set(name, order);
    if (this.#channels.size > this.#limits.gripOrderChannelsMax) {
      for (const oldest of this.#channels.values()) {
        for (const waiting of [...oldest.waiting]) this.#giveUp(waiting);
        this.#channels.delete(oldest.name);
        break;
      }
    }
    return order;
  }

  /** Lets an item through, and after it those that waited for it, and for them. */
  #letThrough(channel: Order, id: string | null, release: () => void): void {
    release();
    let last = [id];
    while (last.length > 0) {
      const next: (string | null)[] = [];
      for (const each of last) if (each !== null) this.#remember(channel, each);
      for (const waiting of channel.waiting) {
        if (!last.includes(waiting.prevId)) continue;
        this.#remove(waiting);
        waiting.release();
        next.push(waiting.id);
      }
      last = next;
    }
  }

  #remember({ ids }: Order, id: string): void {
    ids.delete(id);
    ids.add(id);
    if (ids.size <= this.#limits.gripOrderPendingMax) return;
    for (const oldest of ids) {
      ids.delete(oldest);
      break;
    }
  }

  #giveUp(waiting: Waiting): void {
    if (!this.#waiting.has(waiting)) return;
    this.#givenUp.add(1);
    this.#remove(waiting);
    this.#letThrough(waiting.channel, waiting.id, waiting.release);
  }

  #remove(waiting: Waiting): void {
    this.#waiting.delete(waiting);
    waiting.channel.waiting.delete(waiting);
  }

  #expire(): void {
    this.#timer = null;
    const nowMs = this.#clock.monotonicMs();
    for (const waiting of this.#waiting) {
      if (waiting.untilMs > nowMs) {
        this.#timer = this.#clock.setTimer(() => this.#expire(), waiting.untilMs - nowMs);
        return;
      }
      this.#giveUp(waiting);
    }
  }
}
