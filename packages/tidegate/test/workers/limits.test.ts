import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { hashOfKey } from '../../src/access/index.ts';
import { ServerProcess } from '../support/server-process.ts';
import { childrenOf } from '../support/worker-processes.ts';
import { type EventList, type ProcessClient, processesOf } from './processes.ts';

/*
 * Limits of keys on a server of several processes, each of which is asked.
 */

const CONFIG = `
workers: 3
keys:
  streams: { hash: '${hashOfKey('streams')}', allow: { '#': [subscribe] }, limits: { connectionsMax: 4 } }
  rate: { hash: '${hashOfKey('rate')}', allow: { '#': [publish] }, limits: { publishesPerSecondMax: 1 } }
limits: { credentialFailuresMax: 3 }
`;

let server: ServerProcess;
let processes: readonly ProcessClient[] = [];
before(async () => {
  server = await ServerProcess.start({ config: CONFIG });
  processes = processesOf(server);
});
after(async () => {
  for (const client of processes) client.close();
  await server.remove();
});

const bearer = (credential: string): Record<string, string> => ({ authorization: `Bearer ${credential}` });

/** Streams of one key, one after another from each process, twice round. */
async function streams(): Promise<EventList[]> {
  const all = [...processes, ...processes].map((client) => client.subscribe('a', bearer('streams')));
  return Promise.all(all);
}

async function metric(series: string): Promise<number> {
  const text = await (await fetch(`${server.adminUrl}/metrics`)).text();
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `));
  assert.ok(line !== undefined, `there is no ${series}`);
  return Number(line.split(' ').at(-1));
}

const statusesOf = (opened: readonly EventList[]): number[] =>
  opened.map(({ response }) => response.statusCode ?? 0).toSorted((a, b) => a - b);

test('a key holds as many connections as it may over all processes, however many ask at once', async () => {
  const first = await streams();
  assert.deepEqual(statusesOf(first), [200, 200, 200, 200, 429, 429]);
  for (const stream of first) stream.close();
  // Until all processes have seen them go.
  for (;;) {
    const again = await streams();
    for (const stream of again) stream.close();
    const statuses = statusesOf(again);
    assert.ok(statuses.filter((status) => status === 200).length <= 4, `${statuses}`);
    if (statuses[3] === 200) break;
  }
});

test('messages of a key are counted over all processes', async () => {
  const answers = await Promise.all(processes.map((client) => client.publish('a', 'x', bearer('rate'))));
  const refused = answers.filter((answer) => JSON.parse(answer).code === 'rate_exceeded');
  assert.ok(refused.length >= 1, `${answers}`);
  assert.ok(refused.length < answers.length, `${answers}`);
});

test('whoever guesses is slowed down by all processes', async () => {
  for (;;) {
    const answers = await Promise.all(
      processes.map((client) => client.get('/v1/history/a', bearer('guess'))),
    );
    const codes = answers.map((answer) => JSON.parse(answer).code);
    if (codes.every((code) => code === 'credential_attempts_exceeded')) break;
    assert.ok(codes.some((code) => code === 'credential_invalid'));
  }
  // Three, and what was on its way to the other processes meanwhile.
  assert.ok((await metric('tidegate_credential_checks_total{outcome="refused"}')) <= 3 * processes.length);
});

test('what a process held that died can be had again', async () => {
  const [owner, one] = processes;
  const held = await Promise.all([1, 2, 3, 4].map(() => one.subscribe('a', bearer('streams'))));
  assert.deepEqual(statusesOf(held), [200, 200, 200, 200]);
  const refused = await owner.subscribe('a', bearer('streams'));
  assert.equal(refused.response.statusCode, 429);
  assert.ok(childrenOf(server.pid).includes(one.pid));
  process.kill(one.pid, 'SIGKILL');
  for (const stream of held) await stream.over();
  // Until another has taken its place, so that no connection goes to the dead one.
  while ((await metric('tidegate_worker_restarts_total')) < 1 || (await metric('tidegate_workers')) < 3)
    await new Promise(setImmediate);
  const after = await Promise.all(
    processesOf(server).map((client) => client.subscribe('a', bearer('streams'))),
  );
  assert.deepEqual(statusesOf(after), [200, 200, 200]);
});
