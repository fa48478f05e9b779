import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Metrics } from '../kernel/index.ts';

/** How often the delay is sampled. Finer sampling costs wake-ups and tells nothing more about what clients feel. */
const RESOLUTION_MS = 20;
const NANOSECONDS = 1e9;

const QUANTILES = ['0.5', '0.9', '0.99', '1'] as const;

/**
 * How much later than planned the event loop gets to its work, by quantile, since the last scrape. The last quantile is the
 * maximum.
 */
export function observeEventLoopDelay(metrics: Metrics): void {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  for (const quantile of QUANTILES) {
    metrics.observedGauge({
      name: 'tidegate_event_loop_delay_seconds',
      help: 'How late the event loop is, by quantile, since the last scrape.',
      labels: ['quantile'],
      together: 'max',
    }, () => {
      // What is measured includes the interval between two samples.
      const nanoseconds = delay.percentile(Number(quantile) * 100);
      const seconds = Math.max(0, nanoseconds / NANOSECONDS - RESOLUTION_MS / 1000);
      if (quantile === '1') delay.reset();
      return Number.isFinite(seconds) ? seconds : 0;
    }, [quantile]);
  }
}
