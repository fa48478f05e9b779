import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GroupPace } from '../../src/log/group-pace.ts';

test('after a commit, the next waits for most of those that were under way, for half of what it took at most', () => {
  const pace = new GroupPace();
  pace.done(10, 10, 1, 100);
  assert.equal(pace.isReady(10, 100), false);
  assert.equal(pace.isReady(17, 100.2), false);
  assert.equal(pace.isReady(18, 100.2), true);
  assert.equal(pace.isReady(10, 100.4), false);
  assert.equal(pace.isReady(10, 100.5), true);
});

test('a slow disk makes nobody wait for more than two milliseconds', () => {
  const pace = new GroupPace();
  pace.done(10, 10, 80, 100);
  assert.equal(pace.isReady(1, 101.9), false);
  assert.equal(pace.isReady(1, 102), true);
});

test('a few publishers are not waited for, and from 64 on nobody is', () => {
  const pace = new GroupPace();
  pace.done(2, 1, 1, 100);
  assert.equal(pace.isReady(1, 100), true);
  pace.done(500, 70, 1, 100);
  assert.equal(pace.isReady(63, 100), false);
  assert.equal(pace.isReady(64, 100), true);
});

test('nothing is waited for before the first commit', () => {
  assert.equal(new GroupPace().isReady(1, 0), true);
});

test('where the clock stands still, turns end the wait', () => {
  const pace = new GroupPace();
  pace.done(10, 10, 1, 100);
  let turns = 0;
  while (!pace.isReady(1, 100)) turns++;
  assert.equal(turns, 500);
});
