import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { PublicationContext } from 'centrifuge';
import type { EdgeServer } from '../edge-server.ts';
import { Collected, newClient, packed, TRANSPORTS, unpacked, type Way } from './lab.ts';
import { type SeveralProcesses, startProcesses } from './several-processes.ts';
import { TableAccess } from './table-access.ts';

let processes: SeveralProcesses;
let servers: readonly EdgeServer[];
const start = (): Promise<SeveralProcesses> =>
  startProcesses(2, (channels) => {
    const claims = { info: { name: 'Alice' } };
    return new TableAccess(channels, { key: {}, alice: { user: 'alice', claims }, bob: { user: 'bob' } });
  });
before(async () => {
  processes = await start();
  servers = processes.servers;
});
after(() => processes.close());

type Answer = { readonly result: Record<string, unknown> };

async function call(server: EdgeServer, method: string, params: object): Promise<Answer['result']> {
  const response = await fetch(`${server.url}/api/${method}`, {
    method: 'POST',
    headers: { 'x-api-key': 'key' },
    body: JSON.stringify(params),
  });
  return ((await response.json()) as Answer).result;
}

const [webSocket] = TRANSPORTS;
const streaming = TRANSPORTS.filter(({ transport }) => transport !== 'websocket');
/** From where commands of a stream may come: the numbers of the process that has it and of the one that takes them. */
const ROUTES = [
  [0, 1],
  [1, 0],
  [1, 2],
  [2, 2],
] as const;

function clientOver(way: Way, [stream, commands]: (typeof ROUTES)[number], token: string) {
  const emulationEndpoint = `http://127.0.0.1:${servers[commands].port}/emulation`;
  return newClient(servers[stream].port, way, { token, emulationEndpoint });
}

for (const way of streaming) {
  for (const route of ROUTES) {
    it(`commands that process ${route[1]} takes reach the stream of process ${route[0]} over ${way.name}`, async () => {
      const client = clientOver(way, route, 'alice');
      const channel = `way/${way.name.replaceAll(' ', '-')}/${route.join('-')}`;
      const subscription = client.newSubscription(channel);
      const got = new Collected<PublicationContext>();
      subscription.on('publication', (publication) => got.add(publication));
      subscription.subscribe();
      client.connect();
      await subscription.ready();
      for (let i = 0; i < 20; i++) await subscription.publish(packed(way, { i }));
      const publications = await got.reaches(20);
      assert.deepEqual(
        publications.map(({ data }) => unpacked(way, data)),
        Array.from({ length: 20 }, (_, i) => ({ i })),
      );
      assert.deepEqual(await subscription.presenceStats(), { numClients: 1, numUsers: 1 });
      client.disconnect();
    });
  }
}

it('commands for a session or a process that there is not are answered with 404', async () => {
  const { nodes } = await call(servers[0], 'info', {});
  const known = (nodes as { uid: string }[]).map(({ uid }) => uid);
  for (const server of servers) {
    for (const node of [...known, 'unknown', '']) {
      const body = JSON.stringify({ session: 'unknown', node, data: '{}' });
      const response = await fetch(`${server.url}/emulation`, { method: 'POST', body });
      assert.equal(response.status, 404);
      await response.body?.cancel();
    }
  }
});

for (const way of TRANSPORTS) {
  it(`clients of different processes see each other come and go over ${way.name}`, async () => {
    const channel = `room/${way.name.replaceAll(' ', '-')}`;
    const events = new Collected<string>();
    const watchers = servers.map((server) => newClient(server.port, way, { token: 'bob' }));
    const rooms = watchers.map((watcher) => watcher.newSubscription(channel, { joinLeave: true }));
    for (const [index, room] of rooms.entries()) {
      room.on('join', ({ info }) => events.add(`${index}: ${info.user} joins`));
      room.on('leave', ({ info }) => events.add(`${index}: ${info.user} leaves`));
    }
    // One after the other, so that each is told of itself and of those after it.
    for (const [index, room] of rooms.entries()) {
      room.subscribe();
      watchers[index].connect();
      await events.reaches(((index + 1) * (index + 2)) / 2);
    }
    const visitor = newClient(servers[2].port, way, { token: 'alice' });
    const visit = visitor.newSubscription(channel);
    visit.subscribe();
    visitor.connect();
    await events.reaches(9);
    const stats = await Promise.all(rooms.map((room) => room.presenceStats()));
    assert.deepEqual(stats, Array(3).fill({ numClients: 4, numUsers: 2 }));
    for (const room of rooms) {
      const { clients } = await room.presence();
      const alice = Object.values(clients).find(({ user }) => user === 'alice');
      assert.deepEqual(unpacked(way, alice?.connInfo), { name: 'Alice' });
    }
    visitor.disconnect();
    const told = await events.reaches(12);
    assert.deepEqual(told.slice(0, 6).toSorted(), [
      '0: bob joins',
      '0: bob joins',
      '0: bob joins',
      '1: bob joins',
      '1: bob joins',
      '2: bob joins',
    ]);
    const all = (event: string): string[] => [0, 1, 2].map((index) => `${index}: alice ${event}`);
    assert.deepEqual(told.slice(6, 9).toSorted(), all('joins'));
    assert.deepEqual(told.slice(9).toSorted(), all('leaves'));
    for (const watcher of watchers) watcher.disconnect();
  });
}

describe("Centrifugo's server API over several processes", () => {
  for (const asked of [0, 1, 2]) {
    it(`acts on the clients of all of them, asked at process ${asked}`, async () => {
      const user = `user${asked}`;
      const clients = servers.map((server) => newClient(server.port, webSocket, { token: 'alice' }));
      const told = new Collected<string>();
      const ended = new Collected<number>();
      for (const client of clients) {
        client.on('subscribed', ({ channel }) => told.add(`subscribed ${channel}`));
        client.on('unsubscribed', ({ channel }) => told.add(`unsubscribed ${channel}`));
        client.on('disconnected', ({ code }) => ended.add(code));
        client.connect();
        await client.ready();
      }
      const channel = `of/${user}`;
      assert.deepEqual(await call(servers[asked], 'subscribe', { user: 'alice', channel }), {});
      // It is answered after all have acted, and what they did is in the list by then.
      for (const server of servers) {
        assert.deepEqual(await call(server, 'presence_stats', { channel }), { num_clients: 3, num_users: 1 });
        const { presence } = await call(server, 'presence', { channel });
        assert.equal(Object.keys(presence as object).length, 3);
        assert.deepEqual(await call(server, 'channels', { pattern: `of/${user}` }), {
          channels: { [channel]: { num_clients: 3 } },
        });
      }
      await call(servers[asked], 'unsubscribe', { user: 'alice', channel });
      assert.deepEqual(await call(servers[asked], 'presence_stats', { channel }), {
        num_clients: 0,
        num_users: 0,
      });
      await told.reaches(6);
      assert.equal(told.values.filter((event) => event === `unsubscribed ${channel}`).length, 3);
      await call(servers[asked], 'disconnect', { user: 'alice' });
      assert.deepEqual(await ended.reaches(3), [3503, 3503, 3503]);
    });
  }

  for (const way of [TRANSPORTS[0], TRANSPORTS[1]]) {
    it(`subscribes with options in all of them over ${way.name}`, async () => {
      const clients = servers.map((server) => newClient(server.port, way, { token: 'alice' }));
      const told = new Collected<unknown>();
      for (const client of clients) {
        client.on('subscribed', ({ data }) => told.add(unpacked(way, data)));
        client.connect();
        await client.ready();
      }
      const channel = `options/${way.protocol}`;
      const params = { user: 'alice', channel, data: { seq: 1 }, b64info: btoa('{"vip":true}') };
      assert.deepEqual(await call(servers[1], 'subscribe', params), {});
      assert.deepEqual(await told.reaches(3), Array(3).fill({ seq: 1 }));
      const { presence } = await call(servers[2], 'presence', { channel });
      const infos = Object.values(presence as Record<string, { readonly chan_info: unknown }>);
      assert.deepEqual(
        infos.map(({ chan_info }) => chan_info),
        Array(3).fill({ vip: true }),
      );
      for (const client of clients) client.disconnect();
    });
  }

  it('carries out a batch as a single process would', async () => {
    const clients = servers.map((server) => newClient(server.port, webSocket, { token: 'alice' }));
    for (const client of clients) {
      client.connect();
      await client.ready();
    }
    for (const server of servers) {
      const commands = [
        { subscribe: { user: 'alice', channel: 'batched' } },
        { presence_stats: { channel: 'batched' } },
        { unsubscribe: { user: 'alice', channel: 'batched' } },
        { presence_stats: { channel: 'batched' } },
      ];
      assert.deepEqual((await call(server, 'batch', { commands })).replies, [
        { subscribe: {} },
        { presence_stats: { num_clients: 3, num_users: 1 } },
        { unsubscribe: {} },
        { presence_stats: { num_clients: 0, num_users: 0 } },
      ]);
    }
    for (const client of clients) client.disconnect();
  });

  it('describes each process by itself', async () => {
    const fresh = await start();
    const [owner, one, two] = fresh.servers;
    const clients = [one, one, two].map(({ port }) => newClient(port, webSocket, { token: 'alice' }));
    for (const [index, client] of clients.entries()) {
      client.connect();
      const subscription = client.newSubscription(`info/${index}`);
      subscription.subscribe();
      await subscription.ready();
    }
    type Nodes = readonly Record<string, unknown>[];
    const nodesOf = async (server: EdgeServer): Promise<Nodes> =>
      (await call(server, 'info', {})).nodes as Nodes;
    const ofWorker = await nodesOf(one);
    const figures = (node: Record<string, unknown>): unknown[] =>
      ['num_clients', 'num_users', 'num_subs', 'num_channels'].map((name) => node[name]);
    // The one that is asked comes first.
    assert.deepEqual(ofWorker.map(figures), [
      [2, 1, 2, 2],
      [0, 0, 0, 0],
      [1, 1, 1, 1],
    ]);
    const uids = ofWorker.map(({ uid }) => uid);
    assert.equal(new Set(uids).size, 3);
    const [first, second, third] = await nodesOf(owner);
    assert.deepEqual([second.uid, first.uid, third.uid], uids);
    for (const client of clients) client.disconnect();
    await fresh.close();
  });
});
