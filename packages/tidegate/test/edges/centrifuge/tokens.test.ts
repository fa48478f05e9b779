import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { membersOf } from '../../channels/presence-lab.ts';
import { clock, eachTestHasAHub, send } from '../../support/hub-fixture.ts';
import { SessionLab } from './session-lab.ts';

eachTestHasAHub();

type Result = Readonly<Record<string, unknown>>;

const START_MS = Date.UTC(2026, 0, 1);

const table = {
  minute: { user: 'alice', expiresMs: START_MS + 60_000 },
  hour: { user: 'alice', expiresMs: START_MS + 3_600_000 },
  bob: { user: 'bob' },
  claimed: { user: 'carol', claims: { channels: ['one'], subs: { two: {} } }, allow: {} },
  channel: { claims: { channel: 'secret', info: { role: 'guest' } }, expiresMs: START_MS + 60_000 },
  'channel again': { claims: { channel: 'secret' } },
  'channel of bob': { user: 'bob', claims: { channel: 'secret' } },
};

describe('A connection token', () => {
  it('tells the client how long it is good for, and is replaced by a refresh', async () => {
    const lab = new SessionLab({ table });
    const client = lab.arrive();
    const [reply] = await client.ask({ id: 1, connect: { token: 'minute' } });
    const { expires, ttl } = reply.connect as Result;
    assert.deepEqual({ expires, ttl }, { expires: true, ttl: 60 });
    const [refreshed] = await client.ask({ id: 2, refresh: { token: 'hour' } });
    assert.equal((refreshed.refresh as Result).ttl, 3600);
    lab.access.end('minute', 'expired');
    clock.advance(60_000);
    assert.equal(client.ended, null);
    assert.equal(lab.access.held, 1);
  });

  it('ends the connection as 3005 a grace after it has expired', async () => {
    const lab = new SessionLab({ table, limits: { centrifugeExpiryGraceMs: 5000 } });
    const client = await lab.connect('minute');
    lab.access.end('minute', 'expired');
    clock.advance(4999);
    assert.equal(client.ended, null);
    clock.advance(1);
    assert.deepEqual(client.ended, { code: 3005, reason: 'connection expired' });
  });

  it('may be replaced within the grace', async () => {
    const lab = new SessionLab({ table, limits: { centrifugeExpiryGraceMs: 5000 } });
    const client = await lab.connect('minute');
    lab.access.end('minute', 'expired');
    await client.ask({ id: 2, refresh: { token: 'hour' } });
    clock.advance(5000);
    assert.equal(client.ended, null);
  });

  it('that was revoked ends the connection at once', async () => {
    const lab = new SessionLab({ table });
    const client = await lab.connect('hour');
    lab.access.end('hour', 'revoked');
    assert.deepEqual(client.ended, { code: 3500, reason: 'invalid token' });
  });

  it('that has expired is told as 109, so that the client gets another; one that is not valid as 3500', async () => {
    const lab = new SessionLab({ table });
    lab.access.end('minute', 'expired');
    const late = lab.arrive();
    const [reply] = await late.ask({ id: 1, connect: { token: 'minute' } });
    assert.deepEqual(reply, { id: 1, error: { code: 109, message: 'token expired' } });
    const [connected] = await late.ask({ id: 2, connect: { token: 'hour' } });
    assert.ok('connect' in connected);
    const stranger = await lab.connect('unknown');
    assert.equal(stranger.ended?.code, 3500);
    const expiring = await lab.connect('hour');
    await expiring.ask({ id: 2, refresh: { token: 'minute' } });
    assert.equal(expiring.ended?.code, 3005);
  });

  it('of another user does not refresh', async () => {
    const client = await new SessionLab({ table }).connect('hour');
    await client.ask({ id: 2, refresh: { token: 'bob' } });
    assert.equal(client.ended?.code, 3500);
  });

  it('is asked for where those without one may do nothing', async () => {
    const lab = new SessionLab({ table });
    lab.access.admitsAnonymous = false;
    assert.equal((await lab.connect()).ended?.code, 3501);
    assert.equal((await lab.connect('bob')).ended, null);
  });

  it('is not a subscription token', async () => {
    const lab = new SessionLab({ table });
    assert.equal((await lab.connect('channel again')).ended?.code, 3500);
    const client = await lab.connect('bob');
    await client.ask({ id: 2, refresh: { token: 'channel of bob' } });
    assert.equal(client.ended?.code, 3500);
  });

  it('may come with the request that begins the connection', async () => {
    const client = new SessionLab({ table }).arrive('bob');
    await client.ask({ id: 1, connect: {} });
    assert.equal(client.session.user, 'bob');
  });

  it('subscribes its holder to the channels that it claims, and recovers them', async () => {
    const lab = new SessionLab({ table });
    const client = lab.arrive();
    const [reply] = await client.ask({ id: 1, connect: { token: 'claimed' } });
    const subs = (reply.connect as Result).subs as Record<string, Result>;
    assert.deepEqual(Object.keys(subs), ['one', 'two']);
    const { epoch } = subs.one;
    await send('one', 'a');
    assert.deepEqual(client.take(), [{ push: { channel: 'one', pub: { data: 'a', offset: 1 } } }]);
    client.session.closed();
    await send('one', 'b');
    const again = lab.arrive();
    const [resumed, ...more] = await again.ask({
      id: 1,
      connect: { token: 'claimed', subs: { one: { recover: true, epoch, offset: 1 } } },
    });
    const { one } = (resumed.connect as Result).subs as Record<string, Result>;
    assert.equal(one.recovered, true);
    assert.equal(one.offset, 1);
    assert.deepEqual(one.publications, [{ data: 'b', offset: 2 }]);
    assert.deepEqual(more, []);
  });
});

describe('The options of a subscription by a connection token', () => {
  type Override = Readonly<Record<string, { readonly value?: boolean } | null>>;
  const subscribed = (override: Override, rest: object = {}) => ({
    user: 'dan',
    claims: { subs: { room: { override, ...rest } } },
  });
  const optioned = {
    plain: { user: 'eve', claims: { subs: { room: {} } } },
    data: subscribed({}, { data: { welcome: 1 }, info: { role: 'guest' } }),
    bytes: subscribed({}, { b64data: 'AP8=', b64info: 'AP8=', data: 1, info: 2 }),
    hidden: subscribed({ presence: { value: false }, join_leave: { value: false } }),
    silent: subscribed({ join_leave: { value: false } }),
    unlisted: subscribed({ presence: {}, join_leave: null }),
    watching: subscribed({ force_push_join_leave: { value: true } }),
    'bad override': subscribed({ presence: { value: 1 as unknown as boolean } }),
    'bad info': { claims: { b64info: 1 } },
    'bad subs': { claims: { subs: [] } },
    'info in base64': { user: 'dan', claims: { b64info: 'AP8=', info: 1, channels: ['room'] } },
    'for the room': {
      claims: { channel: 'room', b64info: 'AP8=', override: { join_leave: { value: false } } },
    },
    'bad for the room': { claims: { channel: 'room', override: true } },
  };
  const told = (replies: readonly Result[]): unknown[] =>
    replies.flatMap(({ push }) => Object.keys((push ?? {}) as Result)).filter((key) => key !== 'channel');

  it('are the data that its holder is told, and what others see of it', async () => {
    const lab = new SessionLab({ table: optioned });
    const client = lab.arrive();
    const [reply] = await client.ask({ id: 1, connect: { token: 'data' } });
    const { room } = (reply.connect as Result).subs as Record<string, Result>;
    assert.deepEqual(room.data, { welcome: 1 });
    const [{ chanInfo }] = membersOf(lab.context.presence, 'room');
    assert.equal(String(chanInfo?.bytes), '{"role":"guest"}');
    await client.ask({ id: 2, publish: { channel: 'room', data: 1 } });
    const [{ history }] = await client.ask({ id: 3, history: { channel: 'room', limit: 1 } });
    const [publication] = (history as Result).publications as Result[];
    assert.deepEqual((publication.info as Result).chan_info, { role: 'guest' });
  });

  it('may be bytes in base64, which go before', async () => {
    const lab = new SessionLab({ table: optioned });
    const client = lab.arrive();
    const [reply] = await client.ask({ id: 1, connect: { token: 'bytes' } });
    const { room } = (reply.connect as Result).subs as Record<string, Result>;
    assert.equal(room.data, 'AP8=');
    const [{ chanInfo }] = membersOf(lab.context.presence, 'room');
    assert.deepEqual(chanInfo, { kind: 'binary', bytes: Buffer.of(0, 255) });
    // Publications have no place for bytes.
    await client.ask({ id: 2, publish: { channel: 'room', data: 1 } });
    const [{ history }] = await client.ask({ id: 3, history: { channel: 'room', limit: 1 } });
    const [publication] = (history as Result).publications as Result[];
    assert.deepEqual(Object.keys(publication.info as object), ['user', 'client']);
    client.session.closed();
    await lab.connect('info in base64');
    const [{ connInfo }] = membersOf(lab.context.presence, 'room');
    assert.deepEqual(connInfo, { kind: 'binary', bytes: Buffer.of(0, 255) });
  });

  it('say whether others see it in the list, and whether they are told of it', async () => {
    for (const [token, listed, events] of [
      ['plain', 1, ['join', 'leave']],
      ['hidden', 0, []],
      ['silent', 1, []],
      ['unlisted', 0, ['join', 'leave']],
    ] as const) {
      const lab = new SessionLab({ table: optioned });
      const watcher = await lab.connect();
      await watcher.ask({ id: 2, subscribe: { channel: 'room', join_leave: true } });
      watcher.take();
      const client = await lab.connect(token);
      assert.equal(membersOf(lab.context.presence, 'room').length, 1 + listed, token);
      client.session.closed();
      assert.deepEqual(told(watcher.take()), events, token);
    }
  });

  it('may have it told who comes and goes, itself included, although it did not ask', async () => {
    const lab = new SessionLab({ table: optioned });
    const client = lab.arrive();
    const replies = await client.ask({ id: 1, connect: { token: 'watching' } });
    assert.deepEqual(told(replies), ['join']);
    const other = await lab.connect('plain');
    other.session.closed();
    assert.deepEqual(told(client.take()), ['join', 'leave']);
    const unasked = lab.arrive();
    assert.deepEqual(told(await unasked.ask({ id: 1, connect: { token: 'plain' } })), []);
  });

  it('that cannot be read make the token a bad one', async () => {
    for (const token of ['bad override', 'bad info', 'bad subs']) {
      const client = await new SessionLab({ table: optioned }).connect(token);
      assert.deepEqual(client.ended, { code: 3500, reason: 'invalid token' }, token);
    }
  });

  it('are those of a subscription token too', async () => {
    const lab = new SessionLab({ table: optioned });
    const watcher = await lab.connect();
    await watcher.ask({ id: 2, subscribe: { channel: 'room', join_leave: true } });
    watcher.take();
    const client = await lab.connect();
    await client.ask({ id: 2, subscribe: { channel: 'room', token: 'for the room' } });
    const { chanInfo } = membersOf(lab.context.presence, 'room')[1];
    assert.deepEqual(chanInfo, { kind: 'binary', bytes: Buffer.of(0, 255) });
    assert.deepEqual(told(watcher.take()), []);
    const refused = await lab.connect();
    await refused.ask({ id: 2, subscribe: { channel: 'room', token: 'bad for the room' } });
    assert.deepEqual(refused.ended, { code: 3500, reason: 'invalid token' });
  });
});

describe('A subscription token', () => {
  it('admits to its channel, with what it says about its holder', async () => {
    const lab = new SessionLab({ table, anonymous: { allow: { secret: ['presence'] } } });
    const client = await lab.connect();
    const [denied, reply] = await client.ask(
      { id: 2, subscribe: { channel: 'secret' } },
      { id: 3, subscribe: { channel: 'secret', token: 'channel' } },
    );
    assert.equal((denied.error as Result).code, 103);
    const { expires, ttl } = reply.subscribe as Result;
    assert.deepEqual({ expires, ttl }, { expires: true, ttl: 60 });
    assert.deepEqual(
      membersOf(lab.context.presence, 'secret').map(({ chanInfo }) => String(chanInfo?.bytes)),
      ['{"role":"guest"}'],
    );
  });

  it('is told with what its holder publishes, like the connection token, also when it is read later', async () => {
    const about = { user: 'dan', claims: { info: { name: 'Dän' } } };
    const lab = new SessionLab({
      table: { dan: about, guest: { user: 'dan', claims: { channel: 'secret', info: [1, '\n'] } } },
    });
    const [dan, reader] = [await lab.connect('dan'), await lab.connect()];
    await reader.ask({ id: 2, subscribe: { channel: 'secret' } });
    await dan.ask(
      { id: 2, subscribe: { channel: 'secret', token: 'guest' } },
      { id: 3, publish: { channel: 'secret', data: 1 } },
    );
    const { client } = dan.session;
    const info = { user: 'dan', client, conn_info: { name: 'Dän' }, chan_info: [1, '\n'] };
    const pub = { data: 1, offset: 1, info };
    assert.deepEqual(reader.take(), [{ push: { channel: 'secret', pub } }]);
    const [{ history }] = await reader.ask({ id: 3, history: { channel: 'secret', limit: 1 } });
    const { publications, epoch } = history as Result;
    assert.deepEqual(publications, [pub]);
    const [, { subscribe }] = await reader.ask(
      { id: 4, unsubscribe: { channel: 'secret' } },
      { id: 5, subscribe: { channel: 'secret', recover: true, epoch, offset: 0 } },
    );
    assert.deepEqual((subscribe as Result).publications, [pub]);
  });

  it('that is not valid admits to nothing', async () => {
    const client = await new SessionLab({ table }).connect();
    const [reply] = await client.ask({ id: 4, subscribe: { channel: 'secret', token: 'unknown' } });
    assert.equal((reply.error as Result).code, 103);
    assert.equal(client.ended, null);
  });

  it('for another channel or another user ends the connection', async () => {
    const lab = new SessionLab({ table });
    for (const subscribe of [
      { channel: 'other', token: 'channel' },
      { channel: 'secret', token: 'channel of bob' },
      { channel: 'secret', token: 'hour' },
    ]) {
      const client = await lab.connect();
      await client.ask({ id: 2, subscribe });
      assert.deepEqual(client.ended, { code: 3500, reason: 'invalid token' }, subscribe.token);
    }
  });

  it('ends the connection if it is no good for a refresh, except if it has expired', async () => {
    const lab = new SessionLab({ table });
    const subscribe = { channel: 'secret', token: 'channel again' };
    for (const token of ['unknown', 'channel of bob', 'hour']) {
      const client = await lab.connect();
      await client.ask({ id: 2, subscribe }, { id: 3, sub_refresh: { channel: 'secret', token } });
      assert.deepEqual(client.ended, { code: 3500, reason: 'invalid token' }, token);
    }
    const client = await lab.connect();
    lab.access.end('channel', 'expired');
    const replies = await client.ask(
      { id: 2, subscribe },
      { id: 3, sub_refresh: { channel: 'secret', token: 'channel' } },
    );
    assert.equal((replies[1].error as Result).code, 109);
    assert.equal(client.ended, null);
  });

  it('refreshes no subscription that there is not', async () => {
    const client = await new SessionLab({ table }).connect();
    const sub_refresh = { channel: 'secret', token: 'channel' };
    const [reply] = await client.ask({ id: 2, sub_refresh });
    assert.equal((reply.error as Result).code, 103);
  });

  it('ends the subscription a grace after it has expired, so that the client begins it again', async () => {
    const lab = new SessionLab({ table, limits: { centrifugeExpiryGraceMs: 1000 } });
    const client = await lab.connect();
    await client.ask({ id: 2, subscribe: { channel: 'secret', token: 'channel' } });
    lab.access.end('channel', 'expired');
    clock.advance(1000);
    assert.deepEqual(client.take(), [
      { push: { channel: 'secret', unsubscribe: { code: 2501, reason: 'subscription expired' } } },
    ]);
    const [late] = await client.ask({ id: 3, subscribe: { channel: 'secret', token: 'channel' } });
    assert.equal((late.error as Result).code, 109);
  });

  it('is replaced by another', async () => {
    const lab = new SessionLab({ table, limits: { centrifugeExpiryGraceMs: 1000 } });
    const client = await lab.connect();
    await client.ask({ id: 2, subscribe: { channel: 'secret', token: 'channel' } });
    const [reply] = await client.ask({ id: 3, sub_refresh: { channel: 'secret', token: 'channel again' } });
    assert.deepEqual(reply, { id: 3, sub_refresh: {} });
    lab.access.end('channel', 'expired');
    clock.advance(1000);
    assert.deepEqual(client.take(), []);
  });

  it('that was revoked ends the subscription for good', async () => {
    const lab = new SessionLab({ table });
    const client = await lab.connect();
    await client.ask({ id: 2, subscribe: { channel: 'secret', token: 'channel' } });
    lab.access.end('channel', 'revoked');
    assert.deepEqual(client.take(), [
      { push: { channel: 'secret', unsubscribe: { code: 2000, reason: 'server unsubscribe' } } },
    ]);
  });
});

describe('Pings', () => {
  it('come once per interval, and no answer ends the connection as 3012', async () => {
    const client = await new SessionLab().connect();
    client.session.visited();
    assert.deepEqual(client.take(), [{}]);
    // Its next command may come before its answer.
    await client.ask({ id: 2, unsubscribe: { channel: 'none' } });
    client.session.visited();
    assert.deepEqual(client.take(), [{}]);
    await client.ask({}, {});
    assert.equal(client.ended, null);
    client.session.visited();
    assert.deepEqual(client.take(), [{}]);
    client.session.visited();
    assert.deepEqual(client.ended, { code: 3012, reason: 'no pong' });
  });

  it('do not keep a connection whose client reads nothing', async () => {
    const client = await new SessionLab().connect();
    client.room = false;
    await client.ask(
      { id: 2, unsubscribe: { channel: 'none' } },
      { id: 3, unsubscribe: { channel: 'none' } },
    );
    await client.ask({ id: 4, unsubscribe: { channel: 'none' } });
    client.session.visited();
    assert.equal(client.ended, null);
    client.session.visited();
    assert.deepEqual(client.ended, { code: 3012, reason: 'no pong' });
  });

  it('do not wait for a client that says nothing at all: it is stale', () => {
    const client = new SessionLab().arrive();
    client.session.visited();
    assert.deepEqual(client.ended, { code: 3502, reason: 'stale' });
  });
});
