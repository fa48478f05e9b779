import type { Counter, Metrics } from '../kernel/index.ts';

/** What was offered by one protocol, by outcome. */
export interface PublishCounters {
  readonly stored: Counter;
  readonly duplicates: Counter;
  readonly refused: Counter;
  /** Bytes of the data of events that were stored. */
  readonly bytes: Counter;
}

/** The figures of publishing. Series of a protocol begin with its first publish. */
export class PublishMetrics {
  readonly #metrics: Metrics;
  readonly #protocols = new Map<string, PublishCounters>();

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  of(protocol: string): PublishCounters {
    const known = this.#protocols.get(protocol);
    if (known !== undefined) return known;
    const outcomes = {
      name: 'tidegate_publishes_total',
      help: 'Events offered to channels, by protocol and outcome.',
      labels: ['protocol', 'outcome'],
    };
    const created: PublishCounters = {
      stored: this.#metrics.counter(outcomes, [protocol, 'stored']),
      duplicates: this.#metrics.counter(outcomes, [protocol, 'duplicate']),
      refused: this.#metrics.counter(outcomes, [protocol, 'refused']),
      bytes: this.#metrics.counter(
        {
          name: 'tidegate_published_bytes_total',
          help: 'Bytes of data of events that were stored.',
          labels: ['protocol'],
        },
        [protocol],
      ),
    };
    this.#protocols.set(protocol, created);
    return created;
  }
}
