import assert from 'node:assert/strict';
import test from 'node:test';
import { Deadlines } from '../../src/kernel/deadlines.ts';
import { ManualClock } from '../support/manual-clock.ts';

test('a deadline is met no sooner than asked for, and at most two sweeps late', () => {
  for (let offset = 0; offset < 100; offset += 7) {
    const clock = new ManualClock();
    const deadlines = new Deadlines(clock, 100);
    clock.advance(offset);
    const setMs = clock.monotonicMs();
    let expiredMs: number | null = null;
    deadlines.add({
      deadlineMs: deadlines.after(250),
      expired: () => {
        expiredMs = clock.monotonicMs() - setMs;
      },
    });
    clock.advance(1000);
    assert.ok(expiredMs !== null && expiredMs >= 250 && expiredMs <= 450, `${offset}: ${expiredMs}`);
  }
});

test('what expires once does not expire again unless it sets a new deadline', () => {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock, 10);
  let times = 0;
  const entry = {
    deadlineMs: deadlines.after(0),
    expired() {
      if (++times === 1) entry.deadlineMs = deadlines.after(50);
    },
  };
  deadlines.add(entry);
  clock.advance(1000);
  assert.equal(times, 2);
  entry.deadlineMs = 0;
  deadlines.delete(entry);
  clock.advance(1000);
  assert.equal(times, 2);
});

test('no sweep happens after the end', () => {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock, 10);
  deadlines.add({ deadlineMs: 0, expired: () => assert.fail('it was swept') });
  deadlines.stop();
  clock.advance(1000);
});

test('nothing is swept while there is nothing to look at, and a deadline that is set then counts from that moment', () => {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock, 10);
  const first = { deadlineMs: deadlines.after(20), expired: () => deadlines.delete(first) };
  deadlines.add(first);
  assert.equal(clock.pendingTimers, 1);
  clock.advance(1000);
  assert.equal(clock.pendingTimers, 0);
  const setMs = clock.monotonicMs();
  let expiredMs = 0;
  deadlines.add({
    deadlineMs: deadlines.after(50),
    expired: () => {
      expiredMs = clock.monotonicMs() - setMs;
    },
  });
  clock.advance(100);
  assert.ok(expiredMs >= 50 && expiredMs <= 70, String(expiredMs));
});
