import type { Counter, Metrics } from '../kernel/index.ts';

const OUTCOMES = ['accepted', 'refused', 'slowed_down', 'unavailable'] as const;

type Outcome = (typeof OUTCOMES)[number];

/** What came of credentials that were verified, counted. */
export type CheckCounters = Readonly<Record<Outcome, Counter>>;

/** The counters of one gate. */
export function checkCounters(metrics: Metrics): CheckCounters {
  const spec = {
    name: 'tidegate_credential_checks_total',
    help: 'Credentials that were verified, by outcome; those remembered from an earlier request are not counted.',
    labels: ['outcome'],
  };
  const counters = OUTCOMES.map((outcome) => [outcome, metrics.counter(spec, [outcome])] as const);
  return Object.fromEntries(counters) as Record<Outcome, Counter>;
}
