import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Counter } from '../counter.ts';

test('a count goes on from what was announced last, and is announced before anybody can see it', async () => {
  const announced: number[] = [];
  let release = (): void => {};
  const counter = new Counter(
    async () => 41,
    (count) =>
      new Promise((resolve) => {
        announced.push(count);
        release = resolve;
      }),
  );
  assert.equal(await counter.current(), 41);
  const step = counter.increment();
  let seen: number | null = null;
  const asking = counter.current().then((count) => {
    seen = count;
  });
  await new Promise(setImmediate);
  assert.deepEqual(announced, [42]);
  assert.equal(seen, null);
  release();
  assert.equal(await step, 42);
  await asking;
  assert.equal(seen, 42);
});

test('steps that come at once are taken one after another', async () => {
  const announced: number[] = [];
  const counter = new Counter(
    async () => 0,
    async (count) => {
      await new Promise(setImmediate);
      announced.push(count);
    },
  );
  const counts = await Promise.all(Array.from({ length: 20 }, () => counter.increment()));
  const expected = Array.from({ length: 20 }, (_, index) => index + 1);
  assert.deepEqual(counts, expected);
  assert.deepEqual(announced, expected);
});

test('after a step that failed, what was announced last is looked up again: it may have been stored', async () => {
  let stored = 7;
  let fails = true;
  const counter = new Counter(
    async () => stored,
    async (count) => {
      stored = count;
      if (fails) throw new Error('the answer was lost');
    },
  );
  await assert.rejects(counter.increment(), /the answer was lost/);
  assert.equal(await counter.current(), 8);
  fails = false;
  assert.equal(await counter.increment(), 9);
});

test('a count that cannot be looked up is looked up again by whoever asks next', async () => {
  let isUp = false;
  const counter = new Counter(
    async () => {
      if (!isUp) throw new Error('nobody there');
      return 3;
    },
    async () => {},
  );
  await assert.rejects(counter.current(), /nobody there/);
  await assert.rejects(counter.increment(), /nobody there/);
  isUp = true;
  assert.equal(await counter.increment(), 4);
});
