import type { EventPublisher, PublishedEvent, PublishReceipt, Receivers } from '../../channels/index.ts';
import { type Clock, type Limits, type Metrics, TidegateError } from '../../kernel/index.ts';
import type { PublishItem } from '../../wire/grip/index.ts';
import type { OtherReceivers } from '../grip-processes/port.ts';
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
  /** How many subscriptions there were for it when it was stored, in all processes of the server. */
  readonly receivers: number;
}

/** Called once, with one outcome per item, in order. */
export type ItemsCallback = (outcomes: readonly (ItemReceipt | TidegateError)[]) => void;

export interface GripPublisherOptions {
  /** Those of this process. */
  readonly receivers: Receivers;
  /** Those of the others; null if there are none. Default: null. */
  readonly others?: OtherReceivers | null;
  /** Hears of each item when it has been stored, before anybody in this process is handed it. Default: null. */
  readonly published?: ((item: PublishItem) => void) | null;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly metrics: Metrics;
}

/** The protocol's name for the metrics. */
const PROTOCOL = 'grip';

/** An item on its way to the log. */
interface Offer {
  readonly item: PublishItem;
  readonly events: readonly PublishedEvent[];
  readonly settle: (outcome: ItemReceipt | TidegateError) => void;
}

type Outcomes = readonly (PublishReceipt | TidegateError)[];

/** Publishes GRIP items as events, in the order that their publishers meant. */
export class GripPublisher {
  readonly #receivers: Receivers;
  readonly #others: OtherReceivers | null;
  readonly #published: ((item: PublishItem) => void) | null;
  readonly #order: PublishOrder;
  /** What goes to the log in one call, and by whom; null while nothing is gathered. */
  #gathered: Offer[] | null = null;
  #gatheredFor: EventPublisher | null = null;

  constructor(options: GripPublisherOptions) {
    this.#receivers = options.receivers;
    this.#others = options.others ?? null;
    this.#published = options.published ?? null;
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
      const settle: Offer['settle'] = (outcome) => settled(index, outcome);
      const prevId = item.sequencing === 'ordered' ? item.prevId : null;
      this.#order.offer(item.channel, item.id, prevId, () => this.#send({ item, events, settle }, publisher));
    }
    this.#flush();
    this.#gathered = null;
  }

  /** Stores what waits for its turn. */
  close(): void {
    this.#order.close();
  }

  #outcomeOf(item: PublishItem, told: Outcomes): ItemReceipt | TidegateError {
    let duplicate = true;
    for (const outcome of told) {
      if (outcome instanceof TidegateError) return outcome;
      if (!outcome.duplicate) duplicate = false;
    }
    if (!duplicate) this.#published?.(item);
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
      this.#publish([offer], publisher);
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
    this.#publish(offers, publisher);
  }

  #publish(offers: readonly Offer[], publisher: EventPublisher): void {
    const others = this.#others;
    const events = offers.length === 1 ? offers[0].events : offers.flatMap((offer) => offer.events);
    if (others === null) {
      publisher.publish(events, PROTOCOL, (outcomes) => settle(offers, this.#receipts(offers, outcomes)));
      return;
    }
    const channels = [...new Set(offers.map(({ item }) => item.channel))];
    let receipts: readonly (ItemReceipt | TidegateError)[] | null = null;
    let elsewhere: ReadonlyMap<string, number> | null = null;
    const settleOnceBoth = (): void => {
      if (receipts !== null && elsewhere !== null) settle(offers, withOthers(receipts, elsewhere));
    };
    // First: a held response that gets the item is not there any more when it has it.
    others.count(channels, (counts) => {
      elsewhere = new Map(channels.map((channel, index) => [channel, counts[index]]));
      settleOnceBoth();
    });
    publisher.publish(events, PROTOCOL, (outcomes) => {
      receipts = this.#receipts(offers, outcomes);
      settleOnceBoth();
    });
  }

  /** To be called as soon as the events are stored: nobody here has been handed them yet. */
  #receipts(offers: readonly Offer[], outcomes: Outcomes): readonly (ItemReceipt | TidegateError)[] {
    let at = 0;
    return offers.map(({ item, events }) => {
      const told = outcomes.slice(at, at + events.length);
      at += events.length;
      return this.#outcomeOf(item, told);
    });
  }
}

function settle(offers: readonly Offer[], receipts: readonly (ItemReceipt | TidegateError)[]): void {
  for (const [index, offer] of offers.entries()) offer.settle(receipts[index]);
}

function withOthers(
  receipts: readonly (ItemReceipt | TidegateError)[],
  elsewhere: ReadonlyMap<string, number>,
): readonly (ItemReceipt | TidegateError)[] {
  return receipts.map((receipt) =>
    receipt instanceof TidegateError || receipt.duplicate
      ? receipt
      : { ...receipt, receivers: receipt.receivers + (elsewhere.get(receipt.channel) ?? 0) },
  );
}
