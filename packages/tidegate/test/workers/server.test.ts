import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ServerProcess } from '../support/server-process.ts';
import { isAlive } from '../support/worker-processes.ts';
import { type EventList, type ProcessClient, processesOf } from './processes.ts';

const PROGRAM = fileURLToPath(new URL('../../bin/tidegate.cjs', import.meta.url));
const CONFIG = `
workers: 3
topics:
  fleeting: { durability: none }
`;

let server: ServerProcess;
const clients: ProcessClient[] = [];
const open: EventList[] = [];

before(async () => {
  server = await ServerProcess.start({ config: CONFIG });
});

after(async () => {
  for (const client of clients) client.close();
  for (const stream of open) stream.close();
  await server.remove();
});

async function subscribed(client: ProcessClient, channel: string, from?: string): Promise<EventList> {
  const stream = await client.subscribe(channel, from === undefined ? {} : { 'last-event-id': from });
  assert.equal(stream.response.statusCode, 200);
  open.push(stream);
  return stream;
}

/** One for each process of a server, its owner first. */
function clientsOf(one: ServerProcess): readonly ProcessClient[] {
  const opened = processesOf(one);
  clients.push(...opened);
  return opened;
}

/** What a command of the program prints. */
function tidegate(...args: string[]): string {
  const run = spawnSync(process.execPath, [PROGRAM, ...args, '--admin-url', server.adminUrl], {
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  assert.equal(run.status, 0, run.stderr);
  return run.stdout;
}

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${server.adminUrl}/metrics`)).text();
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
  assert.ok(line !== undefined, `there is no ${name}`);
  return Number(line.split(' ')[1]);
}

/** Kills a worker, and waits until another has taken its place. */
async function replaced(doomed: ProcessClient): Promise<void> {
  const restarts = await metric('tidegate_worker_restarts_total');
  process.kill(doomed.pid, 'SIGKILL');
  await until(async () => (await metric('tidegate_worker_restarts_total')) > restarts);
  await until(async () => (await metric('tidegate_workers')) === 3);
}

async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 10));
}

for (const topic of ['durable', 'fleeting']) {
  test(`what any process takes reaches the subscribers of all, each once and in order (${topic})`, async () => {
    const processes = clientsOf(server);
    assert.equal(processes.length, 3);
    const streams = await Promise.all(processes.map((client) => subscribed(client, `${topic}/a`)));
    const sent: string[] = [];
    for (let round = 0; round < 10; round++) {
      for (const client of processes) {
        const answer = JSON.parse(await client.publish(`${topic}/a`, `${round} by ${client.pid}`));
        assert.equal(answer.duplicate, false);
        sent.push(`${round} by ${client.pid}`);
      }
    }
    for (const stream of streams) {
      await stream.until(sent.length);
      assert.deepEqual(stream.data, sent);
      stream.close();
    }
    // Each of them has the history, too, and any cursor is good with each.
    for (const client of processes) {
      const late = await subscribed(client, `${topic}/a`, streams[0].lastId);
      const again = await client.get(`/v1/history/${topic}/a?max=100`);
      assert.equal(JSON.parse(again).messages.length, sent.length);
      late.close();
    }
  });
}

test('a retry is recognised by whichever process it comes to', async () => {
  const [owner, one, other] = clientsOf(server);
  const headers = { 'idempotency-key': 'same' };
  const receipts = [];
  for (const client of [one, other, owner])
    receipts.push(JSON.parse(await client.publish('once', 'x', headers)));
  assert.deepEqual(
    receipts.map(({ duplicate }) => duplicate),
    [false, true, true],
  );
  assert.equal(new Set(receipts.map(({ cursor }) => cursor)).size, 1);
});

test('what a process refuses says why, as the owner does', async () => {
  const texts = await Promise.all(clientsOf(server).map((client) => client.publish('a/%23', 'x')));
  assert.equal(JSON.parse(texts[0]).code, 'channel_not_publishable');
  assert.equal(new Set(texts).size, 1);
});

test('a topic that is declared while the server runs stores its channels from then on, whoever takes them', async () => {
  const processes = clientsOf(server);
  const before = await Promise.all(processes.map((client) => subscribed(client, 'orders/1')));
  await processes[2].publish('orders/1', 'before');
  const body = JSON.stringify({ spec: { durability: 'written' } });
  const put = await fetch(`${server.adminUrl}/api/topic/orders`, {
    method: 'PUT',
    body,
    headers: { 'content-type': 'application/json' },
  });
  assert.ok(put.ok, await put.text());
  for (const client of processes) {
    const { cursor } = JSON.parse(await client.publish('orders/1', `after by ${client.pid}`));
    assert.match(cursor, /^orders~/);
  }
  const expected = ['before', ...processes.map(({ pid }) => `after by ${pid}`)];
  for (const [index, stream] of before.entries()) {
    await stream.over();
    // It was ended as its channel is stored elsewhere now, and goes on where it stopped.
    const rest = await subscribed(processes[index], 'orders/1', stream.lastId);
    await rest.until(expected.length - stream.data.length);
    assert.deepEqual([...stream.data, ...rest.data], expected);
    rest.close();
  }
});

test('a worker that is killed is replaced, its clients resume at any process, and the figures do not go back', async () => {
  const [owner, doomed] = clientsOf(server);
  const stream = await subscribed(doomed, 'kept');
  await doomed.publish('kept', '1');
  await stream.until(1);
  const accepted = await metric('tidegate_http_connections_accepted_total');
  const isReplaced = replaced(doomed);
  await stream.over();
  await owner.publish('kept', '2');
  await isReplaced;
  assert.ok((await metric('tidegate_http_connections_accepted_total')) >= accepted);
  for (const client of clientsOf(server)) {
    const resumed = await subscribed(client, 'kept', stream.lastId);
    await resumed.until(1);
    assert.deepEqual(resumed.data, ['2']);
    resumed.close();
  }
  // The newcomer has what is in memory only.
  const newcomer = clientsOf(server).at(-1)!;
  assert.notEqual(newcomer.pid, doomed.pid);
  const history = await newcomer.get('/v1/history/fleeting/a?max=100');
  assert.equal(JSON.parse(history).messages.length, 30);
});

test('the first key closes the server in every process, and a revoked key ends what rests on it in every process', async () => {
  const processes = clientsOf(server);
  const nobodys = await Promise.all(processes.map((client) => subscribed(client, 'secret')));
  const key = tidegate('key', 'create', 'reader', '--allow', '#=publish,subscribe,admin').trim();
  for (const stream of nobodys) await stream.over();
  const headers = { authorization: `Bearer ${key}` };
  const streams = await Promise.all(
    processes.map(async (client) => {
      const refused = await client.request('GET', '/v1/channels/secret');
      assert.equal(refused.statusCode, 401);
      refused.destroy();
      const stream = await client.subscribe('secret', headers);
      assert.equal(stream.response.statusCode, 200);
      return stream;
    }),
  );
  const revoked = await fetch(`${server.adminUrl}/api/key/reader`, { method: 'DELETE' });
  assert.ok(revoked.ok, await revoked.text());
  for (const stream of streams) {
    await stream.over();
    assert.equal(stream.state, 'ended');
  }
  for (const client of processes) {
    const refused = await client.request('GET', '/v1/channels/secret', headers);
    assert.equal(refused.statusCode, 401);
    refused.destroy();
  }
});

test('a key is good in every process when its making is answered, and in none when its end is', async () => {
  const processes = clientsOf(server);
  const hash = `sha256:${createHash('sha256').update('a-secret').digest('hex')}`;
  const body = JSON.stringify({ spec: { hash, allow: { '#': ['publish'] } } });
  const headers = { 'content-type': 'application/json' };
  for (let round = 0; round < 20; round++) {
    const put = await fetch(`${server.adminUrl}/api/key/quick`, { method: 'PUT', body, headers });
    assert.equal(put.status, 201);
    const answers = processes.map((client) =>
      client.publish('quick', 'x', { authorization: 'Bearer a-secret' }),
    );
    for (const answer of await Promise.all(answers)) assert.equal(JSON.parse(answer).channel, 'quick');
    assert.equal((await fetch(`${server.adminUrl}/api/key/quick`, { method: 'DELETE' })).status, 204);
    const refusals = processes.map((client) =>
      client.publish('quick', 'x', { authorization: 'Bearer a-secret' }),
    );
    // After so many that are refused, further ones have to wait.
    for (const answer of await Promise.all(refusals)) assert.match(answer, /"status":(?:401|429)/);
  }
});

test('a worker that comes after the last key was taken away asks for credentials, as the others go on doing', async () => {
  const [, doomed] = clientsOf(server);
  await replaced(doomed);
  const newcomer = clientsOf(server).at(-1)!;
  assert.notEqual(newcomer.pid, doomed.pid);
  const refused = await newcomer.request('GET', '/v1/channels/secret');
  assert.equal(refused.statusCode, 401);
  refused.destroy();
});

test('a second server on the same port is refused, although processes share it', async () => {
  const args = [
    'start',
    '--port',
    String(server.port),
    '--admin-port',
    '0',
    '--data',
    `${server.folder}/second`,
  ];
  const run = spawnSync(process.execPath, [PROGRAM, ...args], { encoding: 'utf8' });
  assert.equal(run.status, 1);
  assert.match(run.stderr, /listen_failed/);
});

test('SIGTERM ends all processes, politely', async () => {
  const own = await ServerProcess.start({ config: 'workers: 3' });
  const processes = clientsOf(own);
  const streams = await Promise.all(processes.map((client) => client.subscribe('a')));
  assert.equal(await own.stop(), 0);
  for (const stream of streams) {
    await stream.over();
    assert.equal(stream.state, 'ended');
  }
  assert.deepEqual(processes.map(({ pid }) => pid).filter(isAlive), []);
  await own.remove();
});

test('when the owner is killed its workers end politely, the port is free, and what was acknowledged is there', async () => {
  const own = await ServerProcess.start({ config: 'workers: 3' });
  const [, one, other] = clientsOf(own);
  const stream = await one.subscribe('a');
  await other.publish('a', 'kept');
  await stream.until(1);
  await own.kill();
  await stream.over();
  assert.equal(stream.state, 'ended');
  await own.start();
  const [, newcomer] = clientsOf(own);
  const resumed = await newcomer.subscribe('a', { 'last-event-id': stream.lastId });
  await own.stop();
  await resumed.over();
  assert.deepEqual(resumed.data, []);
  await own.start();
  const history = await clientsOf(own)[1].get('/v1/history/a');
  assert.deepEqual(
    JSON.parse(history).messages.map(({ data }: { data: string }) => data),
    ['kept'],
  );
  await own.remove();
});
