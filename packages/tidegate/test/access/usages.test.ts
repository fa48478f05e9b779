import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOTHING_REVOKED } from '../../src/access/index.ts';
import { clock, hub } from '../support/hub-fixture.ts';
import { TestSubscriber } from '../support/test-hub.ts';
import { testGate } from './access-fixture.ts';
import {
  channelsOf,
  eachTestHasLimits,
  gateWith,
  identityOf,
  issuer,
  key,
  refusedWith,
  token,
} from './limits-fixture.ts';

eachTestHasLimits();

test('access.limits hold for keys without limits of their own, each by itself', async () => {
  const keys = { a: key('one'), b: key('two'), c: key('three', { subscriptionsMax: 5 }) };
  const gate = gateWith(keys, { defaultLimits: { connectionsMax: 1 } });
  for (const secret of ['one', 'two']) {
    const channels = await channelsOf(gate, secret);
    new TestSubscriber(channels, 'a');
    assert.throws(() => new TestSubscriber(channels, 'a'), refusedWith('quota_exceeded'));
  }
  // Those of its own take the place of all of access.limits.
  const channels = await channelsOf(gate, 'three');
  for (let i = 0; i < 5; i++) new TestSubscriber(channels, 'a');
});

test('the tokens of a user count together, and those without a user by themselves', async () => {
  const gate = testGate({
    clock,
    channels: hub,
    issuers: [issuer()],
    defaultLimits: { connectionsMax: 1 },
  });
  new TestSubscriber(await channelsOf(gate, await token({ sub: 'alice', jti: '1' })), 'a');
  const another = await channelsOf(gate, await token({ sub: 'alice', jti: '2' }));
  assert.throws(() => new TestSubscriber(another, 'a'), refusedWith('quota_exceeded'));
  for (const claims of [{ sub: 'bob' }, { jti: '1' }, { jti: '2' }]) {
    const channels = await channelsOf(gate, await token(claims));
    new TestSubscriber(channels, 'a');
    assert.throws(() => new TestSubscriber(channels, 'a'), refusedWith('quota_exceeded'));
  }
});

test('those who show nothing count together, also after keys have changed', () => {
  const gate = gateWith(
    { a: key('one') },
    { anonymous: { '#': ['subscribe'] }, defaultLimits: { connectionsMax: 1 } },
  );
  const first = new TestSubscriber(gate.channelsFor(gate.anonymous), 'a');
  gate.adopt({ keys: new Map([['b', key('two')]]), revoked: NOTHING_REVOKED });
  const channels = gate.channelsFor(gate.anonymous);
  assert.throws(() => new TestSubscriber(channels, 'a'), refusedWith('quota_exceeded'));
  first.subscription.close();
  new TestSubscriber(channels, 'a');
});

test('whoever has no limits uses the channels themselves', async () => {
  const gate = gateWith({ a: key('one') });
  assert.equal(gate.limitedChannelsFor(await identityOf(gate, 'one')), hub);
  const limited = gateWith({}, { openWithoutCredentials: true, defaultLimits: { connectionsMax: 1 } });
  assert.notEqual(limited.limitedChannelsFor(limited.anonymous), hub);
});
