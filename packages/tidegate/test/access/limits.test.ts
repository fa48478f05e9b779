import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { SignJWT } from 'jose';
import { type Gate, type GateOptions, type Identity, NOTHING_REVOKED } from '../../src/access/index.ts';
import { Issuer } from '../../src/access/issuer.ts';
import { fixedKeys } from '../../src/access/key-source.ts';
import type { KeyOptions, LimitOptions } from '../../src/access/options.ts';
import type { Channels } from '../../src/channels/index.ts';
import { type Metrics, noMetrics, TidegateError } from '../../src/kernel/index.ts';
import { clock, eachTestHasAHub, hub, send } from '../support/hub-fixture.ts';
import { event, publish, TestSubscriber } from '../support/test-hub.ts';
import { keyOf, testGate, verify } from './access-fixture.ts';

const SECRET = Buffer.from('0123456789abcdef0123456789abcdef');

/** How often each limit was hit. */
let hits: Record<string, number>;
const metrics: Metrics = {
  ...noMetrics,
  counter: ({ name }, labels = []) => ({
    add(amount) {
      if (name === 'tidegate_limits_hit_total') hits[labels[0]] = (hits[labels[0]] ?? 0) + amount;
    },
  }),
};
beforeEach(() => {
  hits = {};
});
eachTestHasAHub();

const key = (secret: string, limits?: LimitOptions): KeyOptions => ({
  ...keyOf(secret, { '#': ['publish', 'subscribe', 'history'] }),
  ...(limits === undefined ? {} : { limits }),
});

function gateWith(keys: Record<string, KeyOptions>, others: Partial<GateOptions> = {}): Gate {
  return testGate({ clock, channels: hub, metrics, keys, ...others });
}

const issuer = (): Issuer =>
  new Issuer(
    {
      name: 'app',
      algorithms: ['HS256'],
      issuer: undefined,
      audience: undefined,
      allow: { '#': ['subscribe'] },
    },
    fixedKeys({ kind: 'key', key: SECRET }),
  );

const token = (claims: Record<string, unknown>): Promise<string> =>
  new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(SECRET);

async function identityOf(gate: Gate, credential: string): Promise<Identity> {
  const identity = await verify(gate, credential);
  assert.ok(!(identity instanceof TidegateError), String(identity));
  return identity;
}

const channelsOf = async (gate: Gate, credential: string): Promise<Channels> =>
  gate.channelsFor(await identityOf(gate, credential));

const refusedWith =
  (code: string) =>
  (error: unknown): boolean =>
    error instanceof TidegateError && error.code === code;

/** Publishes one text after another in one call; their codes, or `stored`. */
async function outcomes(channels: Channels, ...data: string[]): Promise<string[]> {
  const answer = publish(channels, ...data.map((text) => event('a', text)));
  await clock.settle();
  return (await answer).map((outcome) => (outcome instanceof TidegateError ? outcome.code : 'stored'));
}

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

test('publishesPerSecondMax: of a batch, what is above the rate is refused, and told when to come again', async () => {
  const gate = gateWith({ a: key('one', { publishesPerSecondMax: 4 }) });
  const channels = await channelsOf(gate, 'one');
  assert.deepEqual(await outcomes(channels, '1', '2', '3'), ['stored', 'stored', 'stored']);
  const answer = publish(channels, event('a', '4'), event('a', '5'), event('a', '6'));
  await clock.settle();
  const [fourth, fifth, sixth] = await answer;
  assert.ok(!(fourth instanceof TidegateError));
  assert.ok(fifth instanceof TidegateError && sixth instanceof TidegateError);
  assert.deepEqual([fifth.code, fifth.retryAfterMs], ['rate_exceeded', 250]);
  assert.deepEqual(hits, { publish_rate: 2 });
  clock.advance(249);
  assert.deepEqual(await outcomes(channels, '5'), ['rate_exceeded']);
  clock.advance(1);
  assert.deepEqual(await outcomes(channels, '5', '6'), ['stored', 'rate_exceeded']);
  const reader = new TestSubscriber(hub, 'a', 'earliest');
  await clock.settle();
  assert.deepEqual(reader.data, ['1', '2', '3', '4', '5']);
});

test('messageBytesMax: what is too large is refused by itself, and does not count as published', async () => {
  const gate = gateWith({ a: key('one', { messageBytesMax: 3, publishesPerSecondMax: 2 }) });
  const channels = await channelsOf(gate, 'one');
  assert.deepEqual(await outcomes(channels, 'abc', 'abcd', 'ab'), ['stored', 'body_too_large', 'stored']);
  assert.deepEqual(hits, { message_bytes: 1 });
});

test('what is not allowed does not count as published', async () => {
  const gate = gateWith({ a: { ...keyOf('one', { b: ['publish'] }), limits: { publishesPerSecondMax: 1 } } });
  const channels = await channelsOf(gate, 'one');
  assert.deepEqual(await outcomes(channels, '1', '2'), ['access_denied', 'access_denied']);
  const answer = publish(channels, event('b', '3'));
  await clock.settle();
  assert.ok(!((await answer)[0] instanceof TidegateError));
});

/** How many bytes one message takes on its way to a TestSubscriber. */
async function frameBytes(): Promise<number> {
  const sizes: number[] = [];
  const sink = { write: (bytes: Buffer) => sizes.push(bytes.length) > 0, ended() {} };
  const from = { kind: 'latest' } as const;
  const encoder = TestSubscriber.encoder();
  const probe = hub.subscribe({ channels: ['p'], from, encoder, sink, slowPolicy: 'resume', protocol: 'x' });
  await clock.settle();
  await send('p', '0');
  probe.close();
  return sizes[0];
}

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
