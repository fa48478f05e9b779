import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Alarms } from '../../../src/gateway/grip-websocket/alarms.ts';
import { Deadlines } from '../../../src/kernel/index.ts';
import { ManualClock } from '../../support/manual-clock.ts';

describe('The alarms of a connection', () => {
  it('ring once each, in their time, and leave no timer behind', () => {
    const clock = new ManualClock();
    const rung: string[] = [];
    const alarms = new Alarms<'a' | 'b'>(new Deadlines(clock, 10), (name) => rung.push(name));
    alarms.set('a', 100);
    alarms.set('b', 300);
    clock.advance(90);
    assert.deepEqual(rung, []);
    clock.advance(50);
    assert.deepEqual(rung, ['a']);
    clock.advance(300);
    assert.deepEqual(rung, ['a', 'b']);
    clock.advance(1000);
    assert.deepEqual([rung, clock.pendingTimers], [['a', 'b'], 0]);
  });

  it('do not ring if they are cleared, all or one, or set anew', () => {
    const clock = new ManualClock();
    const rung: string[] = [];
    const alarms = new Alarms<'a' | 'b' | 'c'>(new Deadlines(clock, 10), (name) => rung.push(name));
    for (const name of ['a', 'b', 'c'] as const) alarms.set(name, 100);
    alarms.clear('a');
    alarms.clear('a');
    alarms.set('b', 500);
    clock.advance(200);
    assert.deepEqual(rung, ['c']);
    alarms.clearAll();
    clock.advance(1000);
    assert.deepEqual(rung, ['c']);
  });

  it('may be changed by one of them that rings', () => {
    const clock = new ManualClock();
    const rung: string[] = [];
    const alarms = new Alarms<'a' | 'b' | 'c'>(new Deadlines(clock, 10), (name) => {
      rung.push(name);
      if (name !== 'a') return;
      alarms.clear('b');
      alarms.set('c', 500);
    });
    for (const name of ['a', 'b', 'c'] as const) alarms.set(name, 100);
    clock.advance(300);
    assert.deepEqual(rung, ['a']);
    clock.advance(400);
    assert.deepEqual(rung, ['a', 'c']);
  });
});
