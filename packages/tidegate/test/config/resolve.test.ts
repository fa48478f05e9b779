import assert from 'node:assert/strict';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { loadConfig, type ResolvedConfig, resolveConfig } from '../../src/config/index.ts';
import { LIMITS, TidegateError } from '../../src/kernel/index.ts';
import { type TopicOptions, topicSpecOf } from '../../src/log/index.ts';
import { configOf, withFile } from './check-text.ts';

const WORKING = resolve('/somewhere');
const defaults = (): Promise<ResolvedConfig> =>
  resolveConfig({ file: null, overrides: {}, environment: {}, workingFolder: WORKING });

/** The declared topics as the log takes them. */
const topicsOf = ({ resources }: ResolvedConfig) =>
  resources
    .filter(({ kind }) => kind === 'topic')
    .map(({ name, spec }) => topicSpecOf(name, spec as TopicOptions));

const isError = (code: string, detail: RegExp) => (error: unknown) =>
  error instanceof TidegateError && error.code === code && detail.test(error.detail);

test('without a file the server listens on loopback and keeps its data below the working directory', async () => {
  const config = await defaults();
  assert.deepEqual(config.listen, {
    host: '127.0.0.1',
    port: 8080,
    adminHost: '127.0.0.1',
    adminPort: 8081,
    gripPort: null,
    trustedProxies: [],
    trustedFields: ['x-forwarded-for', 'x-forwarded-proto'],
    zmq: null,
  });
  assert.equal(config.dataFolder, join(WORKING, 'data'));
  assert.equal(config.logLevel, 'info');
  assert.deepEqual(config.cors, { origins: [] });
  assert.deepEqual(config.websocket, { compression: false });
  assert.equal(config.limits.messageBytesMax, LIMITS.messageBytesMax.default);
});

test('ports of ZeroMQ are on loopback, and there are those only that are named', async () => {
  await withFile('listen: { zmq: { pullPort: 5560 } }\n', async (file) => {
    const config = await resolveConfig({ file, overrides: {}, environment: {}, workingFolder: WORKING });
    assert.deepEqual(config.listen.zmq, {
      host: '127.0.0.1',
      pullPort: 5560,
      subPort: null,
      repPort: null,
      statsPort: null,
      statsFormat: 'tnetstring',
      openToNetwork: false,
    });
  });
});

test('ports of ZeroMQ are open to others where somebody says so', async () => {
  await withFile(
    'listen: { zmq: { host: 0.0.0.0, openToNetwork: true, pullPort: 5560 } }\n',
    async (file) => {
      const config = await resolveConfig({ file, overrides: {}, environment: {}, workingFolder: WORKING });
      assert.equal(config.listen.zmq?.host, '0.0.0.0');
    },
  );
});

test('the topic default is always there: synced, kept for a day, with a key index', async () => {
  const [topic, ...others] = topicsOf(await defaults());
  assert.deepEqual(others, []);
  assert.deepEqual(topic, {
    name: 'default',
    partitions: 1,
    durability: 'synced',
    retentionMs: 86_400_000,
    retentionBytes: null,
    compacted: false,
    tombstoneRetentionMs: 86_400_000,
    keyIndex: true,
  });
});

test('a declared topic is synced and kept for a week unless it says otherwise', async () => {
  const config = await configOf(
    'topics:\n  orders: {}\n  ticks: {partitions: 4, durability: none, retention: {ageSeconds: null, sizeBytes: 4096}}\n',
  );
  const [, orders, ticks] = topicsOf(config);
  assert.equal(orders.durability, 'synced');
  assert.equal(orders.retentionMs, 604_800_000);
  assert.equal(orders.keyIndex, false);
  assert.deepEqual(
    [ticks.partitions, ticks.durability, ticks.retentionMs, ticks.retentionBytes],
    [4, 'none', null, 4096],
  );
});

test("a compacted topic keeps each key's latest for good unless an age is given", async () => {
  const config = await configOf(
    'topics: {a: {compacted: true}, b: {compacted: true, retention: {ageSeconds: 60}}}\n',
  );
  assert.deepEqual(
    topicsOf(config)
      .slice(1)
      .map(({ retentionMs }) => retentionMs),
    [null, 60_000],
  );
});

test('the retention of default can be changed, and only what is given changes', async () => {
  const topics = topicsOf(await configOf('topics: {default: {retention: {sizeBytes: 1048576}}}\n'));
  assert.equal(topics.length, 1);
  assert.deepEqual(
    [topics[0].retentionMs, topics[0].retentionBytes, topics[0].keyIndex],
    [86_400_000, 1_048_576, true],
  );
});

test('prefixes are told by topic', async () => {
  const { resources } = await configOf(
    'topics: {chat: {prefixes: ["chat:", "room:"]}, other: {prefixes: []}}\n',
  );
  assert.deepEqual(
    resources.slice(1).map(({ name, spec }) => [name, spec.prefixes]),
    [
      ['chat', ['chat:', 'room:']],
      ['other', []],
    ],
  );
});

test('an empty file is as good as none', async () => {
  assert.deepEqual((await configOf('# nothing yet\n')).resources, (await defaults()).resources);
});

test('the command line takes the place of the file', async () => {
  const config = await withFile('listen: {port: 1000, adminPort: 1001}\ndata: below\n', (file) =>
    resolveConfig({
      file,
      overrides: { port: 0, data: 'mine', host: '::1' },
      environment: {},
      workingFolder: WORKING,
    }),
  );
  assert.deepEqual(config.listen, {
    host: '::1',
    port: 0,
    adminHost: '127.0.0.1',
    adminPort: 1001,
    gripPort: null,
    trustedProxies: [],
    trustedFields: ['x-forwarded-for', 'x-forwarded-proto'],
    zmq: null,
  });
  assert.equal(config.dataFolder, join(WORKING, 'mine'));
});

test('a relative data folder starts at the folder of the file', async () => {
  await withFile('data: below\n', async (file) => {
    const config = await resolveConfig({ file, overrides: {}, environment: {}, workingFolder: WORKING });
    assert.equal(config.dataFolder, join(dirname(file), 'below'));
  });
});

test('nothing of a config can be changed', async () => {
  const config = await configOf(
    'topics: {chat: {prefixes: ["chat:"]}}\ncors: {origins: ["https://example.org"]}\n',
  );
  const parts = [
    config,
    config.listen,
    config.resources,
    config.resources[1],
    config.resources[1].spec.prefixes,
    config.limits,
    config.cors,
    config.cors.origins,
  ];
  for (const part of [...parts, config.websocket]) assert.ok(Object.isFrozen(part));
});

test('references to the environment are replaced, with defaults where it has nothing', async () => {
  const text =
    'listen:\n  port: ${PORT}\n  adminPort: ${ADMIN:-9001}\ndata: "${HOMEDIR}/log-${EMPTY:-none}"\nlogLevel: ${LEVEL}\n';
  const config = await configOf(text, { PORT: '9000', HOMEDIR: '/srv', EMPTY: '', LEVEL: 'debug' });
  assert.deepEqual([config.listen.port, config.listen.adminPort], [9000, 9001]);
  assert.equal(config.dataFolder, '/srv/log-none');
  assert.equal(config.logLevel, 'debug');
});

test('what a variable holds is not looked at again, and a doubled dollar sign is one', async () => {
  const config = await configOf('data: /srv/${A}/$${B}\n', { A: '${B}', B: 'no' });
  assert.equal(config.dataFolder, '/srv/${B}/${B}');
});

test('a variable in quotes is text, whatever it looks like', async () => {
  const config = await configOf('data: "/srv/${YEAR}"\ntopics: {chat: {prefixes: ["${YEAR}"]}}\n', {
    YEAR: '2026',
  });
  assert.deepEqual(config.resources[1].spec.prefixes, ['2026']);
});

test('a file that cannot be read says why', async () => {
  const request = { overrides: {}, environment: {}, workingFolder: WORKING };
  await assert.rejects(
    loadConfig({ ...request, file: 'gone.yaml' }),
    isError('config_unreadable', /gone\.yaml: there is no such file/),
  );
  await assert.rejects(
    loadConfig({ ...request, file: import.meta.dirname }),
    isError('config_unreadable', /it is a folder/),
  );
  await withFile(new Uint8Array([0x61, 0xff]), (file) =>
    assert.rejects(loadConfig({ ...request, file }), isError('config_unreadable', /is not UTF-8/)),
  );
});

test('a file with mistakes does not start a server, and all of them are told', async () => {
  await withFile('a: 1\nb: 2\n', (file) =>
    assert.rejects(
      resolveConfig({ file, overrides: {}, environment: {}, workingFolder: WORKING }),
      isError('config_invalid', /tidegate\.yaml:1:1: "a" is not[\s\S]*tidegate\.yaml:2:1: "b" is not/),
    ),
  );
});

test('keys are declared beside topics', async () => {
  const hash = `sha256:${'0'.repeat(64)}`;
  const { resources } = await configOf(`keys: {app: {hash: "${hash}", allow: {"a/#": [publish]}}}\n`);
  assert.deepEqual(resources.slice(1), [
    { kind: 'key', name: 'app', spec: { hash, allow: { 'a/#': ['publish'] } } },
  ]);
});

test('without a section on TLS there is none; its paths start at the folder of the file', async () => {
  assert.equal((await defaults()).tls, null);
  const text = 'tls: {certificates: [{certificate: a.pem, key: /keys/a.key}], clientCa: ca.pem}\n';
  await withFile(text, async (file) => {
    const config = await resolveConfig({ file, overrides: {}, environment: {}, workingFolder: WORKING });
    assert.deepEqual(config.tls, {
      certificates: [{ certificate: join(dirname(file), 'a.pem'), key: '/keys/a.key', names: [] }],
      minVersion: 'TLSv1.2',
      clients: { ca: join(dirname(file), 'ca.pem'), certificates: 'require' },
    });
  });
});
