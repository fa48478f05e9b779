import type { Counter, Metrics } from '../kernel/index.ts';
import type { DeliveryCounters } from './audience.ts';
import type { HubEndReason } from './port.ts';

/** The figures of one protocol. */
export interface ProtocolMetrics extends DeliveryCounters {
  readonly subscriptions: UpDownCounter;
}

/** A number that is changed by steps and read by the metrics. */
export class UpDownCounter {
  value = 0;
  add(step: number): void {
    this.value += step;
  }
}

/** The figures of a hub. Series of a protocol begin with its first subscription. */
export class HubMetrics {
  readonly #metrics: Metrics;
  readonly #protocols = new Map<string, ProtocolMetrics>();
  readonly #ends: Readonly<Record<HubEndReason, Counter>>;

  constructor(
    metrics: Metrics,
    observed: {
      readonly audiences: () => number;
      readonly behind: () => number;
      readonly backlog: () => number;
    },
  ) {
    this.#metrics = metrics;
    const ends = {
      name: 'tidegate_subscriptions_ended_total',
      help: 'Subscriptions that the server ended, by reason.',
      labels: ['reason'],
    };
    this.#ends = {
      draining: metrics.counter(ends, ['draining']),
      too_slow: metrics.counter(ends, ['too_slow']),
      gap: metrics.counter(ends, ['gap']),
      revoked: metrics.counter(ends, ['revoked']),
      topics_changed: metrics.counter(ends, ['topics_changed']),
      failed: metrics.counter(ends, ['failed']),
    };
    metrics.observedGauge(
      { name: 'tidegate_audiences', help: 'Distinct sets of channel and encoding that have subscribers.' },
      observed.audiences,
    );
    metrics.observedGauge(
      { name: 'tidegate_subscriptions_behind', help: 'Subscribers that do not keep pace at this moment.' },
      observed.behind,
    );
    metrics.observedGauge(
      {
        name: 'tidegate_subscription_backlog_records',
        help: 'Log records between the live end and the subscriber that is furthest behind.',
        together: 'max',
      },
      observed.backlog,
    );
  }

  of(protocol: string): ProtocolMetrics {
    const known = this.#protocols.get(protocol);
    if (known !== undefined) return known;
    const counter = (name: string, help: string): Counter =>
      this.#metrics.counter({ name, help, labels: ['protocol'] }, [protocol]);
    const subscriptions = new UpDownCounter();
    this.#metrics.observedGauge(
      { name: 'tidegate_subscriptions', help: 'Open subscriptions.', labels: ['protocol'] },
      () => subscriptions.value,
      [protocol],
    );
    const created: ProtocolMetrics = {
      subscriptions,
      messages: counter('tidegate_deliveries_total', 'Messages handed to subscribers.'),
      bytes: counter('tidegate_delivered_bytes_total', 'Bytes handed to subscribers, framing included.'),
      gaps: counter('tidegate_gaps_total', 'Gaps that subscribers were told of.'),
      conflated: counter(
        'tidegate_conflated_total',
        'Messages left out for slow subscribers with the policy drop.',
      ),
    };
    this.#protocols.set(protocol, created);
    return created;
  }

  ended(reason: HubEndReason): void {
    this.#ends[reason].add(1);
  }
}
