import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { newClient, TRANSPORTS } from '../../edges/centrifuge/lab.ts';
import { until } from '../../listeners/lab.ts';
import { ServerProcess } from '../../support/server-process.ts';
import { processesOf } from '../../workers/processes.ts';

// What Centrifuge clients and the server API see of those whom GRIP holds, with one process and with several.

const control = (message: Record<string, unknown>): string => {
  const text = `c:${JSON.stringify(message)}`;
  return `TEXT ${text.length.toString(16)}\r\n${text}\r\n`;
};

/** Holds `ann` by a stream, and `bob` by a WebSocket whose connection id it keeps. */
async function openOrigin(t: TestContext): Promise<{ port: number; ids: string[] }> {
  const ids: string[] = [];
  const origin = createServer((request, response) => {
    request.resume();
    if (request.url === '/stream') {
      response.writeHead(200, {
        'Grip-Hold': 'stream',
        'Grip-Channel': 'room',
        'Grip-Set-Meta': 'user="ann"',
      });
      response.end('held');
      return;
    }
    ids.push(String(request.headers['connection-id']));
    response.writeHead(200, {
      'Content-Type': 'application/websocket-events',
      'Sec-WebSocket-Extensions': 'grip',
    });
    const first =
      control({ type: 'subscribe', channel: 'room' }) +
      control({ type: 'set-meta', name: 'user', value: 'bob' });
    response.end(ids.length === 1 ? `OPEN\r\n${first}` : '');
  });
  origin.listen(0, '127.0.0.1');
  await once(origin, 'listening');
  t.after(() => {
    origin.closeAllConnections();
    origin.close();
  });
  return { port: (origin.address() as AddressInfo).port, ids };
}

for (const workers of [1, 2]) {
  test(`whom GRIP holds is present for everybody, with workers: ${workers}`, async (t) => {
    const origin = await openOrigin(t);
    const server = await ServerProcess.start({
      config: `
workers: ${workers}
upstreams:
  app: { targets: [{ url: 'http://127.0.0.1:${origin.port}' }] }
routes:
  stream: { match: { path: /stream }, upstream: app, grip: { prefix: chat- } }
  socket: { match: { path: /socket }, upstream: app, grip: { prefix: chat-, websocket: over_http } }
`,
    });
    t.after(() => server.remove());
    const processes = processesOf(server);
    t.after(() => {
      for (const process of processes) process.close();
    });
    assert.equal(processes.length, workers);

    const watcher = newClient(server.port, TRANSPORTS[0]);
    t.after(() => watcher.disconnect());
    const room = watcher.newSubscription('chat-room', { joinLeave: true });
    const heard: string[] = [];
    room.on('join', ({ info }) => info.user !== '' && heard.push(`${info.user} joins`));
    room.on('leave', ({ info }) => heard.push(`${info.user} leaves`));
    room.subscribe();
    watcher.connect();
    await room.ready();

    // What a process says of itself reaches the list a moment later.
    const hears = (...lines: string[]): Promise<void> =>
      until(
        () => heard.length >= lines.length,
        () => `${lines} in ${heard}`,
      ).then(() => assert.deepEqual(heard, lines));
    const stream = await processes[workers - 1].request('GET', '/stream');
    t.after(() => stream.destroy());
    stream.on('error', () => {});
    await hears('ann joins');
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/socket`);
    t.after(() => socket.close());
    await hears('ann joins', 'bob joins');

    for (const process of processes) {
      const answer = await process.post('/api/presence', '{"channel":"chat-room"}');
      const members = Object.values(JSON.parse(answer).result.presence) as { client: string; user: string }[];
      const held = members.filter(({ user }) => user !== '');
      assert.deepEqual(held.map(({ user }) => user).sort(), ['ann', 'bob']);
      assert.deepEqual(
        held.find(({ user }) => user === 'bob'),
        { client: origin.ids[0], user: 'bob' },
      );
      const stats = await process.post('/api/presence_stats', '{"channel":"chat-room"}');
      assert.deepEqual(JSON.parse(stats).result, { num_clients: 3, num_users: 3 });
    }
    const { clients } = await room.presence();
    assert.deepEqual(
      Object.values(clients).map(({ user, connInfo, chanInfo }) => [user, connInfo, chanInfo]),
      ['', 'ann', 'bob'].map((user) => [user, undefined, undefined]),
    );

    stream.destroy();
    await hears('ann joins', 'bob joins', 'ann leaves');
    socket.close();
    await hears('ann joins', 'bob joins', 'ann leaves', 'bob leaves');
    assert.deepEqual(await room.presenceStats(), { numClients: 1, numUsers: 1 });
  });
}
