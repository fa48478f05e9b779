import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eachTestHasAHub, send } from '../../support/hub-fixture.ts';
import { pushes, type Reply, SessionLab } from './session-lab.ts';

eachTestHasAHub();

describe('Deltas', () => {
  const text = 'what does not change from one publication to the next '.repeat(4);

  it('are made of what came before, and shared by those who are in step', async () => {
    const lab = new SessionLab();
    const clients = [await lab.connect(), await lab.connect()];
    for (const client of clients) {
      const [reply] = await client.ask({ id: 2, subscribe: { channel: 'news', delta: 'fossil' } });
      assert.equal((reply.subscribe as Reply).delta, true);
    }
    await send('news', `${text}1`, `${text}2`);
    const [one, two] = clients.map((client) =>
      pushes(client.take()).map((push) => (push as { pub: Reply }).pub),
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
      pushes(client.take()).map((push) => (push as { pub: Reply }).pub.delta),
      [undefined, undefined],
    );
  });

  it('are not made for patterns, and the reply says so', async () => {
    const client = await new SessionLab().connect();
    const [reply] = await client.ask({ id: 2, subscribe: { channel: 'orders/#', delta: 'fossil' } });
    assert.equal((reply.subscribe as Reply).delta, undefined);
    await send('orders/1', 'x');
    assert.deepEqual((pushes(client.take())[0] as { pub: Reply }).pub, {
      data: 'x',
      offset: 1,
      channel: 'orders/1',
    });
  });
});
