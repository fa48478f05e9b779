/** The label values of one series, in the order of the metric's `labels`. Sets are closed and small. */
export type LabelValues = readonly string[];

/** What a metric is called and means. Names follow Prometheus: `tidegate_` prefix, unit suffix, `_total` for counters. */
export interface MetricSpec {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  /** How the values of several processes of a server make one. Default: their sum. */
  readonly together?: 'sum' | 'max' | 'min';
}

/** A number that only grows. */
export interface Counter {
  add(amount: number): void;
}

/** A number that goes up and down. */
export interface Gauge {
  set(value: number): void;
}

/** A distribution over fixed buckets. */
export interface Histogram {
  observe(value: number): void;
}

/**
 * Where the server's figures go. Bound to prom-client by main. A series is looked up once, when its owner is built:
 * the hot path holds the returned object and only adds to it.
 */
export interface Metrics {
  counter(spec: MetricSpec, labelValues?: LabelValues): Counter;
  gauge(spec: MetricSpec, labelValues?: LabelValues): Gauge;
  /** A gauge that is computed only when the metrics are read. */
  observedGauge(spec: MetricSpec, read: () => number, labelValues?: LabelValues): void;
  histogram(spec: MetricSpec & { readonly buckets: readonly number[] }, labelValues?: LabelValues): Histogram;
}

const nothing = { add() {}, set() {}, observe() {} };

/** Metrics that are kept nowhere, for tests and tools. */
export const noMetrics: Metrics = {
  counter: () => nothing,
  gauge: () => nothing,
  observedGauge() {},
  histogram: () => nothing,
};
