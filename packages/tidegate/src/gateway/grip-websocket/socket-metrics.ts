import type { Counter, Gauge, Metrics } from '../../kernel/index.ts';

/** How a GRIP WebSocket speaks to its origin. */
export type OriginMode = 'over_http' | 'native';

/** The figures of GRIP WebSockets. */
export class SocketMetrics {
  /** Control messages that were passed over because they could not be read. */
  readonly controlErrors: Counter;
  /** Frames of clients whose origin had detached. */
  readonly discarded: Counter;
  /** Messages that were written for other filters than the subscriber's. */
  readonly notMeant: Counter;
  /** Messages that refer to something that the subscriber does not have. */
  readonly unresolved: Counter;
  /** Messages that were left out because their origin did not answer for a filter. */
  readonly filterFailures: Counter;
  /** Published pings and pongs for clients that do not keep pace. */
  readonly pingsSkipped: Counter;
  readonly resumes: Counter;
  /** Subscriptions that were to go on after an id that the channel does not know. */
  readonly resumeGaps: Counter;
  readonly originRetries: Counter;
  readonly originFailures: Counter;
  readonly #open: Readonly<Record<OriginMode, Gauge>>;
  readonly #counts: Record<OriginMode, number> = { over_http: 0, native: 0 };

  constructor(metrics: Metrics) {
    const counter = (name: string, help: string): Counter => metrics.counter({ name, help });
    this.controlErrors = counter(
      'tidegate_grip_websocket_control_errors_total',
      'Control messages of origins that could not be read, and had no effect.',
    );
    this.discarded = counter(
      'tidegate_grip_websocket_discarded_frames_total',
      'Frames of clients whose origin had detached.',
    );
    this.notMeant = counter(
      'tidegate_grip_websocket_filter_mismatches_total',
      'Messages that were written for other filters than those of a subscription.',
    );
    this.unresolved = counter(
      'tidegate_grip_websocket_unresolved_total',
      'Messages that were left out because they refer to what a subscriber does not have.',
    );
    this.filterFailures = counter(
      'tidegate_grip_websocket_filter_failures_total',
      'Messages that were left out because the origin did not answer for a filter.',
    );
    this.pingsSkipped = counter(
      'tidegate_grip_websocket_skipped_pings_total',
      'Published pings and pongs that were not sent to clients that do not keep pace.',
    );
    this.resumes = counter(
      'tidegate_grip_websocket_resumes_total',
      'Subscriptions that were to go on after an id that their client has.',
    );
    this.resumeGaps = counter(
      'tidegate_grip_websocket_resume_gaps_total',
      'Subscriptions whose client had an id that the channel does not know.',
    );
    this.originRetries = counter(
      'tidegate_grip_websocket_origin_retries_total',
      'Requests of WebSocket-over-HTTP that were made again.',
    );
    this.originFailures = counter(
      'tidegate_grip_websocket_origin_failures_total',
      'WebSockets that ended because of their origin.',
    );
    const open = { name: 'tidegate_grip_websockets', help: 'Open WebSockets with GRIP.', labels: ['mode'] };
    this.#open = { over_http: metrics.gauge(open, ['over_http']), native: metrics.gauge(open, ['native']) };
  }

  opened(mode: OriginMode): void {
    this.#open[mode].set(++this.#counts[mode]);
  }

  closed(mode: OriginMode): void {
    this.#open[mode].set(--this.#counts[mode]);
  }
}
