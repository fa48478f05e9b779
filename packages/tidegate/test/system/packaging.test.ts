import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseArguments } from '../../src/cli/arguments.ts';
import { start } from '../../src/cli/commands/start.ts';
import { resolveLimits } from '../../src/kernel/index.ts';
import { ServerProcess } from '../support/server-process.ts';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const limits = resolveLimits({});
/** What closing the log may take beyond `drainTimeoutMs`. */
const CLOSE_MARGIN_SECONDS = 5;
const PROGRAM = 'packages/tidegate/bin/tidegate.cjs';

/** The options of a command line of the program, which must be one of `tidegate start`. */
function startOptions(words: readonly string[]): Readonly<Record<string, unknown>> {
  assert.equal(words[0], 'start');
  const parsed = parseArguments(start, words.slice(1));
  assert.ok(parsed.kind === 'run');
  return parsed.options;
}

const unit = read('packaging/tidegate.service');

/** The last value of a setting of the unit. */
function setting(name: string): string {
  const values = [...unit.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value]) => value);
  assert.ok(values.length > 0, name);
  return values[values.length - 1];
}

test('the systemd unit starts what the repository has, with options that the server has', () => {
  const [node, program, ...words] = setting('ExecStart').split(' ');
  assert.equal(node, '/opt/tidegate/node_modules/.bin/node');
  assert.ok('node' in JSON.parse(read('package.json')).devDependencies);
  assert.equal(program, `/opt/tidegate/${PROGRAM}`);
  assert.ok(existsSync(join(ROOT, PROGRAM)));
  assert.equal(startOptions(words).data, `/var/lib/${setting('StateDirectory')}`);
  assert.match(
    unit,
    new RegExp(`^Environment=NODE_COMPILE_CACHE=/var/cache/${setting('CacheDirectory')}$`, 'm'),
  );
  assert.ok(existsSync(join(ROOT, setting('Documentation').replace('file:///opt/tidegate/', ''))));
});

test('the systemd unit leaves the time to drain and the sockets that the limits allow', () => {
  const [, stopSeconds] = /^(\d+)s$/.exec(setting('TimeoutStopSec')) ?? [];
  assert.ok(Number(stopSeconds) > limits.drainTimeoutMs / 1000 + CLOSE_MARGIN_SECONDS);
  assert.ok(Number(setting('LimitNOFILE')) > limits.connectionsMax + 500);
  assert.equal(setting('KillSignal'), 'SIGTERM');
});

const analyze = (...args: string[]) => spawnSync('systemd-analyze', args, { encoding: 'utf8' });
const NO_SYSTEMD: string | false =
  Number(/^systemd (\d+)/.exec(analyze('--version').stdout ?? '')?.[1] ?? 0) >= 252
    ? false
    : 'systemd-analyze 252 or later is not installed';

test('systemd takes the unit, and finds it little exposed', { skip: NO_SYSTEMD }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-test-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'tidegate.service');
  const here = unit
    .replaceAll('/opt/tidegate/node_modules/.bin/node', process.execPath)
    .replaceAll('/opt/tidegate/', ROOT);
  await writeFile(file, here.replaceAll('#LoadCredential=', 'LoadCredential='));
  const verified = analyze('verify', file);
  assert.equal(verified.stderr, '');
  assert.equal(verified.status, 0);
  // In tenths; docs/deployment.md has the figure of one version, and versions weigh differently.
  const rated = analyze('security', '--offline=yes', '--threshold=20', file);
  assert.equal(rated.status, 0, rated.stdout);
});

const dockerfile = read('Dockerfile');

/** The arguments of an instruction in the exec form, which starts no shell: the last such instruction. */
function execForm(instruction: string): readonly string[] {
  const found = [...dockerfile.matchAll(new RegExp(`^${instruction} (\\[.*\\])$`, 'gm'))];
  assert.ok(found.length > 0, instruction);
  return JSON.parse(found[found.length - 1][1]);
}

test('the Dockerfile copies what is there and what .dockerignore lets in', () => {
  const letIn = read('.dockerignore')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1));
  let copied = 0;
  for (const [, words] of dockerfile.matchAll(/^COPY (?!--from)(.*)$/gm)) {
    for (const source of words.split(' ').slice(0, -1)) {
      assert.ok(existsSync(join(ROOT, source)), source);
      assert.ok(letIn.includes(source), source);
      copied++;
    }
  }
  assert.ok(copied >= letIn.length);
});

test('the Dockerfile has the Node.js of the repository, starts the server as process 1, and not as root', () => {
  const { devDependencies } = JSON.parse(read('package.json'));
  assert.match(
    dockerfile,
    new RegExp(`^ARG NODE_VERSION=${devDependencies.node.replaceAll('.', '\\.')}$`, 'm'),
  );
  assert.deepEqual(execForm('ENTRYPOINT'), ['node', `/app/${PROGRAM}`]);
  const { data } = startOptions(execForm('CMD'));
  assert.match(dockerfile, new RegExp(`^VOLUME ${String(data)}$`, 'm'));
  const lastUser = [...dockerfile.matchAll(/^USER (\S+)$/gm)].at(-1)?.[1];
  assert.equal(lastUser, 'node');
});

test('the health check of the image succeeds while the server is up, and only then', async (t) => {
  const server = await ServerProcess.start({});
  t.after(() => server.remove());
  const check = /^HEALTHCHECK [^[]*(\[.*\])$/m.exec(dockerfile)?.[1] ?? '[]';
  const [program, ...args] = JSON.parse(check.replace(':8081/', `:${server.adminPort}/`)) as string[];
  assert.equal(program, 'node');
  assert.equal(spawnSync(process.execPath, args).status, 0);
  await server.kill();
  assert.equal(spawnSync(process.execPath, args).status, 1);
});
