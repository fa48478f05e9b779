import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOTHING_REVOKED } from '../../src/access/index.ts';
import { clock, hub } from '../support/hub-fixture.ts';
import { TestSubscriber } from '../support/test-hub.ts';
import {
  channelsOf,
  eachTestHasLimits,
  gateWith,
  hits,
  identityOf,
  key,
  refusedWith,
} from './limits-fixture.ts';

eachTestHasLimits();

test('connectionsMax: what a key holds at once, until something of it ends', async () => {
  const gate = gateWith({ a: key('one', { connectionsMax: 2 }), b: key('two', { connectionsMax: 2 }) });
  const channels = await channelsOf(gate, 'one');
  const first = new TestSubscriber(channels, 'a');
  new TestSubscriber(channels, 'b');
  assert.throws(() => new TestSubscriber(channels, 'a'), refusedWith('quota_exceeded'));
  assert.deepEqual(hits, { connections: 1 });
  // Another key has its own.
  new TestSubscriber(await channelsOf(gate, 'two'), 'a');
  first.subscription.close();
  first.subscription.close();
  new TestSubscriber(channels, 'a');
  assert.throws(() => new TestSubscriber(channels, 'a'), refusedWith('quota_exceeded'));
});

test('connectionsMax: what could not be begun, and what the server has ended, is not held', async () => {
  const gate = gateWith({ a: key('one', { connectionsMax: 1 }) });
  const channels = await channelsOf(gate, 'one');
  assert.throws(() => new TestSubscriber(channels, '_resources'), refusedWith('channel_reserved'));
  const ended = new TestSubscriber(channels, 'a');
  await clock.settle();
  hub.drain();
  assert.equal(ended.endReason, 'draining');
  assert.throws(() => new TestSubscriber(channels, 'a'), refusedWith('draining'));
});

test('connectionsMax: what ends with its key is not held', async () => {
  const limits = { connectionsMax: 1 };
  const gate = gateWith({ a: key('one', limits) });
  const identity = await identityOf(gate, 'one');
  const held = new TestSubscriber(gate.channelsFor(identity), 'a');
  gate.adopt({ keys: new Map(), revoked: NOTHING_REVOKED });
  assert.equal(held.endReason, 'revoked');
  gate.connect(identity)();
});

test('a page of history is not a connection', async () => {
  const gate = gateWith({ a: key('one', { connectionsMax: 1, subscriptionsMax: 1 }) });
  const channels = await channelsOf(gate, 'one');
  new TestSubscriber(channels, 'a');
  const page = { write: () => true, ended() {} };
  const from = { kind: 'earliest' } as const;
  const encoder = TestSubscriber.encoder();
  const request = {
    channels: ['a'],
    from,
    encoder,
    sink: page,
    slowPolicy: 'resume',
    protocol: 'x',
  } as const;
  channels.subscribe({ ...request, permission: 'history' });
  assert.throws(() => channels.subscribe(request), refusedWith('quota_exceeded'));
});

test('subscriptionsMax: channels and patterns count, over all connections', async () => {
  const gate = gateWith({ a: key('one', { subscriptionsMax: 3 }) });
  const channels = await channelsOf(gate, 'one');
  const two = new TestSubscriber(channels, ['a', 'b']);
  assert.throws(() => new TestSubscriber(channels, ['c', 'd/+']), refusedWith('quota_exceeded'));
  new TestSubscriber(channels, 'c');
  assert.throws(() => new TestSubscriber(channels, 'd'), refusedWith('quota_exceeded'));
  assert.deepEqual(hits, { subscriptions: 2 });
  two.subscription.close();
  new TestSubscriber(channels, ['c', 'd/+']);
});

test('connections that an edge counts share with those that it does not', async () => {
  const gate = gateWith({ a: key('one', { connectionsMax: 1, subscriptionsMax: 2 }) });
  const identity = await identityOf(gate, 'one');
  const disconnect = gate.connect(identity);
  assert.throws(() => gate.connect(identity), refusedWith('quota_exceeded'));
  assert.throws(() => new TestSubscriber(gate.channelsFor(identity), 'a'), refusedWith('quota_exceeded'));
  const within = gate.limitedChannelsFor(identity);
  new TestSubscriber(within, 'a');
  new TestSubscriber(within, 'b');
  assert.throws(() => new TestSubscriber(within, 'c'), refusedWith('quota_exceeded'));
  disconnect();
  gate.connect(identity);
});
