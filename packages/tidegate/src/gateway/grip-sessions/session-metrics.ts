import type { Counter, Metrics } from '../../kernel/index.ts';
import type { SessionStore } from './session-store.ts';

/** The figures of sessions. */
export class SessionMetrics {
  readonly #detected: Readonly<Record<'known' | 'unknown', Counter>>;

  constructor(metrics: Metrics, store: SessionStore) {
    metrics.observedGauge(
      { name: 'tidegate_grip_sessions', help: 'Sessions of GRIP of which is known what their clients have.' },
      () => store.count,
    );
    metrics.observedGauge(
      {
        name: 'tidegate_grip_sessions_evicted',
        help: 'Sessions of GRIP that were forgotten before their time, for want of room, since the start.',
      },
      () => store.evicted,
    );
    const spec = {
      name: 'tidegate_grip_sessions_detected_total',
      help: 'Requests in which a session was found, by whether anything was known of it.',
      labels: ['session'],
    };
    this.#detected = {
      known: metrics.counter(spec, ['known']),
      unknown: metrics.counter(spec, ['unknown']),
    };
  }

  detected(ids: ReadonlyMap<string, string> | null): void {
    this.#detected[ids === null ? 'unknown' : 'known'].add(1);
  }
}
