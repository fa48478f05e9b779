import type { Counter, Metrics } from '../kernel/index.ts';

/** The limits of credentials, as the metric names them. */
export const LIMIT_LABELS = [
  'connections',
  'subscriptions',
  'publish_rate',
  'message_bytes',
  'bytes_out',
] as const;

export type LimitLabel = (typeof LIMIT_LABELS)[number];

/** Counts how often each limit held somebody up. */
export type LimitHits = Readonly<Record<LimitLabel, Counter>>;

export function limitHits(metrics: Metrics): LimitHits {
  const spec = {
    name: 'tidegate_limits_hit_total',
    help: 'Connections, subscriptions and messages that were refused because of a limit of their credential, and subscribers that were delayed by one.',
    labels: ['limit'],
  };
  const counters = LIMIT_LABELS.map((limit) => [limit, metrics.counter(spec, [limit])] as const);
  return Object.fromEntries(counters) as Record<LimitLabel, Counter>;
}
