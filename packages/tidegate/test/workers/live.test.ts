import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { ServerProcess } from '../support/server-process.ts';
import { EventList, type ProcessClient, processesOf } from './processes.ts';

/*
 * A live route of a server of several processes. Its origin changes its value when a test says so, and counts how often it is asked.
 */

const origin = {
  value: { n: 0 },
  polls: 0,
  http: createServer((_request, response) => {
    origin.polls++;
    response.setHeader('content-type', 'application/json').end(JSON.stringify(origin.value));
  }),
};
let server: ServerProcess;
let processes: readonly ProcessClient[] = [];

before(async () => {
  origin.http.listen(0, '127.0.0.1');
  await once(origin.http, 'listening');
  const { port } = origin.http.address() as AddressInfo;
  server = await ServerProcess.start({
    config: `
workers: 2
upstreams:
  counter: { targets: [{ url: 'http://127.0.0.1:${port}' }] }
routes:
  counter: { match: { path: '/counter' }, upstream: counter, live: { every: 100ms } }
  # Its interval does not end while a test runs.
  rare: { match: { path: '/rare' }, upstream: counter, live: { every: 1h } }
`,
  });
  processes = processesOf(server);
});

after(async () => {
  await server.remove();
  origin.http.closeAllConnections();
  origin.http.close();
});

/** An event stream of a live route from one process. */
async function follow(client: ProcessClient, path: string, from = ''): Promise<EventList> {
  const known: Record<string, string> = from === '' ? {} : { 'last-event-id': from };
  return new EventList(await client.request('GET', path, { accept: 'text/event-stream', ...known }));
}

async function metric(series: string): Promise<number> {
  const text = await (await fetch(`${server.adminUrl}/metrics`)).text();
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `));
  assert.ok(line !== undefined, `there is no ${series}`);
  return Number(line.split(' ').at(-1));
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 10));
}

test('two processes poll once for the clients of both, and say that there is one value', async () => {
  assert.equal(processes.length, 2);
  const asked = origin.polls;
  const streams: EventList[] = [];
  // The first client is a worker's, and the owner polls for it.
  for (const client of processes.toReversed()) {
    for (let i = 0; i < 5; i++) streams.push(await follow(client, '/rare'));
  }
  for (const stream of streams) {
    await stream.until(1);
    assert.deepEqual(stream.data, ['{"n":0}']);
    assert.equal(stream.lastId, streams[0].lastId);
  }
  assert.equal(origin.polls - asked, 1);
  assert.equal(await metric('tidegate_live_resources'), 1);
  assert.equal(await metric('tidegate_live_subscribers{form="sse"}'), 10);
  for (const stream of streams) stream.close();
});

test('clients of both processes get the same versions, resume at the other one, and outlive a worker', async () => {
  const [owner, doomed] = processes;
  const here = await follow(owner, '/counter');
  const there = await follow(doomed, '/counter');
  await Promise.all([here.until(1), there.until(1)]);
  const known = there.lastId;
  assert.equal(here.lastId, known);
  origin.value = { n: 1 };
  await Promise.all([here.until(2), there.until(2)]);
  assert.deepEqual(there.data, ['{"n":0}', '[{"op":"replace","path":"/n","value":1}]']);
  assert.deepEqual(here.data, there.data);
  assert.equal(here.lastId, there.lastId);
  for (const client of processes) {
    const resumed = await follow(client, '/counter', known);
    await resumed.until(1);
    assert.deepEqual(resumed.data, ['[{"op":"replace","path":"/n","value":1}]']);
    resumed.close();
  }
  process.kill(doomed.pid, 'SIGKILL');
  await there.over();
  origin.value = { n: 2 };
  await here.until(3);
  const back = await follow(owner, '/counter', there.lastId);
  await back.until(1);
  assert.deepEqual(back.data, ['[{"op":"replace","path":"/n","value":2}]']);
  await until(async () => (await metric('tidegate_worker_restarts_total')) > 0);
  await until(async () => (await metric('tidegate_workers')) === 2);
  const [, successor] = processesOf(server);
  const again = await follow(successor, '/counter', known);
  await again.until(1);
  assert.deepEqual(again.data, [
    '[{"op":"replace","path":"/n","value":1},{"op":"replace","path":"/n","value":2}]',
  ]);
  for (const stream of [here, back, again]) stream.close();
});
