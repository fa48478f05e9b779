import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FilterPace } from '../../../src/gateway/grip/filter-pace.ts';
import { ManualClock } from '../../support/manual-clock.ts';

describe('The pace of filters', () => {
  const one = {};

  it('lets so many begin within a second, and the others in their order', () => {
    const clock = new ManualClock();
    const pace = new FilterPace(clock, { perSecond: 10, queueMax: 100 });
    const begun: number[] = [];
    for (let index = 0; index < 25; index++) pace.enter(one, () => begun.push(index));
    assert.equal(begun.length, 10);
    clock.advance(99);
    assert.equal(begun.length, 10);
    clock.advance(1);
    assert.equal(begun.length, 11);
    clock.advance(10_000);
    assert.deepEqual(
      begun,
      Array.from({ length: 25 }, (_, index) => index),
    );
    for (let index = 0; index < 11; index++) pace.enter(one, () => begun.push(index));
    assert.equal(begun.length, 35);
  });

  it('counts each key by itself', () => {
    const pace = new FilterPace(new ManualClock(), { perSecond: 1, queueMax: 100 });
    let begun = 0;
    for (const key of [{}, {}, {}]) pace.enter(key, () => begun++);
    assert.equal(begun, 3);
  });

  it('has no more wait than it may, over all keys, and forgets those who leave', () => {
    const clock = new ManualClock();
    const pace = new FilterPace(clock, { perSecond: 1, queueMax: 2 });
    const begun: string[] = [];
    for (const key of [one, pace]) pace.enter(key, () => begun.push('first'));
    const leave = pace.enter(one, () => begun.push('left'));
    pace.enter(pace, () => begun.push('other'));
    assert.equal(
      pace.enter(one, () => begun.push('refused')),
      null,
    );
    leave?.();
    leave?.();
    assert.notEqual(
      pace.enter(one, () => begun.push('late')),
      null,
    );
    assert.equal(
      pace.enter(one, () => begun.push('refused')),
      null,
    );
    clock.advance(5000);
    assert.deepEqual(begun.sort(), ['first', 'first', 'late', 'other']);
  });

  it('lets nobody in any more once it is closed', () => {
    const clock = new ManualClock();
    const pace = new FilterPace(clock, { perSecond: 1, queueMax: 2 });
    let begun = 0;
    for (let index = 0; index < 2; index++) pace.enter(one, () => begun++);
    pace.close();
    clock.advance(5000);
    assert.equal(begun, 1);
  });
});
