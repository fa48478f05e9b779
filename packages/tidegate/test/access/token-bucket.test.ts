import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TokenBucket } from '../../src/access/token-bucket.ts';
import { ManualClock } from '../support/manual-clock.ts';

test('a bucket holds what one second brings, and no more however long nobody takes', () => {
  const clock = new ManualClock();
  const bucket = new TokenBucket(clock, 3);
  for (let round = 0; round < 2; round++) {
    assert.deepEqual([bucket.take(), bucket.take(), bucket.take(), bucket.take()], [true, true, true, false]);
    clock.advance(60_000);
  }
});

test('after as long as it says, and not before, there is one again', () => {
  for (const perSecond of [1, 3, 7, 1000]) {
    const clock = new ManualClock();
    const bucket = new TokenBucket(clock, perSecond);
    assert.equal(bucket.waitMs(1), 0);
    bucket.spend(perSecond);
    for (let round = 0; round < 20; round++) {
      const waitMs = bucket.waitMs(1);
      assert.ok(waitMs >= 1);
      clock.advance(waitMs - 1);
      assert.equal(bucket.take(), false, `${perSecond}`);
      clock.advance(1);
      assert.equal(bucket.take(), true, `${perSecond}`);
    }
  }
});

test('what was spent on credit is paid back before there is any', () => {
  const clock = new ManualClock();
  const bucket = new TokenBucket(clock, 100);
  assert.equal(bucket.spend(100), true);
  assert.equal(bucket.spend(250), false);
  assert.equal(bucket.waitMs(0), 2500);
  clock.advance(2499);
  assert.equal(bucket.spend(0), false);
  clock.advance(1);
  assert.equal(bucket.spend(0), true);
});
