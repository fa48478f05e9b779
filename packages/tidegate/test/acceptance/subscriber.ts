import { DeliveryRecord } from './delivery-record.ts';
import type { PlannedSubscriber } from './plan.ts';
import { matching, type Publication } from './publication.ts';

/** A planned subscriber, what it is to receive, and what it has received. */
export class Subscriber {
  readonly plan: PlannedSubscriber;
  readonly record = new DeliveryRecord();
  readonly expected: readonly Publication[];

  constructor(plan: PlannedSubscriber, publications: readonly Publication[]) {
    this.plan = plan;
    this.expected = matching(publications, plan.pattern);
  }

  get isComplete(): boolean {
    return this.record.deliveries.length >= this.expected.length;
  }

  toString(): string {
    const { client, pattern, joins } = this.plan;
    return `${client} on ${pattern} (${joins})`;
  }

  /**
   * What is wrong with what was received, in a sentence; null if it is exactly what was published. Messages of one channel
   * have one order. Those of several have one only where the topic has a single partition.
   */
  findFault(order: 'of the topic' | 'of each channel'): string | null {
    const { deliveries, duplicates, troubles, connections } = this.record;
    if (troubles.length > 0) return `${this}: ${troubles[0]}`;
    if (duplicates > 0) return `${this}: ${duplicates} messages came twice, in ${connections} connections`;
    if (deliveries.length !== this.expected.length) {
      return `${this}: ${deliveries.length} messages instead of ${this.expected.length}, in ${connections} connections`;
    }
    const expected = order === 'of the topic' ? this.expected : sortedByChannel(this.expected);
    const received = order === 'of the topic' ? deliveries : sortedByChannel(deliveries);
    const wrong = expected.findIndex(({ data }, index) => received[index].data !== data);
    if (wrong === -1) return null;
    return `${this}: message ${wrong} is ${received[wrong].data} instead of ${expected[wrong].data}`;
  }
}

/** Puts the messages of each channel together, in the order that they have among themselves. */
function sortedByChannel<Item extends { readonly channel: string }>(items: readonly Item[]): readonly Item[] {
  return items.toSorted((first, second) =>
    first.channel < second.channel ? -1 : first.channel > second.channel ? 1 : 0,
  );
}
