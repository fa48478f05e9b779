import type { Counter, Gauge, Metrics } from '../../kernel/index.ts';

/** Whether a client hears of its session by requests or on a WebSocket. */
export type SockJsMode = 'http' | 'websocket';

/** The figures of SockJS. */
export class SockJsMetrics {
  /** Sessions whose client did not come back in time. */
  readonly timedOut: Counter;
  /** Sessions whose client left in the middle of a receiving request. */
  readonly interrupted: Counter;
  /** Requests whose session is in another process. */
  readonly forwarded: Counter;
  readonly #open: Readonly<Record<SockJsMode, Gauge>>;
  readonly #counts: Record<SockJsMode, number> = { http: 0, websocket: 0 };

  constructor(metrics: Metrics) {
    const counter = (name: string, help: string): Counter => metrics.counter({ name, help });
    this.timedOut = counter(
      'tidegate_sockjs_timeouts_total',
      'SockJS sessions that ended because their client did not ask for more in time.',
    );
    this.interrupted = counter(
      'tidegate_sockjs_interruptions_total',
      'SockJS sessions that ended because their client left in the middle of a receiving request.',
    );
    this.forwarded = counter(
      'tidegate_sockjs_forwarded_requests_total',
      'Requests of SockJS sessions that were handed to the process that holds the session.',
    );
    const open = { name: 'tidegate_sockjs_sessions', help: 'Open SockJS sessions.', labels: ['mode'] };
    this.#open = { http: metrics.gauge(open, ['http']), websocket: metrics.gauge(open, ['websocket']) };
  }

  opened(mode: SockJsMode): void {
    this.#open[mode].set(++this.#counts[mode]);
  }

  closed(mode: SockJsMode): void {
    this.#open[mode].set(--this.#counts[mode]);
  }
}
