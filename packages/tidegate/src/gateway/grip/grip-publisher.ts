import type { EventPublisher, PublishedEvent, PublishReceipt, Receivers } from '../../channels/index.ts';
import { type Clock, type Limits, type Metrics, TidegateError } from '../../kernel/index.ts';
import type { PublishItem } from '../../wire/grip/index.ts';
import { eventsOf } from './item-events.ts';
import { PublishOrder } from './publish-order.ts';

/** What became of an item. */
export interface ItemReceipt {
  readonly channel: string;
  /** As it was published; or the one that the server gave. */
  readonly id: string;
  /** The position after it: a subscriber that resumes from it sees what came later. */
  readonly cursor: string;
  /** It was published before, within the window of the log, and is not published again. */
  readonly duplicate: boolean;
  /** How many subscriptions of this process there were for it when it was stored. */
  readonly receivers: number;
}

/** Called once, with one outcome per item, in order. */
export type ItemsCallback = (outcomes: readonly (ItemReceipt | TidegateError)[]) => void;

export interface GripPublisherOptions {
  readonly receivers: Receivers;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly metrics: Metrics;
}

/** The protocol's name for the metrics. */
const PROTOCOL = 'grip';

/** An item on its way to the log. */
interface Offer {
  readonly events: readonly PublishedEvent[];
  readonly settle: (outcomes: readonly (PublishReceipt | TidegateError)[]) => void;
}

/** Publishes GRIP items as events, in the order that their publishers meant. */
export class GripPublisher {
  readonly #receivers: Receivers;
  readonly #order: PublishOrder;
  /** What goes to the log in one call, and by whom; null while nothing is gathered. */
  #gathered: Offer[] | null = null;
  #gatheredFor: EventPublisher | null = null;

  constructor(options: GripPublisherOptions) {
    this.#receivers = options.receivers;
    this.#order = new PublishOrder(options);
  }

  /**
   * Publishes items, each by itself.
   * @param publisher takes the events: the channels as whoever publishes may use them
   */
  publish(items: readonly PublishItem[], publisher: EventPublisher, done: ItemsCallback): void {
    const outcomes: (ItemReceipt | TidegateError)[] = new Array(items.length);
    let open = items.length;
    if (open === 0) {
      done(outcomes);
      return;
    }
    const settled = (index: number, outcome: ItemReceipt | TidegateError): void => {
      outcomes[index] = outcome;
      if (--open === 0) done(outcomes);
    };
    this.#gathered = [];
    for (let index = 0; index < items.length; index++) {
      const item = items[index];
      const events = eventsOf(item);
      const settle: Offer['settle'] = (told) => settled(index, this.#outcomeOf(item, told));
      const prevId = item.sequencing === 'ordered' ? item.prevId : null;
      this.#order.offer(item.channel, item.id, prevId, () => this.#send({ events, settle }, publisher));
    }
    this.#flush();
    this.#gathered = null;
  }

  /** Stores what waits for its turn. */
  close(): void {
    this.#order.close();
  }

  #outcomeOf(
    item: PublishItem,
    told: readonly (PublishReceipt | TidegateError)[],
  ): ItemReceipt | TidegateError {
    let duplicate = true;
    for (const outcome of told) {
      if (outcome instanceof TidegateError) return outcome;
      if (!outcome.duplicate) duplicate = false;
    }
    const first = told[0] as PublishReceipt;
    const last = told[told.length - 1] as PublishReceipt;
    return {
      channel: item.channel,
      id: item.id ?? first.id,
      cursor: last.cursor,
      duplicate,
      receivers: duplicate ? 0 : this.#receivers.count(item.channel),
    };
  }

  #send(offer: Offer, publisher: EventPublisher): void {
    if (this.#gathered === null) {
      publish([offer], publisher);
      return;
    }
    // An item of somebody else's may have waited for one of these.
    if (this.#gatheredFor !== publisher) this.#flush();
    this.#gatheredFor = publisher;
    this.#gathered.push(offer);
  }

  #flush(): void {
    const offers = this.#gathered;
    const publisher = this.#gatheredFor;
    this.#gatheredFor = null;
    if (offers === null || publisher === null || offers.length === 0) return;
    this.#gathered = [];
    publish(offers, publisher);
  }
}

function publish(offers: readonly Offer[], publisher: EventPublisher): void {
  const events = offers.length === 1 ? offers[0].events : offers.flatMap((offer) => offer.events);
  publisher.publish(events, PROTOCOL, (outcomes) => {
    let at = 0;
    for (const offer of offers) {
      offer.settle(outcomes.slice(at, at + offer.events.length));
      at += offer.events.length;
    }
  });
}
