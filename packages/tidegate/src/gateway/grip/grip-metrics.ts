import type { Counter, Metrics } from '../../kernel/index.ts';

export type HoldMode = 'response' | 'stream';

/** How a hold ended. */
export type HoldEnd = 'answered' | 'timed_out' | 'closed' | 'client_left' | 'draining' | 'failed' | 'origin';

const HOLD_ENDS: readonly HoldEnd[] = [
  'answered',
  'timed_out',
  'closed',
  'client_left',
  'draining',
  'failed',
  'origin',
];

/** What became of a request for a link. */
export type LinkOutcome = 'answered' | 'shared' | 'failed' | 'retried' | 'refused';

/** The figures of GRIP on HTTP. */
export class GripMetrics {
  readonly #open: Record<HoldMode, number> = { response: 0, stream: 0 };
  readonly #ends = new Map<string, Counter>();
  readonly #links: Readonly<Record<LinkOutcome, Counter>>;
  readonly #filtered: Readonly<Record<'skipped' | 'unresolved' | 'failed', Counter>>;
  readonly missed: Counter;
  readonly invalid: Counter;

  constructor(metrics: Metrics) {
    for (const mode of ['response', 'stream'] as const) {
      metrics.observedGauge(
        { name: 'tidegate_grip_holds', help: 'Responses that are held open for origins.', labels: ['mode'] },
        () => this.#open[mode],
        [mode],
      );
      for (const end of HOLD_ENDS) {
        const spec = {
          name: 'tidegate_grip_holds_ended_total',
          help: 'Held responses that ended, by how they did.',
          labels: ['mode', 'end'],
        };
        this.#ends.set(`${mode} ${end}`, metrics.counter(spec, [mode, end]));
      }
    }
    const link = (outcome: LinkOutcome): Counter =>
      metrics.counter(
        {
          name: 'tidegate_grip_links_total',
          help: 'Next and gone links, by what became of asking for them; shared are those that another answer served.',
          labels: ['outcome'],
        },
        [outcome],
      );
    this.#links = {
      answered: link('answered'),
      shared: link('shared'),
      failed: link('failed'),
      retried: link('retried'),
      refused: link('refused'),
    };
    const filtered = (how: string): Counter =>
      metrics.counter(
        {
          name: 'tidegate_grip_filtered_total',
          help: 'Messages that filters kept from a hold, that named something that the subscriber does not have, or whose origin did not answer for a filter.',
          labels: ['how'],
        },
        [how],
      );
    this.#filtered = {
      skipped: filtered('skipped'),
      unresolved: filtered('unresolved'),
      failed: filtered('failed'),
    };
    this.missed = metrics.counter({
      name: 'tidegate_grip_missed_total',
      help: 'Holds whose client had missed more than the channel remembers, so that the origin was asked.',
    });
    this.invalid = metrics.counter({
      name: 'tidegate_grip_instructions_invalid_total',
      help: 'Instructions of origins that could not be followed.',
    });
  }

  began(mode: HoldMode): void {
    this.#open[mode]++;
  }

  ended(mode: HoldMode, end: HoldEnd): void {
    this.#open[mode]--;
    this.#ends.get(`${mode} ${end}`)?.add(1);
  }

  link(outcome: LinkOutcome): void {
    this.#links[outcome].add(1);
  }

  filtered(how: 'skipped' | 'unresolved' | 'failed'): void {
    this.#filtered[how].add(1);
  }
}
