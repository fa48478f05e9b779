import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { ServerProcess } from '../support/server-process.ts';
import { type Ended, runProgram } from './run-program.ts';

const server = await ServerProcess.start({});
after(() => server.remove());

const CLOSES = /open to everybody, it is so no longer/;

const create = (name: string): Promise<Ended> =>
  runProgram(['key', 'create', name, '--allow', '#=publish'], '', { TIDEGATE_ADMIN_URL: server.adminUrl });

const publish = (environment: NodeJS.ProcessEnv): Promise<Ended> =>
  runProgram(['publish', 'a', 'b', '--url', server.url], '', environment);

test('the first key closes an open server, and the command that makes it says so; the second does not', async () => {
  assert.equal((await publish({})).code, 0);
  const first = await create('first');
  assert.match(first.errors, CLOSES);
  assert.match(first.output, /^tg_first_\S+\n$/);
  const refused = await publish({});
  assert.match(refused.errors, /^code: {2}credential_missing$/m);
  assert.match(refused.errors, /^next: {2}export TIDEGATE_TOKEN=KEY$/m);
  assert.equal((await publish({ TIDEGATE_TOKEN: first.output.trim() })).code, 0);
  assert.doesNotMatch((await create('second')).errors, CLOSES);
});
