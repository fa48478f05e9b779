import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type EdgeServer, startEdgeServer } from '../edge-server.ts';
import { newClient, TRANSPORTS } from './lab.ts';

let server: EdgeServer;
before(async () => {
  server = await startEdgeServer();
});
after(() => server.close());

for (const way of TRANSPORTS) {
  const name = way.name.replaceAll(' ', '-');
  describe(`A client in haste over ${way.name}`, () => {
    it('connects and disconnects many times at once', async () => {
      const client = newClient(server.port, way);
      for (let i = 0; i < 10; i++) {
        client.connect();
        client.disconnect();
      }
      client.connect();
      await client.ready();
      assert.deepEqual(await client.presenceStats(`nobody/${name}`), { numClients: 0, numUsers: 0 });
      client.disconnect();
    });

    it('subscribes and unsubscribes many times at once, and is present once or not at all', async () => {
      const client = newClient(server.port, way);
      client.connect();
      await client.ready();
      const subscription = client.newSubscription(`loop/${name}`);
      for (let i = 0; i < 10; i++) {
        subscription.subscribe();
        subscription.unsubscribe();
      }
      subscription.subscribe();
      assert.deepEqual(await subscription.presenceStats(), { numClients: 1, numUsers: 1 });
      assert.equal(Object.keys((await subscription.presence()).clients).length, 1);
      subscription.unsubscribe();
      // The unsubscribe command was sent before this one, but by a request of its own where there is no connection for it.
      let stats = await client.presenceStats(`loop/${name}`);
      while (stats.numClients > 0) stats = await client.presenceStats(`loop/${name}`);
      assert.deepEqual(stats, { numClients: 0, numUsers: 0 });
      client.disconnect();
    });

    it('unsubscribes before it is connected, and subscribes again', async () => {
      const client = newClient(server.port, way);
      const subscription = client.newSubscription(`early/${name}`);
      subscription.subscribe();
      client.connect();
      subscription.unsubscribe();
      await client.ready();
      subscription.subscribe();
      await subscription.ready();
      client.disconnect();
    });

    it('may show tokens to a server without credentials, which cannot read them', async () => {
      const client = newClient(server.port, way, { token: 'a.b.c' });
      client.connect();
      const subscription = client.newSubscription(`lent/${name}`, { token: 'd.e.f' });
      subscription.subscribe();
      await subscription.ready();
      client.disconnect();
    });

    it('has hundreds of subscriptions', async () => {
      const client = newClient(server.port, way);
      const subscriptions = Array.from({ length: 300 }, (_, i) =>
        client.newSubscription(`many/${name}/${i}`),
      );
      for (const subscription of subscriptions) subscription.subscribe();
      client.connect();
      await Promise.all(subscriptions.map((subscription) => subscription.ready()));
      const got = Promise.all(
        subscriptions.map(
          (subscription) => new Promise((resolve) => subscription.once('publication', resolve)),
        ),
      );
      for (const { channel } of subscriptions) {
        await fetch(`${server.url}/v1/channels/${channel}`, { method: 'POST', body: 'x' });
      }
      assert.equal((await got).length, 300);
      client.disconnect();
    });

    it('publishes thousands of messages without waiting, in order', async () => {
      const client = newClient(server.port, way);
      const channel = `flood/${name}`;
      client.connect();
      await client.ready();
      const sent = Array.from({ length: 2000 }, (_, i) => i);
      const encode = (value: number): unknown =>
        way.protocol === 'json' ? value : new TextEncoder().encode(String(value));
      client.startBatching();
      const published = Promise.all(sent.map((value) => client.publish(channel, encode(value))));
      client.stopBatching();
      await published;
      const response = await fetch(`${server.url}/v1/history/${channel}?max=1000&from=-1000`);
      const { messages } = (await response.json()) as {
        readonly messages: readonly { readonly data: number }[];
      };
      assert.deepEqual(
        messages.map(({ data }) => data),
        sent.slice(1000),
      );
      client.disconnect();
    });
  });
}

describe('What is refused before there is a connection', () => {
  const status = async (method: string, path: string, body?: string): Promise<number> =>
    (await fetch(server.url + path, { method, ...(body === undefined ? {} : { body }) })).status;

  it('is answered over HTTP', async () => {
    assert.equal(await status('GET', '/connection/websocket'), 400);
    assert.equal(await status('GET', '/connection/http_stream'), 405);
    assert.equal(await status('PUT', '/connection/sse'), 405);
    assert.equal(await status('GET', '/connection/sse'), 400);
    assert.equal(await status('GET', '/emulation'), 405);
    assert.equal(await status('POST', '/emulation', 'nonsense'), 400);
    assert.equal(await status('POST', '/emulation', '{"session":"unknown","data":"{}"}'), 404);
    assert.equal(await status('GET', '/connection/other'), 404);
    assert.equal(await status('GET', '/api/publish'), 405);
    assert.equal(await status('POST', '/api/publish', 'nonsense'), 400);
  });

  it('ends a stream whose first commands are not the protocol', async () => {
    const response = await fetch(`${server.url}/connection/http_stream`, {
      method: 'POST',
      body: 'nonsense',
    });
    assert.deepEqual(JSON.parse(await response.text()), {
      push: { disconnect: { code: 3501, reason: 'bad request' } },
    });
  });
});
