import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { clock, eachTestHasAHub, log, send, startHubAnew } from '../../support/hub-fixture.ts';
import { topicSpec } from '../../support/test-hub.ts';
import { SessionLab, type TestClient } from './session-lab.ts';

eachTestHasAHub();

type Result = Readonly<Record<string, unknown>>;

/** The result of the first reply. */
function result(replies: readonly Result[], method: string): Result {
  assert.ok(method in (replies[0] ?? {}), JSON.stringify(replies));
  return replies[0][method] as Result;
}

async function position(client: TestClient, channel: string): Promise<{ epoch: string; offset: number }> {
  const { epoch, offset } = result(await client.ask({ id: 90, history: { channel } }), 'history');
  return { epoch: epoch as string, offset: offset as number };
}

const pushes = (replies: readonly Result[]): readonly unknown[] => replies.map(({ push }) => push);

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
    const connect = replies[0].connect as Result;
    assert.match(
      String(connect.client),
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    assert.equal(connect.version, '1.2.3');
    assert.equal(connect.ping, 25);
    assert.equal(connect.pong, true);
    assert.equal(connect.session, undefined);
    const subscribe = replies[1].subscribe as Result;
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
    const [first, second] = pushes(reader.take()) as { pub: Result }[];
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
      replies.map(({ error }) => (error as Result | undefined)?.code),
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
      replies.map(({ error }) => (error as Result | undefined)?.code),
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

describe('Recovery', () => {
  it('lists what was missed in the reply, and goes on live from there', async () => {
    const client = await new SessionLab().connect();
    await send('news', '"a"', '"b"', '"c"');
    const { epoch } = await position(client, 'news');
    const recover = { channel: 'news', recover: true, epoch, offset: 1 };
    const reply = result(await client.ask({ id: 2, subscribe: recover }), 'subscribe');
    assert.equal(reply.recovered, true);
    assert.equal(reply.was_recovering, true);
    // The client advances as it takes the publications.
    assert.equal(reply.offset, 1);
    assert.deepEqual(
      (reply.publications as Result[]).map(({ offset }) => offset),
      [2, 3],
    );
    await send('news', '"d"');
    assert.deepEqual(pushes(client.take()), [{ channel: 'news', pub: { data: '"d"', offset: 4 } }]);
  });

  it('goes on as pushes where it is larger than a reply, before what is live', async () => {
    const client = await new SessionLab({ limits: { centrifugePublicationsMax: 2 } }).connect();
    await send('news', ...Array.from({ length: 7 }, (_, i) => String(i)));
    const { epoch } = await position(client, 'news');
    client.sendText(
      JSON.stringify({ id: 2, subscribe: { channel: 'news', recover: true, epoch, offset: 0 } }),
    );
    await send('news', '7');
    const [first, ...rest] = client.take();
    const { recovered, publications, offset } = first.subscribe as Result;
    assert.deepEqual({ recovered, offset }, { recovered: true, offset: undefined });
    const listed = (publications as Result[]).map((publication) => publication.data);
    const pushed = pushes(rest).map((push) => ((push as Result).pub as Result).data);
    assert.deepEqual([...listed, ...pushed], ['0', '1', '2', '3', '4', '5', '6', '7']);
  });

  it('is bounded in bytes too, and takes a large publication all the same', async () => {
    const client = await new SessionLab({ limits: { centrifugeReplyBytesMax: 100 } }).connect();
    await send('news', 'x'.repeat(500), 'y');
    const { epoch } = await position(client, 'news');
    const recover = { channel: 'news', recover: true, epoch, offset: 0 };
    const [first, second] = await client.ask({ id: 2, subscribe: recover });
    assert.equal(((first.subscribe as Result).publications as Result[]).length, 1);
    assert.equal(((second.push as Result).pub as Result).data, 'y');
  });

  it('needs nothing if nothing was missed', async () => {
    const client = await new SessionLab().connect();
    await send('news', 'a');
    const at = await position(client, 'news');
    const reply = result(
      await client.ask({ id: 2, subscribe: { channel: 'news', recover: true, ...at } }),
      'subscribe',
    );
    assert.deepEqual(
      { recovered: reply.recovered, publications: reply.publications, offset: reply.offset },
      { recovered: true, publications: undefined, offset: 1 },
    );
  });

  it('is refused for another epoch, a place beyond the end and one before what is kept', async () => {
    const client = await new SessionLab().connect();
    await send('news', 'a', 'b');
    const { epoch } = await position(client, 'news');
    const cases = [
      { epoch: 'other', offset: 1 },
      { epoch, offset: 99 },
    ];
    for (const [i, at] of cases.entries()) {
      const replies = await client.ask(
        { id: 10 + i, subscribe: { channel: 'news', recover: true, ...at } },
        { id: 20 + i, unsubscribe: { channel: 'news' } },
      );
      const reply = result(replies, 'subscribe');
      assert.deepEqual(
        { recovered: reply.recovered, was: reply.was_recovering, offset: reply.offset },
        { recovered: undefined, was: true, offset: 2 },
        JSON.stringify(at),
      );
      assert.equal(reply.publications, undefined);
    }
  });

  it('is refused as an error where the client wants it so', async () => {
    const client = await new SessionLab().connect();
    const recover = { channel: 'news', recover: true, epoch: 'other', offset: 1, flag: 2 };
    const [reply] = await client.ask({ id: 2, subscribe: recover });
    assert.equal((reply.error as Result).code, 112);
  });

  it('is not there for what spans partitions, which says so', async () => {
    const client = await new SessionLab().connect();
    const subscribe = { channel: 'wide/#', recover: true, epoch: 'e', offset: 3 };
    const reply = result(await client.ask({ id: 2, subscribe }), 'subscribe');
    assert.deepEqual(reply, { was_recovering: true });
    await send('wide/a', 'x');
    assert.deepEqual(pushes(client.take()), [{ channel: 'wide/#', pub: { data: 'x', channel: 'wide/a' } }]);
    const replies = await client.ask({ id: 3, history: { channel: 'wide/#', limit: 1 } });
    assert.equal((replies[0].error as Result).code, 108);
  });
});

describe('Deltas', () => {
  const text = 'what does not change from one publication to the next '.repeat(4);

  it('are made of what came before, and shared by those who are in step', async () => {
    const lab = new SessionLab();
    const clients = [await lab.connect(), await lab.connect()];
    for (const client of clients) {
      const [reply] = await client.ask({ id: 2, subscribe: { channel: 'news', delta: 'fossil' } });
      assert.equal((reply.subscribe as Result).delta, true);
    }
    await send('news', `${text}1`, `${text}2`);
    const [one, two] = clients.map((client) =>
      pushes(client.take()).map((push) => (push as { pub: Result }).pub),
    );
    assert.deepEqual(one, two);
    assert.deepEqual(
      one.map(({ delta }) => delta),
      [undefined, true],
    );
    assert.equal(JSON.parse(one[0].data as string), `${text}1`);
    assert.ok(String(one[1].data).length < 40);
  });

  it('are not made of more than limits.centrifugeDeltaBytesMax', async () => {
    const client = await new SessionLab({ limits: { centrifugeDeltaBytesMax: 2 * text.length } }).connect();
    await client.ask({ id: 2, subscribe: { channel: 'news', delta: 'fossil' } });
    await send('news', text, text);
    assert.deepEqual(
      pushes(client.take()).map((push) => (push as { pub: Result }).pub.delta),
      [undefined, undefined],
    );
  });

  it('are not made for patterns, and the reply says so', async () => {
    const client = await new SessionLab().connect();
    const [reply] = await client.ask({ id: 2, subscribe: { channel: 'orders/#', delta: 'fossil' } });
    assert.equal((reply.subscribe as Result).delta, undefined);
    await send('orders/1', 'x');
    assert.deepEqual((pushes(client.take())[0] as { pub: Result }).pub, {
      data: 'x',
      offset: 1,
      channel: 'orders/1',
    });
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
      replies.map(({ error }) => (error as Result).code),
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

describe('A client that is slow', () => {
  it('keeps its place in the log instead of publications', async () => {
    const client = await new SessionLab().connect();
    await client.ask({ id: 2, subscribe: { channel: 'news' } });
    client.room = false;
    await send('news', '1');
    await send('news', '2');
    await send('news', '3');
    assert.equal(client.take().length, 1);
    client.drain();
    await clock.settle();
    assert.deepEqual(
      pushes(client.take()).map((push) => ((push as Result).pub as Result).data),
      ['2', '3'],
    );
    assert.equal(client.ended, null);
  });

  it('is not read while it does not read its answers', async () => {
    const client = await new SessionLab().connect();
    client.room = false;
    await client.ask({ id: 2, unsubscribe: { channel: 'none' } });
    assert.deepEqual(
      await client.ask(
        { id: 3, unsubscribe: { channel: 'none' } },
        { id: 4, unsubscribe: { channel: 'none' } },
      ),
      [],
    );
    assert.equal(client.paused, true);
    client.drain();
    assert.deepEqual(
      client.take().map(({ id }) => id),
      [3, 4],
    );
    assert.equal(client.paused, false);
  });

  it('is disconnected as slow with more commands than limits.centrifugeCommandsPendingMax', async () => {
    const client = await new SessionLab({ limits: { centrifugeCommandsPendingMax: 3 } }).connect();
    client.room = false;
    await client.ask({ id: 2, unsubscribe: { channel: 'none' } });
    client.sendText(
      '{"id":3,"unsubscribe":{"channel":"none"}}\n{"id":4,"unsubscribe":{"channel":"none"}}\n{"id":5,"unsubscribe":{"channel":"none"}}',
    );
    assert.equal(client.ended, null);
    client.sendText('{"id":6,"unsubscribe":{"channel":"none"}}');
    assert.deepEqual(client.ended, { code: 3008, reason: 'slow' });
  });

  it('is disconnected as slow with more bytes of commands than limits.centrifugeCommandBytesPendingMax', async () => {
    const client = await new SessionLab({ limits: { centrifugeCommandBytesPendingMax: 1024 } }).connect();
    const publish = (id: number, length: number): string =>
      JSON.stringify({ id, publish: { channel: 'news', data: 'x'.repeat(length) } });
    client.room = false;
    await client.ask({ id: 2, unsubscribe: { channel: 'none' } });
    // One that is alone is taken, however large; so is what follows once it has been carried out.
    client.sendText(publish(3, 5000));
    assert.equal(client.ended, null);
    client.drain();
    await clock.settle();
    client.room = false;
    await client.ask({ id: 4, unsubscribe: { channel: 'none' } });
    client.sendText(`${publish(5, 100)}\n${publish(6, 100)}`);
    client.sendText(publish(7, 500));
    assert.equal(client.ended, null);
    client.sendText(publish(8, 500));
    assert.deepEqual(client.ended, { code: 3008, reason: 'slow' });
  });

  it('has no more publishes wait for the log than limits.webSocketPublishBytesPendingMax', async () => {
    const lab = new SessionLab({ limits: { webSocketPublishBytesPendingMax: 1024 } });
    const client = await lab.connect();
    const text = JSON.stringify('x'.repeat(600));
    const publish = (id: number): string => `{"id":${id},"publish":{"channel":"news","data":${text}}}`;
    const pending: number[] = [];
    const channels = lab.access.limitedChannelsFor();
    lab.access.limitedChannelsFor = () => ({
      ...channels,
      publish: (events) => void pending.push(events.length),
    });
    client.sendText([1, 2, 3, 4].map(publish).join('\n'));
    client.sendText(publish(5));
    assert.deepEqual(pending, [2]);
    assert.equal(client.paused, true);
  });

  it('is disconnected as slow with more than limits.centrifugeOutputBytesMax of events unread', async () => {
    const lab = new SessionLab({ limits: { centrifugeOutputBytesMax: 1024 } });
    const client = await lab.connect();
    await client.ask({ id: 2, subscribe: { channel: 'room', join_leave: true } });
    client.room = false;
    for (let i = 0; i < 20 && client.ended === null; i++) {
      const other = await lab.connect();
      await other.ask({ id: 2, subscribe: { channel: 'room' } });
    }
    assert.deepEqual(client.ended, { code: 3008, reason: 'slow' });
  });
});

describe('A slow client with many channels', () => {
  it('is disconnected with more than limits.centrifugeOutputBytesMax of publications unread', async () => {
    const client = await new SessionLab({ limits: { centrifugeOutputBytesMax: 1024 } }).connect();
    const channels = Array.from({ length: 20 }, (_, i) => `many/${i}`);
    await client.ask(...channels.map((channel, i) => ({ id: 10 + i, subscribe: { channel } })));
    client.room = false;
    for (const channel of channels) await send(channel, 'x'.repeat(100));
    assert.deepEqual(client.ended, { code: 3008, reason: 'slow' });
    assert.ok(client.take().length < channels.length);
  });
});

describe('Presence in a session', () => {
  it('is known in numbers only where it is larger than limits.centrifugePresenceMembersMax', async () => {
    const lab = new SessionLab({ limits: { centrifugePresenceMembersMax: 1 } });
    const [one, two] = [await lab.connect(), await lab.connect()];
    await one.ask({ id: 2, subscribe: { channel: 'room' } });
    const alone = result(await one.ask({ id: 3, presence: { channel: 'room' } }), 'presence');
    assert.deepEqual(alone, { presence: { [one.session.client]: { user: '', client: one.session.client } } });
    await two.ask({ id: 2, subscribe: { channel: 'room' } });
    const replies = await one.ask(
      { id: 4, presence: { channel: 'room' } },
      { id: 5, presence_stats: { channel: 'room' } },
    );
    assert.equal((replies[0].error as Result).code, 106);
    assert.deepEqual(replies[1].presence_stats, { num_clients: 2, num_users: 1 });
  });

  it('ends with the connection', async () => {
    const lab = new SessionLab();
    const client = await lab.connect();
    const watcher = await lab.connect();
    await watcher.ask({ id: 2, subscribe: { channel: 'room', join_leave: true } });
    await client.ask({ id: 2, subscribe: { channel: 'room' } });
    client.session.closed();
    const info = { user: '', client: client.session.client };
    assert.deepEqual(pushes(watcher.take()), [
      { channel: 'room', join: { info } },
      { channel: 'room', leave: { info } },
    ]);
    assert.equal(lab.context.clients.size, 1);
  });
});
