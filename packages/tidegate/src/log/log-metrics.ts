import type { Counter, Histogram, Metrics } from '../kernel/index.ts';
import type { Durability } from './port.ts';

/** From a write to memory to a disk in trouble. */
const COMMIT_SECONDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5,
];

/** The figures of one durability's topics. */
export interface LogMetrics {
  readonly commitSeconds: Histogram;
  /** Damaged ranges found, each counted once. */
  readonly damaged: Counter;
  recordsAppended(topic: string): Counter;
  bytesAppended(topic: string): Counter;
}

export function logMetrics(metrics: Metrics, durability: Durability): LogMetrics {
  const durabilityLabel = { labels: ['durability'] } as const;
  return {
    commitSeconds: metrics.histogram(
      {
        name: 'tidegate_log_commit_seconds',
        help: 'From the start of a group commit to its durability.',
        buckets: COMMIT_SECONDS,
        ...durabilityLabel,
      },
      [durability],
    ),
    damaged: metrics.counter(
      {
        name: 'tidegate_log_damaged_ranges_total',
        help: 'Stored ranges whose checksum or place was wrong.',
        ...durabilityLabel,
      },
      [durability],
    ),
    recordsAppended: (topic) =>
      metrics.counter(
        { name: 'tidegate_log_records_appended_total', help: 'Records stored.', labels: ['topic'] },
        [topic],
      ),
    bytesAppended: (topic) =>
      metrics.counter(
        {
          name: 'tidegate_log_bytes_appended_total',
          help: 'Bytes of stored batches, before what the storage adds.',
          labels: ['topic'],
        },
        [topic],
      ),
  };
}
