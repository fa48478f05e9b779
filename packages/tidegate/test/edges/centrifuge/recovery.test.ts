import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eachTestHasAHub, send } from '../../support/hub-fixture.ts';
import { pushes, type Reply, result, SessionLab, type TestClient } from './session-lab.ts';

eachTestHasAHub();

async function position(client: TestClient, channel: string): Promise<{ epoch: string; offset: number }> {
  const { epoch, offset } = result(await client.ask({ id: 90, history: { channel } }), 'history');
  return { epoch: epoch as string, offset: offset as number };
}

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
      (reply.publications as Reply[]).map(({ offset }) => offset),
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
    const { recovered, publications, offset } = first.subscribe as Reply;
    assert.deepEqual({ recovered, offset }, { recovered: true, offset: undefined });
    const listed = (publications as Reply[]).map((publication) => publication.data);
    const pushed = pushes(rest).map((push) => ((push as Reply).pub as Reply).data);
    assert.deepEqual([...listed, ...pushed], ['0', '1', '2', '3', '4', '5', '6', '7']);
  });

  it('is bounded in bytes too, and takes a large publication all the same', async () => {
    const client = await new SessionLab({ limits: { centrifugeReplyBytesMax: 100 } }).connect();
    await send('news', 'x'.repeat(500), 'y');
    const { epoch } = await position(client, 'news');
    const recover = { channel: 'news', recover: true, epoch, offset: 0 };
    const [first, second] = await client.ask({ id: 2, subscribe: recover });
    assert.equal(((first.subscribe as Reply).publications as Reply[]).length, 1);
    assert.equal(((second.push as Reply).pub as Reply).data, 'y');
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
    assert.equal((reply.error as Reply).code, 112);
  });

  it('is not there for what spans partitions, which says so', async () => {
    const client = await new SessionLab().connect();
    const subscribe = { channel: 'wide/#', recover: true, epoch: 'e', offset: 3 };
    const reply = result(await client.ask({ id: 2, subscribe }), 'subscribe');
    assert.deepEqual(reply, { was_recovering: true });
    await send('wide/a', 'x');
    assert.deepEqual(pushes(client.take()), [{ channel: 'wide/#', pub: { data: 'x', channel: 'wide/a' } }]);
    const replies = await client.ask({ id: 3, history: { channel: 'wide/#', limit: 1 } });
    assert.equal((replies[0].error as Reply).code, 108);
  });
});
