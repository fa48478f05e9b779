import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Program, runProgram } from './run-program.ts';

const folder = await mkdtemp(join(tmpdir(), 'tidegate-test-'));
after(() => rm(folder, { recursive: true }));
let folders = 0;
const freshFolder = (): string => join(folder, `data-${++folders}`);

interface Announcement {
  readonly publicUrl: string;
  readonly adminUrl: string;
  readonly dataFolder: string;
}

/** A server on free ports, and where it is. */
async function started(
  data: string,
): Promise<{ readonly program: Program; readonly announced: Announcement }> {
  const program = new Program(['start', '--port', '0', '--admin-port', '0', '--data', data]);
  await program.printed(/\n/);
  return { program, announced: JSON.parse(program.output) };
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} drains the server, and a drained server ends with 0`, async () => {
    const { program, announced } = await started(freshFolder());
    assert.equal((await fetch(`${announced.adminUrl}/readyz`)).status, 200);
    const stream = await fetch(`${announced.publicUrl}/v1/channels/a`);
    program.child.kill(signal);
    // The stream is ended by the server, not cut off.
    await stream.text();
    const { code, errors } = await program.ended;
    assert.match(errors, /"msg":"Stopped"/);
    assert.equal(code, 0);
  });
}

test('SIGHUP does not end a server in the background that has no certificates to read', async () => {
  const { program, announced } = await started(freshFolder());
  program.child.kill('SIGHUP');
  assert.equal((await fetch(`${announced.adminUrl}/readyz`)).status, 200);
  program.child.kill('SIGTERM');
  const { code, errors } = await program.ended;
  assert.match(errors, /"msg":"Stopped"/);
  assert.equal(code, 0);
});

test('the same signal from a terminal and from npm is one wish', async () => {
  const { program } = await started(freshFolder());
  program.child.kill('SIGINT');
  program.child.kill('SIGINT');
  const { code } = await program.ended;
  assert.equal(code, 0);
});

test('a data folder in use is refused, with what to do', async () => {
  const data = freshFolder();
  const { program } = await started(data);
  const second = await runProgram(['start', '--port', '0', '--admin-port', '0', '--data', data]);
  program.child.kill('SIGTERM');
  await program.ended;
  assert.match(second.errors, /^code: {2}log_locked$/m);
  assert.equal(second.code, 1);
});

test('a port in use is refused, with what to do', async () => {
  const { program, announced } = await started(freshFolder());
  const { port } = new URL(announced.publicUrl);
  const second = await runProgram(['start', '--port', port, '--admin-port', '0', '--data', freshFolder()]);
  program.child.kill('SIGTERM');
  await program.ended;
  assert.match(second.errors, /^code: {2}listen_failed$/m);
  assert.match(second.errors, /^next: {2}tidegate start --port 0 --admin-port 0$/m);
  assert.equal(second.code, 1);
});

test('an address that others can reach is refused before anything is opened', async () => {
  const { code, errors } = await runProgram(['start', '--host', '0.0.0.0', '--data', freshFolder()]);
  assert.match(errors, /^code: {2}listen_refused$/m);
  assert.equal(code, 1);
});

test('ending npm drains the server', async () => {
  const root = fileURLToPath(new URL('../../../../', import.meta.url));
  const args = ['start', '--silent', '--', '--port', '0', '--admin-port', '0', '--data', freshFolder()];
  const npm = spawn('npm', args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const texts = { output: '', errors: '' };
  npm.stderr.setEncoding('utf8').on('data', (text: string) => {
    texts.errors += text;
  });
  const closed = once(npm, 'close');
  const [announced] = await once(npm.stdout.setEncoding('utf8'), 'data');
  assert.match(announced, /"publicUrl":"http/);
  npm.kill('SIGTERM');
  await closed;
  assert.match(texts.errors, /"msg":"Stopped"/);
});
