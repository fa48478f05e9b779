import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { PublicationContext, SubscribedContext } from 'centrifuge';
import { type EdgeServer, startEdgeServer } from '../edge-server.ts';
import { post } from '../requests.ts';
import { Collected, LossyNetwork, newClient, packed, TRANSPORTS, unpacked } from './lab.ts';
import { TableAccess } from './table-access.ts';

let server: EdgeServer;
let access: TableAccess;
before(async () => {
  server = await startEdgeServer({
    limits: { centrifugePublicationsMax: 32, keepAliveIntervalMs: 1000, centrifugeExpiryGraceMs: 0 },
    access: (channels) => {
      access = new TableAccess(channels, {
        alice: { user: 'alice', claims: { info: { name: 'Alice' } } },
        'alice for a second': { user: 'alice', expiresMs: Date.now() + 1500 },
        'of a channel': { claims: { channel: 'secret', info: { role: 'guest' } } },
        'with channels': { user: 'carol', claims: { subs: { carol: { data: { hello: 'Carol' } } } } },
      });
      return access;
    },
  });
});
after(() => server.close());

function publish(channel: string, value: unknown): Promise<unknown> {
  return post(server, `/v1/channels/${channel}`, JSON.stringify(value), {
    'content-type': 'application/json',
  });
}

for (const way of TRANSPORTS) {
  const name = way.name.replaceAll(' ', '-');
  describe(`The centrifuge client over ${way.name}`, () => {
    it('subscribes, publishes, and gets what it and others publish', async () => {
      const client = newClient(server.port, way);
      const subscription = client.newSubscription(`hello/${name}`);
      const got = new Collected<PublicationContext>();
      subscription.on('publication', (publication) => got.add(publication));
      subscription.subscribe();
      client.connect();
      await subscription.ready();
      await subscription.publish(packed(way, { text: 'größe', at: 1 }));
      await publish(`hello/${name}`, [1, 'two']);
      const publications = await got.reaches(2);
      assert.deepEqual(
        publications.map(({ data }) => unpacked(way, data)),
        [{ text: 'größe', at: 1 }, [1, 'two']],
      );
      const [mine, theirs] = publications;
      assert.equal(mine.info?.client, await clientId(client));
      assert.equal(theirs.info, undefined);
      assert.ok(Number(theirs.offset) > Number(mine.offset));
      client.disconnect();
    });

    it('reads history in pages, forwards and back', async () => {
      const client = newClient(server.port, way);
      client.connect();
      const channel = `history/${name}`;
      for (const value of [1, 2, 3, 4, 5]) await client.publish(channel, packed(way, value));
      const values = (publications: readonly { readonly data: unknown }[]): unknown[] =>
        publications.map(({ data }) => unpacked(way, data));
      const top = await client.history(channel, {});
      assert.deepEqual(top.publications, []);
      const first = await client.history(channel, { limit: 2 });
      assert.deepEqual(values(first.publications), [1, 2]);
      const since = { offset: Number(first.publications[1].offset), epoch: top.epoch };
      const rest = await client.history(channel, { limit: -1, since });
      assert.deepEqual(values(rest.publications), [3, 4, 5]);
      assert.equal(Number(rest.offset), Number(rest.publications[2].offset));
      const last = await client.history(channel, { limit: 2, reverse: true });
      assert.deepEqual(values(last.publications), [5, 4]);
      const before = { offset: Number(last.publications[1].offset), epoch: top.epoch };
      const earlier = await client.history(channel, { limit: 2, reverse: true, since: before });
      assert.deepEqual(values(earlier.publications), [3, 2]);
      await assert.rejects(client.history(channel, { limit: 1, since: { offset: 1, epoch: 'other' } }), {
        code: 112,
      });
      client.disconnect();
    });

    it('sees who is there, comes and goes', async () => {
      const channel = `room/${name}`;
      const watcher = newClient(server.port, way);
      const room = watcher.newSubscription(channel, { joinLeave: true });
      const events = new Collected<string>();
      room.on('join', ({ info }) => events.add(`join ${info.user}`));
      room.on('leave', ({ info }) => events.add(`leave ${info.user}`));
      room.subscribe();
      watcher.connect();
      await room.ready();
      const visitor = newClient(server.port, way, { token: 'alice' });
      const visit = visitor.newSubscription(channel);
      visit.subscribe();
      visitor.connect();
      await visit.ready();
      await events.reaches(2);
      assert.deepEqual(await room.presenceStats(), { numClients: 2, numUsers: 2 });
      const { clients } = await room.presence();
      const alice = Object.values(clients).find(({ user }) => user === 'alice');
      assert.deepEqual(unpacked(way, alice?.connInfo), { name: 'Alice' });
      const published = new Promise<PublicationContext>((resolve) => room.once('publication', resolve));
      await visit.publish(packed(way, 1));
      const { info } = await published;
      assert.equal(info?.user, 'alice');
      assert.deepEqual(unpacked(way, info?.connInfo), { name: 'Alice' });
      visit.unsubscribe();
      assert.deepEqual(await events.reaches(3), ['join ', 'join alice', 'leave alice']);
      assert.deepEqual(await watcher.presenceStats(channel), { numClients: 1, numUsers: 1 });
      visitor.disconnect();
      watcher.disconnect();
    });

    it('is told that nobody answers its calls', async () => {
      const client = newClient(server.port, way);
      client.connect();
      await assert.rejects(client.rpc('anything', packed(way, {})), { code: 108 });
      client.disconnect();
    });

    it('loses its network in the midst of a burst, and recovers all of it in order', async () => {
      const network = await LossyNetwork.to(server.port);
      const client = newClient(network.port, way);
      const channel = `burst/${name}`;
      const subscription = client.newSubscription(channel);
      const got = new Collected<unknown>();
      const subscribed = new Collected<SubscribedContext>();
      subscription.on('publication', ({ data }) => {
        got.add(unpacked(way, data));
        if (got.values.length % 60 === 0 && got.values.length < 300) network.lose();
      });
      subscription.on('subscribed', (context) => subscribed.add(context));
      subscription.subscribe();
      client.connect();
      await subscription.ready();
      const sent = Array.from({ length: 400 }, (_, i) => i);
      for (let i = 0; i < sent.length; i += 50) {
        await Promise.all(sent.slice(i, i + 50).map((value) => publish(channel, value)));
      }
      const received = await got.reaches(sent.length);
      // Publishes that were under way at once are stored in any order, and each once.
      const order = await storedOrder(channel);
      assert.deepEqual(received, order);
      assert.ok(subscribed.values.length > 1, 'the network was lost');
      for (const { wasRecovering, recovered } of subscribed.values.slice(1)) {
        assert.deepEqual({ wasRecovering, recovered }, { wasRecovering: true, recovered: true });
      }
      client.disconnect();
      await network.close();
    });

    it('gets what was in a reply that it unsubscribed from, once it subscribes again', async () => {
      const network = await LossyNetwork.to(server.port);
      const client = newClient(network.port, way);
      const channel = `hasty/${name}`;
      const subscription = client.newSubscription(channel);
      const got = new Collected<unknown>();
      subscription.on('publication', ({ data }) => got.add(unpacked(way, data)));
      subscription.subscribe();
      client.connect();
      await subscription.ready();
      await publish(channel, 1);
      await got.reaches(1);
      const unsubscribed = new Promise<void>((resolve) => subscription.once('unsubscribed', () => resolve()));
      const connecting = new Promise<void>((resolve) => client.once('connecting', () => resolve()));
      subscription.once('subscribed', () => subscription.unsubscribe());
      network.leadTo(1);
      network.lose();
      await connecting;
      for (const value of [2, 3]) await publish(channel, value);
      network.leadTo(server.port);
      await unsubscribed;
      subscription.subscribe();
      await publish(channel, 4);
      assert.deepEqual(await got.reaches(4), [1, 2, 3, 4]);
      client.disconnect();
      await network.close();
    });

    it('takes deltas, through a loss of its network too', async () => {
      const network = await LossyNetwork.to(server.port);
      const client = newClient(network.port, way);
      const channel = `delta/${name}`;
      const subscription = client.newSubscription(channel, { delta: 'fossil' });
      const got = new Collected<unknown>();
      subscription.on('publication', ({ data }) => got.add(unpacked(way, data)));
      subscription.subscribe();
      client.connect();
      await subscription.ready();
      const states = Array.from({ length: 12 }, (_, at) => ({ at, text: 'ein größerer Text '.repeat(20) }));
      for (const state of states.slice(0, 4)) await publish(channel, state);
      await got.reaches(4);
      assert.ok(subscription.deltaStats().numDeltaPayloads >= 3);
      network.lose();
      for (const state of states.slice(4, 8)) await publish(channel, state);
      await got.reaches(8);
      for (const state of states.slice(8)) await publish(channel, state);
      assert.deepEqual(await got.reaches(12), states);
      client.disconnect();
      await network.close();
    });

    it('refreshes its token before the server ends the connection', async () => {
      const refreshed = new Collected<string>();
      const client = newClient(server.port, way, {
        getToken: async () => {
          refreshed.add('asked');
          return refreshed.values.length === 1 ? 'alice for a second' : 'alice';
        },
      });
      const ends = new Collected<number>();
      client.on('connecting', ({ code }) => ends.add(code));
      client.connect();
      await refreshed.reaches(2);
      // Answered after the refresh command, which was sent before.
      await client.presenceStats('nothing');
      assert.deepEqual(ends.values, [0]);
      client.disconnect();
    });

    it('subscribes by a token of the channel, and not by one of another', async () => {
      const client = newClient(server.port, way);
      client.connect();
      const good = client.newSubscription('secret', { token: 'of a channel', getToken: async () => '' });
      good.subscribe();
      await good.ready();
      const bad = client.newSubscription('other', { token: 'of a channel' });
      const disconnected = new Promise<number>((resolve) =>
        client.on('disconnected', ({ code }) => resolve(code)),
      );
      bad.subscribe();
      assert.equal(await disconnected, 3500);
    });

    it('is subscribed by its connection token', async () => {
      const client = newClient(server.port, way, { token: 'with channels' });
      const got = new Collected<unknown>();
      client.on('publication', ({ channel, data }) => got.add([channel, unpacked(way, data)]));
      const subscribed = new Promise((resolve) =>
        client.on('subscribed', ({ data }) => resolve(unpacked(way, data))),
      );
      client.connect();
      assert.deepEqual(await subscribed, { hello: 'Carol' });
      await publish('carol', { for: 'carol' });
      assert.deepEqual(await got.reaches(1), [['carol', { for: 'carol' }]]);
      client.disconnect();
    });

    it('is sent away for good with a token that is not valid', async () => {
      const client = newClient(server.port, way, { token: 'of nobody' });
      const disconnected = new Promise<number>((resolve) =>
        client.on('disconnected', ({ code }) => resolve(code)),
      );
      client.connect();
      assert.equal(await disconnected, 3500);
    });
  });
}

async function storedOrder(channel: string): Promise<readonly unknown[]> {
  const response = await fetch(`${server.url}/v1/history/${channel}?max=1000`);
  const { messages } = (await response.json()) as {
    readonly messages: readonly { readonly data: unknown }[];
  };
  return messages.map(({ data }) => data);
}

function clientId(client: object): Promise<string> {
  return Promise.resolve((client as { _client: string })._client);
}
