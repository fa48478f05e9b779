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

/** A hub that has handed over again and again. */
function busyPace(): { readonly pace: FlushPace; readonly clock: ManualClock } {
  const clock = new ManualClock();
  const pace = new FlushPace(clock, 1000);
  for (let i = 0; i < 4; i++) {
    handOver(pace, clock, 1000, 8);
    assert.equal(pace.isResting, false);
  }
  return { pace, clock };
}

test('in a busy hub there is a rest after a small hand-over, as long as it took', () => {
  const { pace, clock } = busyPace();
  handOver(pace, clock, 1000, 8);
  assert.equal(pace.isResting, true);
  clock.advance(7);
  assert.equal(pace.isResting, true);
  clock.advance(1);
  assert.equal(pace.isResting, false);
});

test('a hub that begins again right after its rest is busy still', () => {
  const { pace, clock } = busyPace();
  for (let round = 0; round < 3; round++) {
    clock.advance(10);
    handOver(pace, clock, 1000, 8);
    assert.equal(pace.isResting, true);
  }
});

test('a hub that had time left does not rest, nor when one hand-over took long and a few follow it at once', () => {
  const { pace, clock } = busyPace();
  clock.advance(12);
  for (const ms of [60, 8, 8, 8]) {
    handOver(pace, clock, 1000, ms);
    assert.equal(pace.isResting, false);
  }
});

test('a hand-over that costs no time is followed by no rest', () => {
  const { pace, clock } = busyPace();
  handOver(pace, clock, 10, 0);
  assert.equal(pace.isResting, false);
});

test('a large hand-over is followed by no rest, since more at once would not save anything', () => {
  const { pace, clock } = busyPace();
  handOver(pace, clock, 1001, 8);
  assert.equal(pace.isResting, false);
});

test('a hand-over to nobody is followed by no rest', () => {
  const { pace, clock } = busyPace();
  handOver(pace, clock, 0, 8);
  assert.equal(pace.isResting, false);
});
