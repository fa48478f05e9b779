import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccessEnd } from '../../src/access/index.ts';
import { NOTHING_REVOKED, revokedBy } from '../../src/access/index.ts';
import { type Limits, resolveLimits } from '../../src/kernel/index.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { keyOf, outcomeOf, testGate, verify } from './access-fixture.ts';

test('a key is found by its hash, and carries its name', async () => {
  const gate = testGate({ clock: new ManualClock(), keys: { backend: keyOf('secret') } });
  const identity = await verify(gate, 'secret');
  assert.ok('credential' in identity && identity.credential === 'key');
  assert.equal(identity.name, 'key:backend');
  assert.equal(identity.allows('publish', 'a'), true);
  assert.equal(identity.allows('subscribe', 'a'), false);
  assert.equal(await outcomeOf(gate, 'Secret'), 'credential_invalid');
  assert.equal(await outcomeOf(gate, ''), 'credential_invalid');
});

test('a key ends when it says', async () => {
  const clock = new ManualClock();
  const expires = new Date(clock.nowMs() + 1000).toISOString();
  const gate = testGate({ clock, keys: { brief: { ...keyOf('secret'), expires } } });
  assert.equal(await outcomeOf(gate, 'secret'), 'accepted');
  clock.advance(1000);
  assert.equal(await outcomeOf(gate, 'secret'), 'token_expired');
});

test('limits.credentialFailuresMax: whoever guesses has to wait, and whoever knows does not', async () => {
  const clock = new ManualClock();
  const limits = resolveLimits({ credentialFailuresMax: 3, credentialFailureWindowMs: 10_000 });
  const gate = testGate({ clock, limits, keys: { a: keyOf('known'), b: keyOf('unseen') } });
  assert.equal(await outcomeOf(gate, 'known', '192.0.2.7'), 'accepted');
  for (let i = 0; i < 3; i++)
    assert.equal(await outcomeOf(gate, `guess ${i}`, '192.0.2.7'), 'credential_invalid');
  clock.advance(4000);
  const refused = await verify(gate, 'guess', '192.0.2.7');
  assert.ok('code' in refused && refused.code === 'credential_attempts_exceeded');
  assert.equal(refused.retryAfterMs, 6000);
  assert.equal(await outcomeOf(gate, 'known', '192.0.2.7'), 'accepted');
  assert.equal(await outcomeOf(gate, 'unseen', '192.0.2.7'), 'accepted');
  assert.equal(await outcomeOf(gate, 'guess', '192.0.2.8'), 'credential_invalid');
  clock.advance(6000);
  assert.equal(await outcomeOf(gate, 'guess', '192.0.2.7'), 'credential_invalid');
});

test('the addresses of one IPv6 network guess as one', async () => {
  const limits = resolveLimits({ credentialFailuresMax: 2 });
  const gate = testGate({ clock: new ManualClock(), limits, keys: { a: keyOf('known') } });
  await outcomeOf(gate, 'guess', '2001:db8:1:2::1');
  await outcomeOf(gate, 'guess', '2001:db8:1:2:3:4:5:6');
  assert.equal(await outcomeOf(gate, 'guess', '2001:db8:1:2:ffff::'), 'credential_attempts_exceeded');
  assert.equal(await outcomeOf(gate, 'guess', '2001:db8:1:3::1'), 'credential_invalid');
});

test('limits.credentialClientsMax bounds what is remembered of those who guess', async () => {
  const limits = resolveLimits({ credentialFailuresMax: 1, credentialClientsMax: 2 });
  const gate = testGate({ clock: new ManualClock(), limits, keys: { a: keyOf('known') } });
  for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) await outcomeOf(gate, 'guess', address);
  assert.equal(await outcomeOf(gate, 'guess', '192.0.2.3'), 'credential_attempts_exceeded');
  assert.equal(await outcomeOf(gate, 'guess', '192.0.2.1'), 'credential_invalid');
});

test('limits.credentialBytesMax: what is too long is not looked at', async () => {
  const limits = resolveLimits({ credentialBytesMax: 256 });
  const gate = testGate({ clock: new ManualClock(), limits, keys: { a: keyOf('x'.repeat(257)) } });
  assert.equal(await outcomeOf(gate, 'x'.repeat(257)), 'credential_invalid');
});

test('limits.credentialsRememberedMax: what is forgotten is verified again', async () => {
  const limits = resolveLimits({ credentialsRememberedMax: 1 });
  const gate = testGate({ clock: new ManualClock(), limits, keys: { a: keyOf('one'), b: keyOf('two') } });
  for (const secret of ['one', 'two', 'one']) assert.equal(await outcomeOf(gate, secret), 'accepted');
});

test('a key that goes takes along what rests on it, and no other', async () => {
  const gate = testGate({ clock: new ManualClock(), keys: { a: keyOf('one'), b: keyOf('two') } });
  const ended: string[] = [];
  for (const secret of ['one', 'two']) {
    const identity = await verify(gate, secret);
    assert.ok('credential' in identity);
    gate.hold(identity, { accessEnded: (reason: AccessEnd) => ended.push(`${secret} ${reason}`) });
  }
  gate.adopt({ keys: new Map([['b', keyOf('two')]]), revoked: NOTHING_REVOKED });
  assert.deepEqual(ended, ['one revoked']);
  assert.equal(await outcomeOf(gate, 'one'), 'credential_invalid');
  assert.equal(await outcomeOf(gate, 'two'), 'accepted');
});

test('a key that allows something else now ends what rested on what it allowed', async () => {
  const gate = testGate({ clock: new ManualClock(), keys: { a: keyOf('one') } });
  const before = await verify(gate, 'one');
  assert.ok('credential' in before);
  const ended: AccessEnd[] = [];
  gate.hold(before, { accessEnded: (reason) => ended.push(reason) });
  gate.adopt({ keys: new Map([['a', keyOf('one', { news: ['subscribe'] })]]), revoked: NOTHING_REVOKED });
  assert.deepEqual(ended, ['revoked']);
  const after = await verify(gate, 'one');
  assert.ok('credential' in after);
  assert.deepEqual([after.allows('publish', 'a'), after.allows('subscribe', 'news')], [false, true]);
});

test('what rests on an identity ends when it expires', async () => {
  const clock = new ManualClock();
  const expires = new Date(clock.nowMs() + 5000).toISOString();
  const gate = testGate({ clock, keys: { brief: { ...keyOf('secret'), expires } } });
  const identity = await verify(gate, 'secret');
  assert.ok('credential' in identity);
  const ended: string[] = [];
  gate.hold(identity, { accessEnded: (reason) => ended.push(`held ${reason}`) });
  const letGo = gate.hold(identity, { accessEnded: (reason) => ended.push(`left ${reason}`) });
  letGo();
  clock.advance(4900);
  assert.deepEqual(ended, []);
  clock.advance(1000);
  assert.deepEqual(ended, ['held expired']);
  clock.advance(5000);
  assert.deepEqual(ended, ['held expired']);
});

/** A gate with one key that ends after `lifeMs`, and what those are told who hold on to it. */
async function expiringKey(lifeMs: number, limits: Partial<Limits> = {}) {
  const clock = new ManualClock();
  const expiresMs = clock.nowMs() + lifeMs;
  const key = { ...keyOf('secret'), expires: new Date(expiresMs).toISOString() };
  const gate = testGate({ clock, keys: { brief: key }, limits: resolveLimits(limits) });
  const identity = await verify(gate, 'secret');
  assert.ok('credential' in identity);
  const told: string[] = [];
  const hold = (name: string) =>
    gate.hold(identity, {
      accessExpiring: (atMs) => told.push(`${name} expires ${atMs - expiresMs}`),
      accessEnded: (reason) => told.push(`${name} ${reason}`),
    });
  return { clock, gate, told, hold };
}

test('limits.credentialNoticeMs: who holds on to an identity is told once before it ends', async () => {
  const { clock, told, hold } = await expiringKey(60_000, { credentialNoticeMs: 10_000 });
  hold('first');
  hold('left')();
  const leave = hold('leaving');
  clock.advance(49_900);
  assert.deepEqual(told, []);
  clock.advance(600);
  assert.deepEqual(told.splice(0), ['first expires 0', 'leaving expires 0']);
  hold('late');
  leave();
  clock.advance(500);
  assert.deepEqual(told.splice(0), ['late expires 0']);
  clock.advance(8_000);
  assert.deepEqual(told, []);
  clock.advance(1_000);
  assert.deepEqual(told, ['first expired', 'late expired']);
});

test('of an identity that is short, half goes by before its end is told', async () => {
  const { clock, told, hold } = await expiringKey(8_000);
  hold('it');
  clock.advance(3_900);
  assert.deepEqual(told, []);
  clock.advance(600);
  assert.deepEqual(told, ['it expires 0']);
});

test('with limits.credentialNoticeMs at 0 no end is told before it is there', async () => {
  const { clock, told, hold } = await expiringKey(8_000, { credentialNoticeMs: 0 });
  hold('it');
  clock.advance(9_000);
  assert.deepEqual(told, ['it expired']);
});

test('an identity whose end was told can still be revoked', async () => {
  const { clock, gate, told, hold } = await expiringKey(8_000);
  hold('it');
  clock.advance(5_000);
  gate.adopt({ keys: new Map(), revoked: NOTHING_REVOKED });
  clock.advance(5_000);
  assert.deepEqual(told, ['it expires 0', 'it revoked']);
});

test('without credentials a server on loopback is open, until there is one, and then for good', () => {
  const clock = new ManualClock();
  const told: string[] = [];
  const gate = testGate({ clock, openWithoutCredentials: true, closed: () => told.push('closed') });
  assert.equal(gate.anonymous.allows('publish', 'a'), true);
  gate.hold(gate.anonymous, { accessEnded: (reason) => told.push(reason) });
  gate.adopt({ keys: new Map(), revoked: NOTHING_REVOKED });
  assert.deepEqual(told, []);
  gate.adopt({ keys: new Map([['a', keyOf('one')]]), revoked: NOTHING_REVOKED });
  assert.deepEqual(told, ['revoked', 'closed']);
  assert.equal(gate.anonymous.allows('publish', 'a'), false);
  gate.adopt({ keys: new Map(), revoked: NOTHING_REVOKED });
  assert.equal(gate.anonymous.allows('publish', 'a'), false);
  assert.equal(told.length, 2);
  assert.equal(testGate({ clock }).anonymous.allows('publish', 'a'), false);
});

test('a server that asks for credentials does so in every process, also where no key was ever seen', () => {
  const clock = new ManualClock();
  const told: string[] = [];
  const settings = { clock, openWithoutCredentials: true, closed: () => told.push('closed') } as const;
  const rules = { keys: new Map(), revoked: NOTHING_REVOKED, asksForCredentials: true };
  const gate = testGate(settings);
  gate.adopt({ ...rules, asksForCredentials: false });
  assert.equal(gate.admitsAnonymous, true);
  gate.adopt(rules);
  assert.equal(gate.admitsAnonymous, false);
  assert.deepEqual(told, ['closed']);
  const late = testGate({ ...settings, rules });
  assert.equal(late.admitsAnonymous, false);
  assert.deepEqual(told, ['closed']);
});

test('those without a credential may do what is said of them', () => {
  const gate = testGate({ clock: new ManualClock(), anonymous: { 'news/#': ['subscribe'] } });
  assert.equal(gate.anonymous.allows('subscribe', 'news/today'), true);
  assert.equal(gate.anonymous.allows('publish', 'news/today'), false);
});

test('what is held by an identity that was revoked before it was held ends in the next turn', async () => {
  const clock = new ManualClock();
  const gate = testGate({ clock, keys: { a: keyOf('one') } });
  const identity = await verify(gate, 'one');
  assert.ok('credential' in identity);
  assert.equal(gate.standing(identity), 'good');
  gate.adopt({ keys: new Map(), revoked: NOTHING_REVOKED });
  assert.equal(gate.standing(identity), 'revoked');
  const ended: AccessEnd[] = [];
  gate.hold(identity, { accessEnded: (reason) => ended.push(reason) });
  assert.deepEqual(ended, []);
  await clock.settle();
  assert.deepEqual(ended, ['revoked']);
});

test('a leap second ends a key and keeps a revocation', async () => {
  const clock = new ManualClock(Date.UTC(2017, 0, 2));
  const expires = '2016-12-31T23:59:60Z';
  const gate = testGate({ clock, keys: { old: { ...keyOf('secret'), expires } } });
  assert.equal(await outcomeOf(gate, 'secret'), 'token_expired');
  const { users } = revokedBy([
    { user: 'eve', before: '2026-06-01T00:00:00Z' },
    { user: 'eve', before: '2026-12-31T23:59:60Z' },
  ]);
  assert.ok((users.get('eve') ?? 0) >= Date.UTC(2026, 11, 31, 23, 59, 59));
});
