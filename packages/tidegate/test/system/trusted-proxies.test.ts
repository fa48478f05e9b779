import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { hashOfKey } from '../../src/access/index.ts';
import { ServerProcess } from '../support/server-process.ts';
import { type ProcessClient, processesOf } from '../workers/processes.ts';

/*
 * A server of two processes whose clients come through a load balancer at 127.0.0.1.
 */

const FAILURES_MAX = 3;
const CONFIG = `
workers: 2
listen: { trustedProxies: [127.0.0.1] }
keys: { a: { hash: '${hashOfKey('good')}', allow: { '#': [history] } } }
limits: { credentialFailuresMax: ${FAILURES_MAX} }
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

/** The code of the answer to a credential that a client shows to one of the processes. */
async function codeOf(process: ProcessClient, client: string, credential: string): Promise<string> {
  const headers = { 'x-forwarded-for': client, authorization: `Bearer ${credential}` };
  return JSON.parse(await process.get('/v1/history/a', headers)).code;
}

test('who guesses behind a balancer is slowed down in all processes, and nobody else is', async () => {
  const [owner, worker] = processes;
  for (let at = 0; at < FAILURES_MAX; at++)
    assert.equal(await codeOf(owner, '192.0.2.1', 'guess'), 'credential_invalid');
  assert.equal(await codeOf(owner, '192.0.2.1', 'guess'), 'credential_attempts_exceeded');
  // The other process hears of it a moment later.
  while ((await codeOf(worker, '203.0.113.9, 192.0.2.1', 'guess')) !== 'credential_attempts_exceeded');
  for (const process of processes)
    assert.equal(await codeOf(process, '192.0.2.2', 'guess'), 'credential_invalid');
});

test('all processes refuse what they cannot understand', async () => {
  for (const process of processes) {
    const answer = JSON.parse(await process.get('/v1/history/a', { 'x-forwarded-proto': 'gopher' }));
    assert.deepEqual([answer.status, answer.code], [400, 'proxy_fields_invalid']);
  }
});
