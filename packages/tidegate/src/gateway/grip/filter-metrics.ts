import type { Counter, Metrics } from '../../kernel/index.ts';

/**
 * What became of asking for a filter: an answer that lets the item pass, one that drops it, none that can be followed, a URL or meta that cannot be asked with, or too many
 * that wait.
 */
export type FilterOutcome = 'answered' | 'dropped' | 'failed' | 'refused' | 'overloaded';

const OUTCOMES: readonly FilterOutcome[] = ['answered', 'dropped', 'failed', 'refused', 'overloaded'];

/** The figures of http-check and http-modify. */
export class FilterMetrics {
  readonly #outcomes: ReadonlyMap<FilterOutcome, Counter>;

  constructor(metrics: Metrics) {
    const spec = {
      name: 'tidegate_grip_filter_requests_total',
      help: 'Requests to origins for the filters http-check and http-modify, by what became of them.',
      labels: ['outcome'],
    };
    this.#outcomes = new Map(OUTCOMES.map((outcome) => [outcome, metrics.counter(spec, [outcome])]));
  }

  of(outcome: FilterOutcome): Counter {
    return this.#outcomes.get(outcome) as Counter;
  }
}
