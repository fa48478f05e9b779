import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlushPace } from '../../src/channels/flush-pace.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** Hands over `bytes`, which takes `ms`. */
function handOver(pace: FlushPace, clock: ManualClock, bytes: number, ms: number): void {
  pace.run(() => {
    clock.advance(ms);
    return bytes;
  });
}

test('after a small hand-over there is a rest as long as it took', () => {
  const clock = new ManualClock();
  const pace = new FlushPace(clock, 1000);
  assert.equal(pace.isResting, false);
  handOver(pace, clock, 1000, 8);
  assert.equal(pace.isResting, true);
  clock.advance(7);
  assert.equal(pace.isResting, true);
  clock.advance(1);
  assert.equal(pace.isResting, false);
});

test('a hand-over that costs no time is followed by no rest', () => {
  const clock = new ManualClock();
  const pace = new FlushPace(clock, 1000);
  handOver(pace, clock, 10, 0);
  assert.equal(pace.isResting, false);
});

test('a large hand-over is followed by no rest, since more at once would not save anything', () => {
  const clock = new ManualClock();
  const pace = new FlushPace(clock, 1000);
  handOver(pace, clock, 1001, 8);
  assert.equal(pace.isResting, false);
});

test('a hand-over to nobody is followed by no rest', () => {
  const clock = new ManualClock();
  const pace = new FlushPace(clock, 1000);
  handOver(pace, clock, 0, 8);
  assert.equal(pace.isResting, false);
});
