import {
  AggregatorRegistry,
  type MetricObject,
  Counter as PromCounter,
  Gauge as PromGauge,
  type Metric as PromMetric,
  Registry,
} from 'prom-client';
import type { Counter, Gauge, Histogram, LabelValues, MetricSpec, Metrics } from '../kernel/index.ts';
import { BucketHistogram } from './bucket-histogram.ts';
import { observeEventLoopDelay } from './event-loop-delay.ts';
import { collectProcessMetrics } from './process-metrics.ts';

/** Metrics that can be read in Prometheus' text format (version 0.0.4). */
export interface ReadableMetrics extends Metrics {
  /**
   * All series, as a scrape wants them.
   * @param others what `figures` gave in other processes: each series is shown once, as its metric says for several
   */
  text(others?: readonly unknown[]): Promise<string>;
  /** All series, as plain JSON for another process. */
  figures(): Promise<unknown>;
}

/** What a process that has ended has counted, of its figures, without what it was. */
export function countedFigures(figures: unknown): unknown {
  // The type of the library has numbers where the library has names.
  return (figures as MetricObject[]).filter(({ type }) => ['counter', 'histogram'].includes(String(type)));
}

/** Makes one of the figures of several processes. */
export async function mergeFigures(figures: readonly unknown[]): Promise<unknown> {
  return AggregatorRegistry.aggregate(figures as MetricObject[][]).getMetricsAsJSON();
}

/** What was counted since the last scrape. The library looks a series up by its labels at each count; here that is done for many at once. */
class CountedSeries implements Counter {
  readonly #series: PromCounter.Internal;
  #pending = 0;

  constructor(series: PromCounter.Internal) {
    this.#series = series;
    // A series that was never touched would be missing until its first event, and rates over it would miss that event.
    series.inc(0);
  }

  add(amount: number): void {
    this.#pending += amount;
  }

  flush(): void {
    if (this.#pending === 0) return;
    this.#series.inc(this.#pending);
    this.#pending = 0;
  }
}

interface CountedMetric {
  readonly counter: PromCounter;
  readonly series: Map<string, CountedSeries>;
}

interface ObservedSeries {
  readonly labels: Record<string, string>;
  readonly read: () => number;
}

/** Label names with their values. The order of the values is the contract, so that a wrong count is a mistake of ours. */
function labelled(spec: MetricSpec, values: LabelValues): Record<string, string> {
  const names = spec.labels ?? [];
  if (names.length !== values.length) {
    throw new RangeError(
      `The metric ${spec.name} has ${names.length} labels and was given ${values.length} values`,
    );
  }
  return Object.fromEntries(names.map((name, index) => [name, values[index]]));
}

/** The metrics of one registry: a metric is made when its first series is asked for. */
class PrometheusMetrics implements ReadableMetrics {
  readonly #registry: Registry;
  readonly #counters = new Map<string, CountedMetric>();
  readonly #gauges = new Map<string, PromGauge>();
  readonly #histograms = new Map<string, BucketHistogram>();
  readonly #observed = new Map<string, ObservedSeries[]>();

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  counter(spec: MetricSpec, labelValues: LabelValues = []): Counter {
    const labels = labelled(spec, labelValues);
    const { counter, series } = entry(this.#counters, spec.name, () => this.#countedMetric(spec));
    return entry(series, JSON.stringify(labelValues), () => new CountedSeries(counter.labels(labels)));
  }

  gauge(spec: MetricSpec, labelValues: LabelValues = []): Gauge {
    const labels = labelled(spec, labelValues);
    const gauge = entry(this.#gauges, spec.name, () => new PromGauge(this.#options(spec)));
    const series = gauge.labels(labels);
    return { set: (value) => series.set(value) };
  }

  observedGauge(spec: MetricSpec, read: () => number, labelValues: LabelValues = []): void {
    const observed = { labels: labelled(spec, labelValues), read };
    const series = this.#observed.get(spec.name);
    if (series !== undefined) {
      series.push(observed);
      return;
    }
    const created = [observed];
    this.#observed.set(spec.name, created);
    new PromGauge({
      ...this.#options(spec),
      collect() {
        for (const { labels, read } of created) this.labels(labels).set(read());
      },
    });
  }

  histogram(
    spec: MetricSpec & { readonly buckets: readonly number[] },
    labelValues: LabelValues = [],
  ): Histogram {
    const labels = labelled(spec, labelValues);
    const create = (): BucketHistogram => {
      const { name, help, together } = spec;
      const histogram = new BucketHistogram(name, help, together ?? 'sum', spec.buckets);
      // The library knows its own classes only; a registry wants no more of a metric than `name` and `get`.
      this.#registry.registerMetric(histogram as unknown as PromMetric);
      return histogram;
    };
    return entry(this.#histograms, spec.name, create).series(labels);
  }

  async text(others: readonly unknown[] = []): Promise<string> {
    if (others.length === 0) return this.#registry.metrics();
    const own = await this.#registry.getMetricsAsJSON();
    return AggregatorRegistry.aggregate([own, ...(others as MetricObject[][])]).metrics();
  }

  figures(): Promise<unknown> {
    return this.#registry.getMetricsAsJSON();
  }

  #countedMetric(spec: MetricSpec): CountedMetric {
    const series = new Map<string, CountedSeries>();
    const collect = (): void => {
      for (const one of series.values()) one.flush();
    };
    return { counter: new PromCounter({ ...this.#options(spec), collect }), series };
  }

  #options(spec: MetricSpec) {
    return {
      name: spec.name,
      help: spec.help,
      labelNames: [...(spec.labels ?? [])],
      registers: [this.#registry],
      aggregator: spec.together ?? 'sum',
    };
  }
}

function entry<Value>(map: Map<string, Value>, name: string, create: () => Value): Value {
  const known = map.get(name);
  if (known !== undefined) return known;
  const created = create();
  map.set(name, created);
  return created;
}

/**
 * The kernel's metrics over prom-client, in a registry of their own, with the figures of the process (`process_*`,
 * `nodejs_*`) and of the event loop beside the server's.
 */
export function createPrometheusMetrics(): ReadableMetrics {
  const registry = new Registry();
  collectProcessMetrics(registry);
  const metrics = new PrometheusMetrics(registry);
  observeEventLoopDelay(metrics);
  return metrics;
}
