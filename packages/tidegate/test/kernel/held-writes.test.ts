import assert from 'node:assert/strict';
import test from 'node:test';
import { holdWrites } from '../../src/kernel/index.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('what is held is sent in its order, once the turn of the event loop is over', async () => {
  const sent: string[] = [];
  for (const name of ['a', 'b', 'c']) holdWrites({ sendHeld: () => sent.push(name) });
  await Promise.resolve();
  assert.deepEqual(sent, []);
  await turn();
  assert.deepEqual(sent, ['a', 'b', 'c']);
});

test('what is held while others are sent waits for the next turn', async () => {
  const sent: string[] = [];
  holdWrites({
    sendHeld() {
      sent.push('first');
      holdWrites({ sendHeld: () => sent.push('second') });
    },
  });
  await turn();
  assert.deepEqual(sent, ['first']);
  await turn();
  await turn();
  assert.deepEqual(sent, ['first', 'second']);
});

test('the first of many waits for a bounded number of others', async () => {
  let sent = 0;
  for (let count = 0; count < 31; count++) holdWrites({ sendHeld: () => sent++ });
  assert.equal(sent, 0);
  holdWrites({ sendHeld: () => sent++ });
  assert.equal(sent, 32);
  holdWrites({ sendHeld: () => sent++ });
  await turn();
  assert.equal(sent, 33);
});

test('one that fails is told to who caused it, and keeps none of the others from being sent', async () => {
  const sent: number[] = [];
  const fail = (): void => {
    throw new Error('a fault');
  };
  // The last place is taken by who hears of it: nobody would, at the end of the turn.
  for (let count = 0; count < 31; count++) {
    holdWrites({ sendHeld: count === 3 ? fail : () => sent.push(count) });
  }
  assert.throws(() => holdWrites({ sendHeld: () => sent.push(31) }), /a fault/);
  assert.deepEqual(sent, [0, 1, 2]);
  await turn();
  assert.equal(sent.length, 31);
  holdWrites({ sendHeld: () => sent.push(32) });
  await turn();
  assert.equal(sent.length, 32);
});
