import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bulkhead, type BulkheadPlace } from '../../src/policies/bulkhead.ts';

/** A guest that writes down what it is told. */
const guest = (name: string, heard: string[]) => ({
  entered: () => void heard.push(`${name} in`),
  expired: () => void heard.push(`${name} late`),
});

test('so many are in at once, so many wait, and the next one is refused', () => {
  const heard: string[] = [];
  const bulkhead = new Bulkhead({ concurrent: 2, queue: 1 });
  assert.equal(bulkhead.enter(guest('a', heard), 100), 'entered');
  assert.equal(bulkhead.enter(guest('b', heard), 100), 'entered');
  assert.equal(typeof bulkhead.enter(guest('c', heard), 100), 'object');
  assert.equal(bulkhead.enter(guest('d', heard), 100), 'full');
  assert.deepEqual([bulkhead.inside, bulkhead.waiting], [2, 1]);
  assert.deepEqual(heard, []);
  bulkhead.leave(10);
  assert.deepEqual(heard, ['c in']);
  bulkhead.leave(10);
  bulkhead.leave(10);
  assert.deepEqual([bulkhead.inside, bulkhead.waiting], [0, 0]);
});

test('who waits comes in in the order of arrival, and who is late is told so and passed over', () => {
  const heard: string[] = [];
  const bulkhead = new Bulkhead({ concurrent: 1, queue: 5 });
  bulkhead.enter(guest('a', heard), 0);
  bulkhead.enter(guest('b', heard), 50);
  bulkhead.enter(guest('c', heard), 200);
  bulkhead.enter(guest('d', heard), 200);
  bulkhead.leave(50);
  assert.deepEqual(heard, ['b late', 'c in']);
  bulkhead.leave(199);
  assert.deepEqual(heard, ['b late', 'c in', 'd in']);
});

test('who is late need not wait for somebody to leave, whatever the order of deadlines', () => {
  const heard: string[] = [];
  const bulkhead = new Bulkhead({ concurrent: 1, queue: 5 });
  bulkhead.enter(guest('a', heard), 0);
  bulkhead.enter(guest('b', heard), 300);
  bulkhead.enter(guest('c', heard), 100);
  bulkhead.expire(99);
  assert.deepEqual(heard, []);
  bulkhead.expire(100);
  assert.deepEqual(heard, ['c late']);
  assert.equal(bulkhead.waiting, 1);
  bulkhead.leave(150);
  assert.deepEqual(heard, ['c late', 'b in']);
});

test('who stops waiting is told nothing and makes room', () => {
  const heard: string[] = [];
  const bulkhead = new Bulkhead({ concurrent: 1, queue: 1 });
  bulkhead.enter(guest('a', heard), 0);
  const place = bulkhead.enter(guest('b', heard), 100) as BulkheadPlace;
  place.cancel();
  place.cancel();
  assert.equal(bulkhead.waiting, 0);
  const other = bulkhead.enter(guest('c', heard), 100) as BulkheadPlace;
  bulkhead.leave(0);
  other.cancel();
  bulkhead.expire(500);
  assert.deepEqual(heard, ['c in']);
  assert.deepEqual([bulkhead.inside, bulkhead.waiting], [1, 0]);
});

test('thousands who stop waiting leave nothing behind', () => {
  const heard: string[] = [];
  const bulkhead = new Bulkhead({ concurrent: 1, queue: 1 });
  bulkhead.enter(guest('a', heard), 0);
  for (let i = 0; i < 10_000; i++) (bulkhead.enter(guest('b', heard), 100) as BulkheadPlace).cancel();
  bulkhead.enter(guest('c', heard), 100);
  bulkhead.leave(0);
  assert.deepEqual(heard, ['c in']);
});

test('who leaves within the call that let it in lets the next in, however many do', () => {
  const bulkhead = new Bulkhead({ concurrent: 1, queue: 50_000 });
  const inside: number[] = [];
  bulkhead.enter({ entered: () => {}, expired: () => {} }, 0);
  for (let i = 0; i < 50_000; i++) {
    const hasty = {
      entered: () => {
        inside.push(bulkhead.inside);
        bulkhead.leave(0);
      },
      expired: () => assert.fail(),
    };
    bulkhead.enter(hasty, 100);
  }
  bulkhead.leave(0);
  assert.equal(inside.length, 50_000);
  assert.ok(inside.every((count) => count === 1));
  assert.deepEqual([bulkhead.inside, bulkhead.waiting], [0, 0]);
});
