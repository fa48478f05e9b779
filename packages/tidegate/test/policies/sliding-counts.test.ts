import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SlidingCounts } from '../../src/policies/sliding-counts.ts';

test('what was counted is known for nine tenths of the window, and forgotten after all of it', () => {
  const counts = new SlidingCounts(1000);
  counts.add(5000);
  counts.add(5099, 2);
  assert.equal(counts.total(5999), 3);
  assert.equal(counts.total(6000), 0);
});

test('the counts are those of a list of times, whatever the steps of the clock', () => {
  const step = fc.record({ passedMs: fc.nat(1500), count: fc.integer({ min: 1, max: 3 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
      const counts = new SlidingCounts(1000);
      const added: { readonly atMs: number; readonly count: number }[] = [];
      let nowMs = 123;
      for (const { passedMs, count } of steps) {
        nowMs += passedMs;
        counts.add(nowMs, count);
        added.push({ atMs: nowMs, count });
        const first = Math.floor(nowMs / 100) - 9;
        const expected = added.filter(({ atMs }) => Math.floor(atMs / 100) >= first);
        assert.equal(
          counts.total(nowMs),
          expected.reduce((sum, each) => sum + each.count, 0),
        );
      }
    }),
  );
});
