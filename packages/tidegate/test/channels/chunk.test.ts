import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { CatchUp } from '../../src/channels/catch-up.ts';
import { type Chunk, EncodedTail } from '../../src/channels/chunk.ts';
import type { Member } from '../../src/channels/member.ts';
import { ManualClock } from '../support/manual-clock.ts';

const chunk = (bytes: number, end: number): Chunk => ({
  bytes: Buffer.alloc(bytes),
  messages: 1,
  end: [end],
  gap: null,
  conflated: 0,
});

test('limits.tailBytesMax: a tail lets go of its oldest chunks', () => {
  const tail = new EncodedTail(1000, { used: 0, max: 1_000_000 });
  for (let place = 0; place < 20; place++) tail.add(place, chunk(100, place + 1));
  assert.equal(tail.get(9), undefined);
  for (let place = 10; place < 20; place++) assert.deepEqual(tail.get(place)?.end, [place + 1]);
});

test('limits.tailsBytesMax: all tails together stay within their budget', () => {
  const budget = { used: 0, max: 1000 };
  const tails = Array.from({ length: 5 }, () => new EncodedTail(1000, budget));
  for (let place = 0; place < 20; place++) {
    for (const tail of tails) tail.add(place, chunk(100, place + 1));
    assert.ok(budget.used <= 1000 + 100, `${budget.used} bytes`);
  }
  for (const tail of tails) tail.clear();
  assert.equal(budget.used, 0);
});

test('limits.catchUpTurnMs: catching up gives the turn back in time, and goes on in the next', () => {
  const clock = new ManualClock();
  const catchUp = new CatchUp(clock, 10);
  let steps = 0;
  const member = {
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

test('those who catch up take turns, first come first served', () => {
  const catchUp = new CatchUp(new ManualClock(), 10);
  const order: string[] = [];
  for (const name of ['a', 'b', 'c']) {
    let left = 2;
    catchUp.add({
      advance: () => {
        order.push(name);
        return --left > 0;
      },
    } as unknown as Member);
  }
  catchUp.run();
  assert.deepEqual(order, ['a', 'b', 'c', 'a', 'b', 'c']);
});
