import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limitHits } from '../../src/access/limit-hits.ts';
import { LocalUsage } from '../../src/access/local-usage.ts';
import { noMetrics } from '../../src/kernel/index.ts';
import { ManualClock } from '../support/manual-clock.ts';

class Subscriber {
  resumed = 0;

  resume(): void {
    this.resumed++;
  }
}

test('whoever is delayed is resumed once, and whoever has gone is not', () => {
  const clock = new ManualClock();
  const usage = new LocalUsage(clock, { bytesOutPerSecondMax: 100 }, limitHits(noMetrics));
  const [gone, stays] = [new Subscriber(), new Subscriber()];
  assert.equal(usage.handed(150, gone), false);
  assert.equal(usage.handed(50, stays), false);
  usage.forget(gone);
  clock.advance(999);
  assert.equal(stays.resumed, 0);
  clock.advance(1);
  clock.advance(60_000);
  assert.deepEqual([gone.resumed, stays.resumed], [0, 1]);
  assert.equal(usage.handed(100, stays), true);
  assert.equal(usage.handed(1, stays), false);
  usage.forget(stays);
  clock.advance(60_000);
  assert.equal(stays.resumed, 1);
});

test('a subscriber that goes when it is the only one leaves those who come later their turn', () => {
  const clock = new ManualClock();
  const usage = new LocalUsage(clock, { bytesOutPerSecondMax: 100 }, limitHits(noMetrics));
  const [gone, next] = [new Subscriber(), new Subscriber()];
  usage.handed(200, gone);
  usage.forget(gone);
  assert.equal(usage.handed(0, next), false);
  clock.advance(1000);
  assert.deepEqual([gone.resumed, next.resumed], [0, 1]);
});

test('what is taken only in part is not taken at all', () => {
  const limits = { connectionsMax: 1, subscriptionsMax: 1 };
  const usage = new LocalUsage(new ManualClock(), limits, limitHits(noMetrics));
  assert.throws(() => usage.hold({ connections: 1, subscriptions: 2 }));
  usage.hold({ connections: 1, subscriptions: 1 });
  assert.throws(() => usage.hold({ connections: 0, subscriptions: 1 }));
  usage.hold({ connections: 0, subscriptions: 0 });
});
