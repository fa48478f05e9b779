import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { clock, eachTestHasAHub, send } from '../../support/hub-fixture.ts';
import { pushes, type Reply, SessionLab } from './session-lab.ts';

eachTestHasAHub();

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
      pushes(client.take()).map((push) => ((push as Reply).pub as Reply).data),
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
