import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { CatchUp } from '../../src/channels/catch-up.ts';
import { type Chunk, EncodedTail } from '../../src/channels/chunk.ts';
import type { Member } from '../../src/channels/member.ts';
import { TailBudget } from '../../src/channels/tail-budget.ts';
import { ManualClock } from '../support/manual-clock.ts';

const chunk = (bytes: number, end: number): Chunk => ({
  bytes: Buffer.alloc(bytes),
  messages: 1,
  end: [end],
  gap: null,
  conflated: 0,
});

test('limits.tailBytesMax: a tail lets go of its oldest chunks', () => {
  const tail = new EncodedTail(1000, new TailBudget(1_000_000));
  for (let place = 0; place < 20; place++) tail.add(place, chunk(100, place + 1));
  assert.equal(tail.get(9), undefined);
  for (let place = 10; place < 20; place++) assert.deepEqual(tail.get(place)?.end, [place + 1]);
});

test('limits.tailsBytesMax: all tails together stay within their budget', () => {
  const budget = new TailBudget(1000);
  const tails = Array.from({ length: 5 }, () => new EncodedTail(1000, budget));
  for (let place = 0; place < 20; place++) {
    for (const tail of tails) tail.add(place, chunk(100, place + 1));
    const bytes = tails.reduce((sum, tail) => sum + tail.bytes, 0);
    assert.ok(bytes <= 1000, `${bytes} bytes`);
    for (const tail of tails) assert.notEqual(tail.get(place), undefined);
  }
  for (const tail of tails) tail.clear();
  tails[0].add(0, chunk(1000, 1));
  assert.equal(tails[0].bytes, 1000);
});

test('of many tails, the one that was added to least recently gives way first', () => {
  const budget = new TailBudget(1000);
  const tails = Array.from({ length: 5 }, () => new EncodedTail(1000, budget));
  for (const tail of tails) for (let place = 0; place < 2; place++) tail.add(place, chunk(100, place + 1));
  tails[1].add(2, chunk(100, 3));
  tails[4].add(2, chunk(250, 3));
  assert.deepEqual(
    tails.map(({ bytes }) => bytes),
    [0, 300, 0, 200, 450],
  );
  tails[2].clear();
  tails[3].add(5, chunk(100, 6));
  assert.deepEqual(
    tails.map(({ bytes }) => bytes),
    [0, 200, 0, 300, 450],
  );
});

test('limits.catchUpTurnMs: catching up gives the turn back in time, and goes on in the next', () => {
  const clock = new ManualClock();
  const catchUp = new CatchUp(clock, 10);
  let steps = 0;
  const member = {
    distance: 0,
    advance: () => {
      clock.advance(1);
      return ++steps < 100;
    },
  } as unknown as Member;
  catchUp.add(member);
  catchUp.run();
  assert.ok(steps >= 10 && steps < 30, `${steps} steps`);
  while (!catchUp.isEmpty) catchUp.run();
  assert.equal(steps, 100);
});

test('a turn that brought a newcomer is short, so that the others of a storm come in meanwhile', () => {
  const clock = new ManualClock();
  const catchUp = new CatchUp(clock, 160);
  let steps = 0;
  const member = {
    distance: 0,
    advance: () => {
      clock.advance(1);
      return ++steps < 1000;
    },
  } as unknown as Member;
  catchUp.welcome(member);
  catchUp.run();
  assert.ok(steps >= 10 && steps < 20, `${steps} steps`);
  catchUp.run();
  assert.ok(steps >= 170 && steps < 190, `${steps} steps`);
});

/** A member that is `distance` records behind, and takes steps of `stride`. */
function runner(name: string, distance: number, stride: number, order: string[]): Member {
  const state = { distance };
  return {
    get distance() {
      return state.distance;
    },
    advance: () => {
      order.push(name);
      state.distance = Math.max(0, state.distance - stride);
      return state.distance > 0;
    },
  } as unknown as Member;
}

test('those who catch up take turns, first come first served', () => {
  const catchUp = new CatchUp(new ManualClock(), 10);
  const order: string[] = [];
  for (const name of ['a', 'b', 'c']) catchUp.add(runner(name, 20, 10, order));
  catchUp.run();
  assert.deepEqual(order, ['a', 'b', 'c', 'a', 'b', 'c']);
});

test('who is ahead of the rear waits for it, so that all go on as one pack', () => {
  const clock = new ManualClock();
  const catchUp = new CatchUp(clock, 10);
  const order: string[] = [];
  catchUp.add(runner('early', 1000, 100, order));
  catchUp.run();
  order.length = 0;
  catchUp.add(runner('ahead', 500, 100, order));
  catchUp.add(runner('rear', 1000, 100, order));
  catchUp.run();
  const meeting = order.indexOf('ahead');
  assert.ok(meeting >= 4, order.join());
  assert.deepEqual(order.slice(0, meeting), new Array(meeting).fill('rear'));
});

test('who is a step from live does not wait for a rear that is far behind', () => {
  const catchUp = new CatchUp(new ManualClock(), 10);
  const order: string[] = [];
  catchUp.add(runner('far', 1_000_000, 1000, order));
  catchUp.add(runner('near', 10, 1000, order));
  catchUp.run();
  assert.ok(order.indexOf('near') <= 2, order.slice(0, 5).join());
});

test('nobody waits for ever, although new ones come in at the rear all the time', () => {
  const catchUp = new CatchUp(new ManualClock(), 10);
  const order: string[] = [];
  catchUp.add(runner('middle', 5000, 10, order));
  let steps = 0;
  let stepsBeforeMiddle = -1;
  catchUp.add({
    distance: 100_000,
    advance: () => {
      if (order.includes('middle') && stepsBeforeMiddle === -1) stepsBeforeMiddle = steps;
      return ++steps < 500;
    },
  } as unknown as Member);
  catchUp.run();
  assert.ok(stepsBeforeMiddle > 0 && stepsBeforeMiddle < 100, `${stepsBeforeMiddle} steps`);
});
