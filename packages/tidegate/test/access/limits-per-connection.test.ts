import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Channels } from '../../src/channels/index.ts';
import { clock, hub, send } from '../support/hub-fixture.ts';
import { TestSubscriber } from '../support/test-hub.ts';
import { testGate } from './access-fixture.ts';
import {
  channelsOf,
  eachTestHasLimits,
  frameBytes,
  gateWith,
  hits,
  identityOf,
  issuer,
  key,
  outcomes,
  refusedWith,
  token,
} from './limits-fixture.ts';

eachTestHasLimits();

test('perConnection: each connection has limits of its own, within those of all', async () => {
  const gate = gateWith({
    a: key('one', {
      subscriptionsMax: 5,
      publishesPerSecondMax: 3,
      perConnection: { subscriptionsMax: 3, publishesPerSecondMax: 2 },
    }),
  });
  const [first, second] = [await channelsOf(gate, 'one'), await channelsOf(gate, 'one')];
  assert.throws(() => new TestSubscriber(first, ['a', 'b', 'c', 'd']), refusedWith('quota_exceeded'));
  const three = new TestSubscriber(first, ['a', 'b', 'c']);
  assert.throws(() => new TestSubscriber(first, 'd'), refusedWith('quota_exceeded'));
  assert.throws(() => new TestSubscriber(second, ['a', 'b', 'c']), refusedWith('quota_exceeded'));
  new TestSubscriber(second, ['a', 'b']);
  assert.deepEqual(hits, { subscriptions: 3 });
  three.subscription.close();
  new TestSubscriber(first, ['a', 'b', 'c']);
  // What a connection may not publish does not count for all.
  assert.deepEqual(await outcomes(first, '1', '2', '3', '4'), [
    'stored',
    'stored',
    'rate_exceeded',
    'rate_exceeded',
  ]);
  assert.deepEqual(await outcomes(second, '5', '6'), ['stored', 'rate_exceeded']);
  assert.deepEqual(hits, { subscriptions: 3, publish_rate: 3 });
});

test('perConnection: a connection that carries several subscriptions has one share of them all', async () => {
  const gate = gateWith({
    a: key('one', { perConnection: { subscriptionsMax: 2, publishesPerSecondMax: 1 } }),
  });
  const identity = await identityOf(gate, 'one');
  const [one, other] = [{}, {}];
  const channels = (connection?: object): Channels => gate.limitedChannelsFor(identity, connection);
  new TestSubscriber(channels(one), 'a');
  new TestSubscriber(channels(one), 'b');
  assert.throws(() => new TestSubscriber(channels(one), 'c'), refusedWith('quota_exceeded'));
  new TestSubscriber(channels(other), 'c');
  assert.deepEqual(await outcomes(channels(one), '1', '2'), ['stored', 'rate_exceeded']);
  assert.deepEqual(await outcomes(channels(one), '3'), ['rate_exceeded']);
  assert.deepEqual(await outcomes(channels(other), '4'), ['stored']);
  // What comes by itself, as a command of a backend does, is no connection.
  assert.deepEqual(await outcomes(channels(), '5', '6'), ['stored', 'stored']);
});

test('perConnection: a connection that shows another token keeps its own limits', async () => {
  const gate = testGate({
    clock,
    channels: hub,
    issuers: [issuer()],
    defaultLimits: { perConnection: { subscriptionsMax: 1 } },
  });
  const [before, after] = [
    await identityOf(gate, await token({ sub: 'alice', jti: '1' })),
    await identityOf(gate, await token({ sub: 'alice', jti: '2' })),
  ];
  const connection = {};
  const held = new TestSubscriber(gate.limitedChannelsFor(before, connection), 'a');
  const refused = (): unknown => new TestSubscriber(gate.limitedChannelsFor(after, connection), 'a');
  assert.throws(refused, refusedWith('quota_exceeded'));
  held.subscription.close();
  refused();
});

test('perConnection: bytes above the rate of one connection delay that one', async () => {
  const size = await frameBytes();
  const gate = gateWith({ a: key('one', { perConnection: { bytesOutPerSecondMax: size } }) });
  const slow = new TestSubscriber(await channelsOf(gate, 'one'), ['a', 'b']);
  const other = new TestSubscriber(await channelsOf(gate, 'one'), 'b');
  await clock.settle();
  await send('a', '1');
  await send('a', '2');
  await send('b', '3');
  assert.deepEqual([slow.data, other.data], [['1', '2'], ['3']]);
  clock.advance(60_000);
  await clock.settle();
  assert.deepEqual(slow.data, ['1', '2', '3']);
});
