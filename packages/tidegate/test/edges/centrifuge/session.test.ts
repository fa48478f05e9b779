import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { clock, eachTestHasAHub, log, send, startHubAnew } from '../../support/hub-fixture.ts';
import { topicSpec } from '../../support/test-hub.ts';
import { pushes, type Reply, SessionLab } from './session-lab.ts';

eachTestHasAHub();

describe('A session', () => {
  it('connects, subscribes and publishes by the commands of one frame, answered in one', async () => {
    const client = new SessionLab().arrive();
    const replies = await client.ask(
      { id: 1, connect: { name: 'js' } },
      { id: 2, subscribe: { channel: 'news' } },
      { id: 3, publish: { channel: 'news', data: { a: 1 } } },
    );
    const kinds = replies.map((reply) => Object.keys(reply).at(-1));
    assert.deepEqual(kinds.slice(0, 2), ['connect', 'subscribe']);
    assert.deepEqual(kinds.slice(2).sort(), ['publish', 'push']);
    assert.equal(client.frames, 3);
    const connect = replies[0].connect as Reply;
    assert.match(
      String(connect.client),
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    assert.equal(connect.version, '1.2.3');
    assert.equal(connect.ping, 25);
    assert.equal(connect.pong, true);
    assert.equal(connect.session, undefined);
    const subscribe = replies[1].subscribe as Reply;
    assert.deepEqual({ ...subscribe, epoch: '' }, { recoverable: true, positioned: true, epoch: '' });
  });

  it('answers in order, and reads what the same frame has published', async () => {
    const client = await new SessionLab().connect();
    const replies = await client.ask(
      { id: 2, publish: { channel: 'news', data: 1 } },
      { id: 3, publish: { channel: 'news', data: 2 } },
      { id: 4, history: { channel: 'news', limit: 10 } },
      { id: 5, unsubscribe: { channel: 'none' } },
    );
    assert.deepEqual(
      replies.map(({ id }) => id),
      [2, 3, 4, 5],
    );
    assert.equal((replies[2].history as { publications: unknown[] }).publications.length, 2);
  });

  it('tells who published, with the offset', async () => {
    const lab = new SessionLab({ table: { alice: { user: 'alice' } } });
    const reader = await lab.connect();
    await reader.ask({ id: 2, subscribe: { channel: 'news' } });
    const alice = await lab.connect('alice');
    await alice.ask({ id: 2, publish: { channel: 'news', data: 12.5 } });
    alice.sendText('{"id":3,"publish":{"channel":"news","data":{"n":12345678901234567890.5}}}');
    await clock.settle();
    const info = { user: 'alice', client: alice.session.client };
    const [first, second] = pushes(reader.take()) as { pub: Reply }[];
    assert.deepEqual(first, {
      channel: 'news',
      pub: { data: 12.5, offset: 1, info },
    });
    assert.deepEqual(second.pub.offset, 2);
  });

  it('is disconnected for what is not the protocol', async () => {
    const lab = new SessionLab();
    for (const text of [
      '',
      '{}',
      '{"id":2,"ping":{}}',
      '{"id":2,"subscribe":{"channel":"a","delta":"xxx"}}',
      'nonsense',
      '[]',
      '{"id":-1,"unsubscribe":{"channel":"none"}}',
      '{"id":2}',
      '{"id":2,"unknown":{}}',
      '{"id":2,"subscribe":{"channel":5}}',
      '{"id":2,"subscribe":{"channel":""}}',
      '{"id":2,"publish":{"channel":"a"}}',
      '{"publish":{"channel":"a","data":1}}',
      '{"id":2,"connect":{}}',
    ]) {
      const client = await lab.connect();
      client.sendText(text);
      assert.deepEqual(client.ended, { code: 3501, reason: 'bad request' }, text);
    }
    const client = lab.arrive();
    client.sendText('{"id":1,"subscribe":{"channel":"a"}}');
    assert.equal(client.ended?.code, 3501);
  });

  it('answers a subscription that there is already with 105, and too many with 106', async () => {
    const lab = new SessionLab({ limits: { centrifugeSubscriptionsMax: 2 } });
    const client = await lab.connect();
    const replies = await client.ask(
      { id: 2, subscribe: { channel: 'a' } },
      { id: 3, subscribe: { channel: 'a' } },
      { id: 4, subscribe: { channel: 'b' } },
      { id: 5, subscribe: { channel: 'c' } },
      { id: 6, unsubscribe: { channel: 'a' } },
      { id: 7, subscribe: { channel: 'c' } },
    );
    assert.deepEqual(
      replies.map(({ error }) => (error as Reply | undefined)?.code),
      [undefined, 105, undefined, 106, undefined, undefined],
    );
  });

  it('denies what the identity does not allow', async () => {
    const lab = new SessionLab({ anonymous: { allow: { open: ['subscribe'] } } });
    const client = await lab.connect();
    const replies = await client.ask(
      { id: 2, subscribe: { channel: 'open' } },
      { id: 3, subscribe: { channel: 'closed' } },
      { id: 4, publish: { channel: 'open', data: 1 } },
      { id: 5, history: { channel: 'open', limit: 1 } },
      { id: 6, presence: { channel: 'open' } },
      { id: 7, presence_stats: { channel: 'open' } },
      { id: 8, rpc: { method: 'x', data: {} } },
    );
    assert.deepEqual(
      replies.map(({ error }) => (error as Reply | undefined)?.code),
      [undefined, 103, 103, 103, 103, 103, 108],
    );
  });

  it('has calls answered by the handler that it was given', async () => {
    const lab = new SessionLab({ rpc: ({ method, data }, done) => done(method === 'echo' ? data : null) });
    const client = await lab.connect();
    const replies = await client.ask({ id: 2, rpc: { method: 'echo', data: { a: [1] } } });
    assert.deepEqual(replies, [{ id: 2, rpc: { data: { a: [1] } } }]);
  });

  it('does not answer messages', async () => {
    const client = await new SessionLab().connect();
    assert.deepEqual(await client.ask({ send: { data: 1 } }, { id: 9, unsubscribe: { channel: 'a' } }), [
      { id: 9, unsubscribe: {} },
    ]);
  });
});

describe('A filter, or another kind of subscription', () => {
  it('is told not to be available, instead of being passed over', async () => {
    const client = await new SessionLab().connect();
    const replies = await client.ask(
      { id: 2, subscribe: { channel: 'a', tf: { key: 'lang', cmp: 'eq', val: 'en' } } },
      { id: 3, subscribe: { channel: 'a', type: 1 } },
    );
    assert.deepEqual(
      replies.map(({ error }) => (error as Reply).code),
      [108, 108],
    );
  });
});

describe('A subscription that the server ends', () => {
  it('is begun again by the client where its channel is stored elsewhere now', async () => {
    const client = await new SessionLab().connect();
    await client.ask({ id: 2, subscribe: { channel: 'later/a' } });
    await clock.run(log.createTopic(topicSpec('later')));
    await send('other', 'x');
    assert.deepEqual(client.take(), [
      { push: { channel: 'later/a', unsubscribe: { code: 2500, reason: 'insufficient state' } } },
    ]);
  });

  it('ends the connection when the server shuts down, and clients come back', async () => {
    const client = await new SessionLab().connect();
    await client.ask({ id: 2, subscribe: { channel: 'a' } });
    startHubAnew();
    assert.deepEqual(client.ended, { code: 3001, reason: 'shutdown' });
  });
});
