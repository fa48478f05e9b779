import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ServerProcess } from '../support/server-process.ts';
import { type Ended, runProgram } from './run-program.ts';

const server = await ServerProcess.start({ config: 'topics: { declared: {} }' });
const folder = await mkdtemp(join(tmpdir(), 'tidegate-test-'));
after(async () => {
  await server.remove();
  await rm(folder, { recursive: true });
});

const run = (args: readonly string[], input = ''): Promise<Ended> =>
  runProgram(args, input, { TIDEGATE_URL: server.url, TIDEGATE_ADMIN_URL: server.adminUrl });

async function successfully(args: readonly string[], input = ''): Promise<string> {
  const { code, output, errors } = await run(args, input);
  assert.equal(errors, '');
  assert.equal(code, 0);
  return output;
}

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, text);
  return path;
}

test('a folder is applied whole, said what it changed, and found again after a kill', async () => {
  await file(
    'all/topics.yaml',
    'kind: topic\nname: orders\nspec: {partitions: 2}\n---\nkind: topic\nname: notes\nspec: {}\n',
  );
  const hash = `sha256:${'a'.repeat(64)}`;
  const key = { kind: 'key', name: 'app', spec: { hash, allow: { 'orders/#': ['subscribe'] } } };
  await file('all/deeper/key.json', JSON.stringify(key));
  await file('all/README.txt', 'not a resource');
  const path = join(folder, 'all');
  const before = await run(['diff', '-f', path]);
  assert.deepEqual([before.code, before.output], [1, '+ key app\n+ topic orders\n+ topic notes\n']);
  assert.equal(
    await successfully(['apply', '-f', path]),
    '+ key app\n+ topic orders\n+ topic notes\n3 created, 0 updated, 0 deleted, 0 unchanged\n',
  );
  assert.equal(await successfully(['diff', '-f', path]), '');
  await server.kill();
  await server.start();
  assert.equal(await successfully(['apply', '-f', path]), '0 created, 0 updated, 0 deleted, 3 unchanged\n');
  const table = await successfully(['get']);
  assert.match(table, /^KIND +NAME +VERSION +SOURCE\n/);
  assert.match(table, /^topic +declared +0 +config$/m);
  assert.match(table, /^topic +orders +[1-9]\d* +stored$/m);
  assert.match(table, /^key +app +[1-9]\d* +stored$/m);
  const [topic] = JSON.parse(await successfully(['topics', 'list', '--json'])).filter(
    ({ name }: { name: string }) => name === 'orders',
  );
  assert.equal(topic.status.partitions.length, 2);
});

test('a folder with one bad resource changes nothing, and the resource is named', async () => {
  await file('bad/a.yaml', 'kind: topic\nname: would-be\nspec: {}\n');
  await file('bad/b.yaml', 'kind: topic\nname: orders\nspec: {partitions: 5}\n');
  const { code, output, errors } = await run(['apply', '-f', join(folder, 'bad')]);
  assert.equal(code, 1);
  assert.equal(output, '');
  assert.match(errors, /orders has partitions = 2, which cannot be changed to 5/);
  assert.match(errors, /^code: {2}log_topic_exists$/m);
  assert.equal((await run(['get', 'topic', 'would-be'])).code, 1);
  await file('bad/b.yaml', 'kind: topic\nname: worse\nspec: {partitions: 0, colour: red}\n');
  const worse = await run(['diff', '-f', join(folder, 'bad')]);
  assert.equal(worse.code, 2);
  assert.match(worse.errors, /topic "worse": spec has no member "colour"/);
  assert.match(worse.errors, /topic "worse": spec\.partitions must be >= 1 and not 0/);
});

test('what is got can be changed and applied again, unless somebody else was faster', async () => {
  await successfully(
    ['apply', '-f', '-'],
    '{"kind":"topic","name":"round","spec":{"retention":{"ageSeconds":60}}}',
  );
  const yaml = await successfully(['get', 'topic', 'round']);
  const changed = yaml.replace('ageSeconds: 60', 'ageSeconds: 120');
  const difference = await run(['diff', '-f', '-'], changed);
  assert.deepEqual(
    [difference.code, difference.output],
    [1, '~ topic round\n    retention.ageSeconds: 60 -> 120\n'],
  );
  assert.match(await successfully(['apply', '-f', '-'], changed), /^~ topic round$/m);
  const late = await run(['apply', '-f', '-'], yaml.replace('ageSeconds: 60', 'ageSeconds: 90'));
  assert.equal(late.code, 1);
  assert.match(late.errors, /topic "round" has version \d+; version \d+ was expected/);
  assert.match(late.errors, /^code: {2}resource_conflict$/m);
});

test('resources are deleted by name and by file', async () => {
  await successfully(
    ['apply', '-f', '-'],
    'kind: topic\nname: brief\nspec: {}\n---\nkind: topic\nname: short\nspec: {}\n',
  );
  assert.equal(await successfully(['delete', 'topic', 'brief']), '- topic brief\n');
  const path = await file('short.yaml', 'kind: topic\nname: short\n');
  assert.equal(await successfully(['delete', '-f', path]), '- topic short\n');
  const again = await run(['delete', 'topic', 'short']);
  assert.equal(again.code, 1);
  assert.match(again.errors, /^code: {2}resource_unknown$/m);
  const declared = await run(['delete', 'topic', 'declared']);
  assert.match(declared.errors, /declared in the config file/);
});

test('a key is printed once, and only its hash is stored', async () => {
  const args = ['key', 'create', 'back_end-1', '--allow', 'orders/#=publish,subscribe notes/+=history'];
  const { code, output, errors } = await run([...args, '--expires', '2999-01-01T00:00:00Z']);
  assert.equal(code, 0);
  assert.match(errors, /shown this once/);
  const key = output.trimEnd();
  assert.match(key, /^tg_back_end-1_[A-Za-z0-9_-]{43}$/);
  const { spec } = JSON.parse(await successfully(['get', 'key', 'back_end-1', '--json']));
  assert.deepEqual(spec, {
    hash: `sha256:${createHash('sha256').update(key).digest('hex')}`,
    allow: { 'orders/#': ['publish', 'subscribe'], 'notes/+': ['history'] },
    expires: '2999-01-01T00:00:00Z',
  });
  assert.doesNotMatch(await successfully(['get', 'key', '--json']), new RegExp(key.slice(-43)));
  const twice = await run(args);
  assert.equal(twice.output, '');
  assert.match(twice.errors, /^code: {2}resource_conflict$/m);
  const local = await run(['key', 'create', 'ops', '--allow', '#=admin', '--local']);
  assert.match(local.errors, /^ {2}ops: \{"hash":"sha256:[0-9a-f]{64}","allow":\{"#":\["admin"\]\}\}$/m);
  assert.equal((await run(['get', 'key', 'ops'])).code, 1);
});

test('mistakes are told with their place and what would be right', async () => {
  const cases: readonly (readonly [readonly string[], string, RegExp, number])[] = [
    [['apply'], '', /--file PATH is missing/, 2],
    [['delete', 'topic'], '', /KIND and NAME, or --file PATH, are missing/, 2],
    [['apply', '-f', 'nowhere'], '', /nowhere cannot be read: there is no such file or folder/, 2],
    [['apply', '-f', '-'], '', /standard input has no resources/, 1],
    [['apply', '-f', '-'], 'kind: topic\n', /standard input:1: a resource needs kind and name/, 1],
    [
      ['apply', '-f', '-'],
      'kind: topic\nname: a\nspecs: {}\n',
      /"specs" is none of kind, name, spec, version/,
      1,
    ],
    [['apply', '-f', '-'], 'kind: [\n', /standard input:2:1/, 1],
    [
      ['apply', '-f', '-'],
      'kind: colour\nname: a\nspec: {}\n',
      /"colour" is none of topic, key, revocation, upstream, route/,
      1,
    ],
    [['get', 'colour'], '', /"colour" is none of topic, key, revocation, upstream, route/, 1],
    [['key', 'create', 'x'], '', /--allow LIST is missing/, 2],
    [['key', 'create', 'x', '--allow', 'orders'], '', /--allow takes/, 2],
    [['key', 'create', 'x', '--allow', 'a=fly'], '', /must be one of publish, subscribe/, 1],
    [['diff', '-f', '-', '--admin-url', 'http://127.0.0.1:1'], 'kind: key\nname: a\n', /does not answer/, 2],
  ];
  for (const [args, input, pattern, expected] of cases) {
    const { code, errors } = await run(args, input);
    assert.match(errors, pattern);
    assert.equal(code, expected, args.join(' '));
  }
});

test('a stored topic takes effect at once: channels of its name and of its prefixes go there, and on after a restart', async () => {
  await successfully(['apply', '-f', '-'], 'kind: topic\nname: talk\nspec: {prefixes: ["talk:"]}\n');
  // There are keys by now, so that whoever shows none may do nothing.
  const refused = await run(['publish', 'talk/1', 'by nobody']);
  assert.match(refused.errors, /^code: {2}credential_missing$/m);
  const { key } = JSON.parse(
    await successfully(['key', 'create', 'cli', '--allow', '#=publish,subscribe,history', '--json']),
  );
  await successfully(['publish', 'talk/1', 'by name', '--token', key]);
  await successfully(['publish', 'talk:1', 'by prefix', '--token', key]);
  const [topic] = JSON.parse(await successfully(['topics', 'list', '--json'])).filter(
    ({ name }: { name: string }) => name === 'talk',
  );
  assert.equal(topic.status.records, 2);
  await server.kill();
  await server.start();
  assert.equal(
    await successfully(['subscribe', 'talk:1', '--from', 'earliest', '--count', '1', '--token', key]),
    'by prefix\n',
  );
});

test('every path that the OpenAPI document describes is there, on the port that it names', async () => {
  const document = (await (await fetch(`${server.adminUrl}/api/openapi.json`)).json()) as {
    readonly paths: Record<string, { readonly servers: readonly [{ readonly url: string }] }>;
  };
  const ports: Record<string, string> = {
    'http://127.0.0.1:8080': server.url,
    'http://127.0.0.1:8081': server.adminUrl,
  };
  const resources = [
    'kind: revocation\nname: phone\nspec: {tokenId: lost}\n',
    'kind: upstream\nname: origin\nspec: {targets: [{url: "http://127.0.0.1:9"}]}\n',
    'kind: route\nname: origin\nspec: {match: {path: /to/origin}, upstream: origin}\n',
  ];
  await successfully(['apply', '-f', '-'], resources.join('---\n'));
  for (const [path, { servers }] of Object.entries(document.paths)) {
    const concrete = path
      .replace('{channel}', 'some/channel')
      .replace('{kind}', 'topic')
      .replace('/api/topic/{name}', '/api/topic/declared')
      .replace('/api/key/{name}', '/api/key/back_end-1')
      .replace('/api/revocation/{name}', '/api/revocation/phone')
      .replace('/api/upstream/{name}', '/api/upstream/origin')
      .replace('/api/route/{name}', '/api/route/origin');
    const abort = new AbortController();
    const response = await fetch(ports[servers[0].url] + concrete, {
      headers: { accept: path.includes('/sse') ? 'text/event-stream' : '*/*' },
      signal: abort.signal,
    });
    // A path that is there takes another method at least.
    assert.notEqual(response.status, 404, path);
    abort.abort();
  }
});
