import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Gate, NO_RULES } from '../../src/access/index.ts';
import { adminAuthorization, controlRoutes, type DeclaredResource } from '../../src/control/index.ts';
import { resolveLimits, silentLogger, systemClock } from '../../src/kernel/index.ts';
import { type AdminListenerOptions, createAdminListener } from '../../src/listeners/index.ts';
import { keyOf, testGate } from '../access/access-fixture.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { keySpec, memoryLog, openStore } from './fixture.ts';

const state = { ready: false };

/** An admin port over a log in memory. */
async function adminPort(
  t: { after(done: () => Promise<void>): void },
  declared: readonly DeclaredResource[] = [],
  authorize: AdminListenerOptions['authorize'] = null,
) {
  const log = memoryLog();
  const resources = await openStore(log, { declared });
  const limits = resolveLimits();
  const listener = await createAdminListener({
    host: '127.0.0.1',
    port: 0,
    routes: controlRoutes({
      resources,
      metricsText: async () => 'tidegate_up 1\n',
      isReady: () => state.ready,
      purge: async (request) => ({ responses: Object.keys(request).length, state: 'done' }),
      reload: async () => ({ differences: [], hidden: [], restart: [] }),
      clock: systemClock,
      limits,
    }),
    limits,
    clock: systemClock,
    logger: silentLogger,
    authorize,
  });
  t.after(() => listener.drain(0));
  const url = `http://127.0.0.1:${listener.port}`;
  const ask = async (method: string, path: string, value?: unknown, headers: Record<string, string> = {}) => {
    const body = value === undefined ? null : typeof value === 'string' ? value : JSON.stringify(value);
    const response = await fetch(url + path, { method, headers, body });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: text === '' ? null : JSON.parse(text),
    };
  };
  return { url, ask, log, resources, listener };
}

const DEFAULTS = { kind: 'topic', name: 'default', spec: { keyIndex: true } };

test('healthz answers as long as the process lives, readyz while it takes clients', async (t) => {
  const { ask } = await adminPort(t);
  for (const ready of [false, true, false]) {
    state.ready = ready;
    assert.equal((await ask('GET', '/healthz')).status, 200);
    assert.equal((await ask('GET', '/readyz')).status, ready ? 200 : 503);
  }
});

test('metrics come in the text format of Prometheus', async (t) => {
  const { url } = await adminPort(t);
  const response = await fetch(`${url}/metrics`);
  assert.equal(await response.text(), 'tidegate_up 1\n');
  assert.match(String(response.headers.get('content-type')), /^text\/plain; version=0\.0\.4/);
});

test("topics are listed by name with spec and status, without the server's own", async (t) => {
  const { ask } = await adminPort(t, [DEFAULTS]);
  await ask('PUT', '/api/topic/orders', { spec: { partitions: 2, retention: { ageSeconds: 60 } } });
  const { items } = (await ask('GET', '/api/topic')).body;
  assert.deepEqual(
    items.map(({ name, source }: { name: string; source: string }) => [name, source]),
    [
      ['default', 'config'],
      ['orders', 'stored'],
    ],
  );
  const { body } = await ask('GET', '/api/topic/orders');
  assert.deepEqual(body, items[1]);
  assert.equal(body.kind, 'topic');
  assert.deepEqual(body.spec.retention, { ageSeconds: 60, sizeBytes: null, tombstoneSeconds: 86_400 });
  assert.deepEqual(body.status.partitions, [
    { partition: 0, start: 0, end: 0 },
    { partition: 1, start: 0, end: 0 },
  ]);
  assert.deepEqual(Object.keys(body.status), ['epoch', 'created', 'records', 'bytes', 'partitions']);
});

test('what is not there is 404 with a code: a topic, a key, a kind', async (t) => {
  const { ask } = await adminPort(t);
  const codes = [
    '/api/topic/gone',
    '/api/topic/_resources',
    '/api/key/gone',
    '/api/colour',
    '/api/colour/red',
  ];
  const answers = await Promise.all(codes.map((path) => ask('GET', path)));
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([404]));
  assert.deepEqual(
    answers.map(({ body }) => body.code),
    [
      'log_topic_unknown',
      'log_topic_unknown',
      'resource_unknown',
      'resource_kind_unknown',
      'resource_kind_unknown',
    ],
  );
});

test('a resource is created, replaced and deleted, each with its status and its ETag', async (t) => {
  const { ask } = await adminPort(t);
  const created = await ask('PUT', '/api/key/app', { spec: keySpec(1) });
  assert.equal(created.status, 201);
  assert.equal(created.headers.get('etag'), `"${created.body.version}"`);
  const replaced = await ask('PUT', '/api/key/app', { kind: 'key', name: 'app', spec: keySpec(2) });
  assert.equal(replaced.status, 200);
  assert.ok(replaced.body.version > created.body.version);
  assert.equal((await ask('DELETE', '/api/key/app')).status, 204);
  assert.equal((await ask('DELETE', '/api/key/app')).body.code, 'resource_unknown');
});

test('If-Match and If-None-Match decide races (RFC 9110, 13.1.1 and 13.1.2): exactly one admin wins', async (t) => {
  const { ask } = await adminPort(t);
  const created = await ask('PUT', '/api/key/app', { spec: keySpec(1) }, { 'if-none-match': '*' });
  assert.equal(created.status, 201);
  const etag = String(created.headers.get('etag'));
  const answers = await Promise.all(
    [2, 3].map((number) => ask('PUT', '/api/key/app', { spec: keySpec(number) }, { 'if-match': etag })),
  );
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409]);
  const lost = answers.find(({ status }) => status === 409)!;
  assert.equal(lost.body.code, 'resource_conflict');
  assert.equal(lost.headers.get('content-type'), 'application/problem+json');
  const late = [
    ask('PUT', '/api/key/app', { spec: keySpec(9) }, { 'if-none-match': '*' }),
    ask('PUT', '/api/key/app', { spec: keySpec(9) }, { 'if-match': etag }),
    ask('PUT', '/api/key/app', { spec: keySpec(9) }, { 'if-match': `W/${etag}` }),
    ask('PUT', '/api/key/new', { spec: keySpec(9) }, { 'if-match': '*' }),
    ask('DELETE', '/api/key/app', undefined, { 'if-match': etag }),
  ];
  for (const { status, body } of await Promise.all(late)) {
    assert.deepEqual([status, body.code], [409, 'resource_conflict']);
    assert.match(body.detail, /key "(?:app|new)"/);
  }
  const now = await ask('GET', '/api/key/app');
  const right = { 'if-match': `"77", ${now.headers.get('etag')}` };
  assert.equal((await ask('DELETE', '/api/key/app', undefined, right)).status, 204);
});

test('a body that is no resource is refused with what is wrong', async (t) => {
  const { ask } = await adminPort(t, [DEFAULTS]);
  const cases: readonly (readonly [unknown, number, string])[] = [
    ['{', 400, 'json_malformed'],
    [[], 400, 'resource_invalid'],
    [{}, 400, 'resource_invalid'],
    [{ spec: 1 }, 400, 'resource_invalid'],
    [{ name: 'other', spec: {} }, 400, 'resource_invalid'],
    [{ spec: { partitions: 'many' } }, 400, 'resource_invalid'],
  ];
  for (const [value, status, code] of cases) {
    const { body } = await ask('PUT', '/api/topic/orders', value);
    assert.deepEqual([body.status, body.code], [status, code]);
  }
  const { body } = await ask('PUT', '/api/topic/default', { spec: {} });
  assert.deepEqual([body.status, body.code], [409, 'resource_read_only']);
});

test('a whole change set is applied or refused, and a dry run only tells', async (t) => {
  const { ask } = await adminPort(t);
  const topic = { kind: 'topic', name: 'orders', spec: { partitions: 2 } };
  const key = { kind: 'key', name: 'app', spec: keySpec(1) };
  const dry = await ask('POST', '/api/apply?dryRun=true', { resources: [topic, key] });
  assert.deepEqual(
    dry.body.differences.map(({ action }: { action: string }) => action),
    ['create', 'create'],
  );
  assert.equal((await ask('GET', '/api/key')).body.items.length, 0);
  const bad = await ask('POST', '/api/apply', { resources: [topic, { ...key, spec: {} }] });
  assert.equal(bad.body.code, 'resource_invalid');
  assert.match(bad.body.detail, /key "app": spec needs the member "hash"/);
  assert.equal((await ask('GET', '/api/topic')).body.items.length, 0);
  const done = await ask('POST', '/api/apply', { resources: [topic, key] });
  assert.equal(done.status, 200);
  const { version } = (await ask('GET', '/api/key/app')).body;
  const stale = await ask('POST', '/api/apply', {
    resources: [{ ...topic, version: 0 }],
    delete: [{ kind: 'key', name: 'app' }],
  });
  assert.equal(stale.status, 409);
  assert.match(stale.body.detail, /topic "orders"/);
  const deleted = await ask('POST', '/api/apply', { delete: [{ kind: 'key', name: 'app', version }] });
  assert.equal(deleted.body.differences[0].action, 'delete');
  for (const body of [{ resource: [] }, { resources: {} }, { resources: [1] }, { delete: [{ kind: 'key' }] }])
    assert.equal((await ask('POST', '/api/apply', body)).body.code, 'resource_invalid');
});

test('the schemas of all kinds are served', async (t) => {
  const { ask } = await adminPort(t);
  const { items } = (await ask('GET', '/api/schemas')).body;
  assert.deepEqual(
    items.map(({ kind }: { kind: string }) => kind),
    ['topic', 'key'],
  );
  const { $schema, ...schema } = (await ask('GET', '/api/schemas/key')).body;
  assert.match($schema, /2020-12/);
  assert.deepEqual(schema, items[1].schema);
  assert.equal((await ask('GET', '/api/schemas/colour')).body.code, 'resource_kind_unknown');
});

/** Reads a stream until its text matches. */
async function readUntil(response: Response, pattern: RegExp): Promise<string> {
  const reader = response.body!.getReader();
  const decoder = new TextDecoder();
  let text = '';
  while (!pattern.test(text)) {
    const { done, value } = await reader.read();
    assert.equal(done, false, text);
    text += decoder.decode(value, { stream: true });
  }
  await reader.cancel();
  return text;
}

test('changes are watched from now on or from a position, as lines of JSON', async (t) => {
  const { ask, url } = await adminPort(t);
  await ask('PUT', '/api/key/a', { spec: keySpec(1) });
  const { position } = (await ask('GET', '/api/key')).body;
  const live = await fetch(`${url}/api/watch`);
  assert.equal(live.headers.get('content-type'), 'application/x-ndjson');
  await ask('PUT', '/api/key/b', { spec: keySpec(2) });
  await ask('DELETE', '/api/key/a');
  for (const response of [live, await fetch(`${url}/api/watch?from=${position}`)]) {
    const lines = (await readUntil(response, /"name":"a"[^\n]*\n/))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(lines[0], { position });
    assert.deepEqual(
      lines
        .slice(1)
        .flatMap(({ changes }) =>
          changes.map(({ name, spec }: { name: string; spec: unknown }) => [name, spec]),
        ),
      [
        ['b', keySpec(2)],
        ['a', null],
      ],
    );
  }
  assert.equal((await ask('GET', '/api/watch?from=9999')).body.code, 'resource_history_gone');
  assert.equal((await ask('GET', '/api/watch?from=x')).body.code, 'http_query_invalid');
});

test('an event stream of changes resumes after the event that the client had last', async (t) => {
  const { ask, url } = await adminPort(t);
  await ask('PUT', '/api/key/a', { spec: keySpec(1) });
  const { position } = (await ask('GET', '/api/key')).body;
  await ask('PUT', '/api/key/b', { spec: keySpec(2) });
  const headers = { accept: 'text/event-stream', 'last-event-id': String(position) };
  const text = await readUntil(await fetch(`${url}/api/watch`, { headers }), /"name":"b"[^\n]*\n\n/);
  assert.match(
    text,
    new RegExp(`^id: ${position}\\ndata: \\{"position":${position}\\}\\n\\nid: ${position + 1}\\ndata: `),
  );
});

test('who watches does not hold up the end of the server', async (t) => {
  const { url, listener } = await adminPort(t);
  const response = await fetch(`${url}/api/watch`);
  await listener.drain(600_000);
  assert.match(await response.text(), /^\{"position":0\}\n$/);
});

for (const [how, end] of [
  ['expires', ({ clock }) => clock.advance(60_500)],
  ['is revoked', ({ gate }) => gate.adopt(NO_RULES)],
] as const satisfies (readonly [string, (admin: { clock: ManualClock; gate: Gate }) => void])[]) {
  test(`who watches where admins alone may is let go when the credential ${how}`, async (t) => {
    const clock = new ManualClock();
    const expires = new Date(clock.nowMs() + 60_000).toISOString();
    const gate = testGate({ clock, keys: { ops: { ...keyOf('ops', { any: ['admin'] }), expires } } });
    const { url } = await adminPort(t, [], adminAuthorization(gate, 'admins'));
    const headers = { authorization: 'Bearer ops' };
    const response = await fetch(`${url}/api/watch`, { headers });
    assert.equal(response.status, 200);
    end({ clock, gate });
    assert.equal(await response.text(), '{"position":0}\n');
    assert.equal((await fetch(`${url}/api/watch`, { headers })).status, 401);
  });
}

test('POST /api/purge takes one of its three members, and nothing else', async (t) => {
  const { ask } = await adminPort(t);
  const good = await ask('POST', '/api/purge', { surrogateKey: 'x' });
  assert.equal(good.status, 200);
  assert.deepEqual(good.body, { responses: 1, state: 'done' });
  for (const body of [{}, { url: 1 }, { url: 'http://a/', prefix: 'http://a/' }, { path: '/' }]) {
    const { status, body: problem } = await ask('POST', '/api/purge', body);
    assert.equal(status, 400);
    assert.equal(problem.code, 'purge_invalid');
  }
});
