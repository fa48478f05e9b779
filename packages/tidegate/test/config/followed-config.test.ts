import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { PARSED_IN_PLACE_BYTES_MAX } from '../../src/config/followed-config.ts';
import {
  followConfig,
  type LoadedConfig,
  loadConfig,
  type ResolvedConfig,
  restartKeys,
} from '../../src/config/index.ts';
import { ManualClock } from '../support/manual-clock.ts';

const folder = await mkdtemp(join(tmpdir(), 'tidegate-test-'));
after(() => rm(folder, { recursive: true }));
const path = join(folder, 'tidegate.yaml');

const request = (
  file: string | null = 'tidegate.yaml',
  environment: NodeJS.ProcessEnv = { WHERE: 'here' },
) => ({
  file,
  overrides: { port: 9000 },
  environment,
  workingFolder: folder,
});

const SMALL = 'topics:\n  a:\n    prefixes:\n      - ${WHERE}\n';
const LARGE = `${SMALL}${'# a line that says nothing\n'.repeat(PARSED_IN_PLACE_BYTES_MAX / 26)}upstreams:\n  a: { targets: [{ url: http://127.0.0.1:3000 }] }\n`;

const follow = (file?: string | null) => followConfig(request(file), new ManualClock());

const configOf = (loaded: LoadedConfig) => {
  assert.equal(loaded.kind, 'config');
  return loaded.kind === 'config' ? loaded.config : assert.fail();
};

const prefixesOf = ({ resources }: ResolvedConfig) =>
  resources.find(({ name }) => name === 'a')?.spec.prefixes;

test('a file is read anew with the same options, in a thread if it is large, and comes to the same', async () => {
  await writeFile(path, 'topics: {}\n');
  const followed = await follow();
  for (const text of [SMALL, LARGE]) {
    await writeFile(path, text);
    const threads = threadsStarted();
    const config = configOf(await followed.reread());
    assert.equal(threads(), text === LARGE ? 1 : 0);
    assert.deepEqual(config, configOf(await loadConfig(request())));
    assert.equal(config.listen.port, 9000);
    assert.deepEqual(prefixesOf(config), ['here']);
  }
  assert.ok((await stat(path)).size > PARSED_IN_PLACE_BYTES_MAX);
});

/** How many threads the process starts from now on. */
function threadsStarted(): () => number {
  let count = 0;
  const counted = (): void => {
    count++;
  };
  process.on('worker', counted);
  return () => {
    process.off('worker', counted);
    return count;
  };
}

test('of a large file the mistakes are found with their places, too', async () => {
  await writeFile(path, SMALL);
  const followed = await follow();
  const bad = `${LARGE}routes:\n  r: { upstream: b, retry: { attempts: many } }\n`;
  await writeFile(path, bad);
  const found = await followed.reread();
  assert.deepEqual(found, await loadConfig(request()));
  assert.equal(found.kind, 'problems');
});

test('a file that is gone is unreadable, and so is a large one that is no text', async () => {
  await writeFile(path, SMALL);
  const followed = await follow();
  await rm(path);
  await assert.rejects(followed.reread(), { code: 'config_unreadable', detail: /there is no such file/ });
  await writeFile(path, Buffer.alloc(2 * PARSED_IN_PLACE_BYTES_MAX, 0xff));
  await assert.rejects(followed.reread(), { code: 'config_unreadable', detail: /is not UTF-8 text/ });
});

test('the thread knows the environment of the process', async () => {
  process.env.TIDEGATE_TEST_WHERE = 'there';
  await writeFile(path, LARGE.replace('WHERE', 'TIDEGATE_TEST_WHERE'));
  const followed = await followConfig(request('tidegate.yaml', process.env), new ManualClock());
  process.env.TIDEGATE_TEST_WHERE = 'elsewhere';
  const config = configOf(await followed.reread());
  delete process.env.TIDEGATE_TEST_WHERE;
  assert.deepEqual(prefixesOf(config), ['elsewhere']);
});

test('a server without a file has nothing to watch, and reads the same again', async () => {
  const followed = await follow(null);
  assert.equal(followed.watch, null);
  assert.deepEqual(configOf(await followed.reread()), followed.config);
});

test('every key of the file that is no resource is named if it has another value, and no other', async () => {
  await writeFile(path, 'topics: { a: {} }\n');
  const { config: running } = await follow();
  const restartOf = async (text: string) => {
    await writeFile(path, text);
    return restartKeys(running, configOf(await loadConfig(request())));
  };
  assert.deepEqual(await restartOf('topics: { b: {} }\nlisten: { port: 1234 }\nlogLevel: info\n'), []);
  const all = `
listen: { host: 127.0.0.2, adminHost: 127.0.0.2, adminPort: 9999, trustedProxies: [10.0.0.1], trustedFields: [forwarded] }
tls: { certificates: [{ certificate: a.pem, key: a.key }] }
workers: 7
data: elsewhere
access: { anonymous: { "a": [subscribe] } }
limits: { routesMax: 7 }
cors: { origins: ["https://example.org"] }
websocket: { compression: ${!running.websocket.compression} }
logLevel: error
`;
  assert.deepEqual(await restartOf(all), [
    'access.anonymous',
    'cors.origins',
    'data',
    'limits.routesMax',
    'listen.adminHost',
    'listen.adminPort',
    'listen.host',
    'listen.trustedFields',
    'listen.trustedProxies',
    'logLevel',
    'tls',
    'websocket.compression',
    'workers',
  ]);
});
