import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPrometheusMetrics } from '../../src/bindings/index.ts';

test('counters, gauges and histograms appear in the text format with their labels', async () => {
  const metrics = createPrometheusMetrics();
  const spec = { name: 'tidegate_things_total', help: 'Things.', labels: ['kind'] };
  metrics.counter(spec, ['round']).add(2);
  metrics.counter(spec, ['round']).add(3);
  metrics.counter(spec, ['square']);
  metrics.gauge({ name: 'tidegate_level', help: 'Level.' }).set(7);
  metrics.histogram({ name: 'tidegate_wait_seconds', help: 'Wait.', buckets: [0.1, 1] }).observe(0.5);
  const text = await metrics.text();
  assert.match(text, /^# TYPE tidegate_things_total counter$/m);
  assert.match(text, /^tidegate_things_total\{kind="round"\} 5$/m);
  assert.match(text, /^tidegate_things_total\{kind="square"\} 0$/m);
  assert.match(text, /^tidegate_level 7$/m);
  assert.match(text, /^tidegate_wait_seconds_bucket\{le="0.1"\} 0$/m);
  assert.match(text, /^tidegate_wait_seconds_bucket\{le="1"\} 1$/m);
});

test('an observed gauge is read at each scrape, one series for each set of labels', async () => {
  const metrics = createPrometheusMetrics();
  let level = 1;
  const spec = { name: 'tidegate_depth', help: 'Depth.', labels: ['place'] };
  metrics.observedGauge(spec, () => level, ['sea']);
  metrics.observedGauge(spec, () => level * 10, ['lake']);
  assert.match(await metrics.text(), /^tidegate_depth\{place="lake"\} 10$/m);
  level = 2;
  assert.match(await metrics.text(), /^tidegate_depth\{place="sea"\} 2$/m);
});

test('label values that do not match the labels are refused', () => {
  const metrics = createPrometheusMetrics();
  assert.throws(
    () => metrics.counter({ name: 'tidegate_a_total', help: 'A.', labels: ['x'] }),
    /has 1 labels and was given 0/,
  );
});

test('the process and the event loop are measured', async () => {
  const text = await createPrometheusMetrics().text();
  for (const name of [
    'process_cpu_seconds_total',
    'process_resident_memory_bytes',
    'nodejs_heap_size_used_bytes',
  ]) {
    assert.match(text, new RegExp(`^${name} [1-9]|^${name} 0\\.`, 'm'), name);
  }
  for (const quantile of ['0.5', '0.9', '0.99', '1']) {
    assert.ok(text.includes(`tidegate_event_loop_delay_seconds{quantile="${quantile}"} `), quantile);
  }
});

test('two registries do not disturb each other', async () => {
  createPrometheusMetrics().gauge({ name: 'tidegate_only_here', help: 'Here.' }).set(1);
  assert.doesNotMatch(await createPrometheusMetrics().text(), /tidegate_only_here/);
});
