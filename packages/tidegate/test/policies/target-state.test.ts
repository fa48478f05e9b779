import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HealthState } from '../../src/policies/health-state.ts';
import { slowStartShare } from '../../src/policies/slow-start.ts';

test('a target is well until so many bad answers in a row, and again after so many good ones', () => {
  const state = new HealthState({ healthyAfter: 2, unhealthyAfter: 3 });
  const answers = 'bbgbbb' + 'gbgg' + 'g';
  const believed = [...answers].map((answer) => {
    const changed = state.observe(answer === 'g' ? 'good' : 'bad');
    return `${state.isHealthy ? 'well' : 'ill'}${changed ? '!' : ''}`;
  });
  const expected = ['well', 'well', 'well', 'well', 'well', 'ill!', 'ill', 'ill', 'ill', 'well!', 'well'];
  assert.deepEqual(believed, expected);
});

test('a target that became healthy grows evenly to its full share, from a tenth on', () => {
  const shares = [1000, 1500, 2000, 6000, 11_000, 99_000].map((nowMs) => slowStartShare(1000, 10_000, nowMs));
  assert.deepEqual(shares, [0.1, 0.1, 0.1, 0.5, 1, 1]);
  assert.equal(slowStartShare(1000, 0, 1000), 1);
});
