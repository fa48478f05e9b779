import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eachTestHasAHub } from '../../support/hub-fixture.ts';
import { pushes, type Reply, result, SessionLab } from './session-lab.ts';

eachTestHasAHub();

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
    assert.equal((replies[0].error as Reply).code, 106);
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
