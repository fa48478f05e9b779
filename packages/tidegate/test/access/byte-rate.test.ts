import assert from 'node:assert/strict';
import type { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { clock, hub, send } from '../support/hub-fixture.ts';
import { TestSubscriber } from '../support/test-hub.ts';
import { channelsOf, eachTestHasLimits, frameBytes, gateWith, hits, key } from './limits-fixture.ts';

eachTestHasLimits();

test('bytesOutPerSecondMax: above it a subscriber is delayed, and gets everything in order', async () => {
  const size = await frameBytes();
  const gate = gateWith({ a: key('one', { bytesOutPerSecondMax: size }) });
  const slow = new TestSubscriber(await channelsOf(gate, 'one'), 'a');
  const quick = new TestSubscriber(hub, 'a');
  await clock.settle();
  await send('a', '1');
  await send('a', '2');
  assert.deepEqual(slow.data, ['1', '2']);
  assert.deepEqual(hits, { bytes_out: 1 });
  await send('a', '3');
  await send('a', '4');
  assert.deepEqual(
    [slow.data, quick.data],
    [
      ['1', '2'],
      ['1', '2', '3', '4'],
    ],
  );
  clock.advance(900);
  await clock.settle();
  assert.deepEqual(slow.data, ['1', '2']);
  clock.advance(200);
  await clock.settle();
  // Both at once, since they are read from the log: that is paid back before there is more.
  assert.deepEqual(slow.data, ['1', '2', '3', '4']);
  await send('a', '5');
  clock.advance(1800);
  await clock.settle();
  assert.deepEqual(slow.data, ['1', '2', '3', '4']);
  clock.advance(300);
  await clock.settle();
  assert.deepEqual(slow.data, ['1', '2', '3', '4', '5']);
});

test('bytesOutPerSecondMax: a subscriber that is both delayed and full waits for both', async () => {
  const size = await frameBytes();
  const gate = gateWith({ a: key('one', { bytesOutPerSecondMax: size - 1 }) });
  const channels = await channelsOf(gate, 'one');
  const [left, right] = [new TestSubscriber(channels, 'a'), new TestSubscriber(channels, 'b')];
  await clock.settle();
  left.room = false;
  right.room = false;
  await send('a', '1');
  await send('a', '2');
  await send('b', '3');
  await send('b', '4');
  assert.deepEqual([left.data, right.data], [['1'], ['3']]);
  // One has room before its time has come, the other only after.
  right.drain();
  await clock.settle();
  assert.deepEqual(right.data, ['3']);
  clock.advance(60_000);
  await clock.settle();
  assert.deepEqual([left.data, right.data], [['1'], ['3', '4']]);
  clock.advance(60_000);
  left.drain();
  await clock.settle();
  assert.deepEqual(left.data, ['1', '2']);
});

test('bytesOutPerSecondMax: a subscriber that ends while it is handed bytes is not waited for', async () => {
  const gate = gateWith({ a: key('one', { bytesOutPerSecondMax: 1 }) });
  const channels = await channelsOf(gate, 'one');
  const closer = new (class extends TestSubscriber {
    override write(bytes: Buffer): boolean {
      const room = super.write(bytes);
      this.subscription.close();
      return room;
    }
  })(channels, 'a');
  await clock.settle();
  await send('a', '1');
  assert.deepEqual([closer.data, hits], [['1'], {}]);
});

test('bytesOutPerSecondMax: the connections of a credential share it, and one that goes leaves no trace', async () => {
  const size = await frameBytes();
  const gate = gateWith({ a: key('one', { bytesOutPerSecondMax: size * 2 }) });
  const channels = await channelsOf(gate, 'one');
  const all = ['x', 'y', 'z'].map(() => new TestSubscriber(channels, 'a'));
  await clock.settle();
  await send('a', '1');
  await send('a', '2');
  const told = (): number => all.reduce((sum, { data }) => sum + data.length, 0);
  const before = told();
  assert.ok(before < 6, `${before}`);
  const [gone, ...others] = all;
  const had = gone.data.length;
  gone.subscription.close();
  clock.advance(60_000);
  await clock.settle();
  assert.deepEqual(
    others.map(({ data }) => data),
    [
      ['1', '2'],
      ['1', '2'],
    ],
  );
  assert.equal(gone.data.length, had);
});
