import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bucketEnd, bucketOf, Histogram } from '../support/histogram.ts';

test('small values have a bucket each, so their percentiles are exact', () => {
  for (let value = 0; value < 128; value++) assert.equal(bucketEnd(bucketOf(value)), value);
});

test('every value lies in a bucket whose end is at most 1.6 % larger', () => {
  for (let value = 1; value < 2 ** 40; value = Math.ceil(value * 1.37)) {
    const end = bucketEnd(bucketOf(value));
    assert.ok(end >= value, `${value} is in a bucket that ends at ${end}`);
    assert.ok(end <= value * (1 + 1 / 64), `${value} is in a bucket that ends at ${end}`);
    assert.equal(bucketOf(end + 1), bucketOf(value) + 1);
  }
});

test('a percentile is the value that so many do not exceed', () => {
  const histogram = new Histogram();
  for (let value = 1; value <= 100; value++) histogram.record(value);
  assert.equal(histogram.percentile(50), 50);
  assert.equal(histogram.percentile(99), 99);
  assert.equal(histogram.percentile(99.9), 100);
  assert.equal(histogram.total, 100);
});

test('a percentile never exceeds the largest value that was recorded', () => {
  const histogram = new Histogram();
  histogram.record(1_000_000);
  assert.equal(histogram.percentile(50), 1_000_000);
  assert.equal(histogram.maximum, 1_000_000);
});

test('the counts of several processes add up', () => {
  const histogram = Histogram.from({ maximum: 5, buckets: [[5, 90]] });
  histogram.merge({ maximum: 70, buckets: [[70, 10]] });
  assert.equal(histogram.total, 100);
  assert.equal(histogram.percentile(90), 5);
  assert.equal(histogram.percentile(91), 70);
});

test('an empty histogram has percentiles of 0', () => {
  assert.equal(new Histogram().percentile(99), 0);
});
