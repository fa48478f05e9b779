import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChangeHistory } from '../../src/control/change-history.ts';
import { isCode } from './fixture.ts';

const applied = (position: number) => ({ position, id: '', who: '', atMs: 0, changes: [] });

test('the newest thousand change sets are kept, and who comes from before is told so', () => {
  const history = new ChangeHistory(0);
  for (let position = 1; position <= 1500; position++) history.add(applied(position), 100);
  assert.equal(history.since(500, 1500).length, 1000);
  assert.equal(history.since(1499, 1500)[0].position, 1500);
  assert.deepEqual(history.since(1500, 1500), []);
  assert.throws(() => history.since(499, 1500), isCode('resource_history_gone', /500 to 1500/));
});

test('large change sets are kept for less long, down to none', () => {
  const history = new ChangeHistory(0);
  const mebibyte = 2 ** 20;
  for (let position = 1; position <= 10; position++) history.add(applied(position), mebibyte);
  assert.equal(history.since(6, 10).length, 4);
  assert.throws(() => history.since(5, 10), isCode('resource_history_gone'));
  history.add(applied(11), 5 * mebibyte);
  assert.deepEqual(history.since(11, 11), []);
  assert.throws(() => history.since(10, 11), isCode('resource_history_gone'));
});
