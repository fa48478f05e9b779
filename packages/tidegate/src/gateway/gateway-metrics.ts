import type { Counter, ErrorCode, Histogram, Metrics } from '../kernel/index.ts';

/** Upper bounds of the buckets of durations, in seconds. */
const DURATION_BUCKETS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
] as const;

const STATUS_CLASSES = ['', '1xx', '2xx', '3xx', '4xx', '5xx'] as const;

/** The figures of one route. Each series is made when it is first needed: most of thousands of routes may be quiet. */
export class RouteFigures {
  readonly #route: string;
  readonly #metrics: Metrics;
  readonly #requests: (Counter | undefined)[] = [];
  readonly #failures = new Map<ErrorCode, Counter>();
  #duration: Histogram | null = null;
  #retries: Counter | null = null;
  #left: Counter | null = null;

  constructor(route: string, metrics: Metrics) {
    this.#route = route;
    this.#metrics = metrics;
  }

  /** A request was answered with a status of the origin, or of the route itself. */
  answered(status: number, seconds: number): void {
    const at = Math.floor(status / 100);
    let counter = this.#requests[at];
    if (counter === undefined) {
      counter = this.#metrics.counter(
        {
          name: 'tidegate_gateway_requests_total',
          help: 'Requests that were answered, by route and class of status.',
          labels: ['route', 'status'],
        },
        [this.#route, STATUS_CLASSES[at]],
      );
      this.#requests[at] = counter;
    }
    counter.add(1);
    this.#duration ??= this.#metrics.histogram(
      {
        name: 'tidegate_gateway_request_duration_seconds',
        help: 'From the head of a request to the end of its answer, by route.',
        labels: ['route'],
        buckets: DURATION_BUCKETS,
      },
      [this.#route],
    );
    this.#duration.observe(seconds);
  }

  /** A request was answered with an error of the gateway. */
  failed(code: ErrorCode): void {
    let counter = this.#failures.get(code);
    if (counter === undefined) {
      counter = this.#metrics.counter(
        {
          name: 'tidegate_gateway_failures_total',
          help: 'Requests that the gateway answered with an error, by route and code.',
          labels: ['route', 'code'],
        },
        [this.#route, code],
      );
      this.#failures.set(code, counter);
    }
    counter.add(1);
  }

  retried(): void {
    this.#retries ??= this.#metrics.counter(
      {
        name: 'tidegate_gateway_retries_total',
        help: 'Attempts that were made again, by route.',
        labels: ['route'],
      },
      [this.#route],
    );
    this.#retries.add(1);
  }

  /** A client left before its answer was complete. */
  left(): void {
    this.#left ??= this.#metrics.counter(
      {
        name: 'tidegate_gateway_abandoned_total',
        help: 'Requests whose client left before the answer was complete, by route.',
        labels: ['route'],
      },
      [this.#route],
    );
    this.#left.add(1);
  }
}
