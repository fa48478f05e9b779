import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import {
  type DeclaredResource,
  type ResourceStore,
  routeKind,
  upstreamKind,
} from '../../src/control/index.ts';
import { reloadRoute } from '../../src/control/reload-route.ts';
import { resourceRoutes } from '../../src/control/resource-routes.ts';
import { watchRoute } from '../../src/control/watch-route.ts';
import { resolveLimits } from '../../src/kernel/index.ts';
import type { AdminRequest, AdminResponse, AdminRoute } from '../../src/listeners/index.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { isCode, memoryLog, openStore } from './fixture.ts';

const ORIGIN = { targets: [{ url: 'http://127.0.0.1:3000' }] };
const SECRET = 'xyzzy-1';
const OTHER = 'xyzzy-2';

async function stage(declared: readonly DeclaredResource[] = []) {
  const limits = resolveLimits();
  const store = await openStore(memoryLog(), { kinds: [upstreamKind(limits), routeKind(limits)], declared });
  const routes = resourceRoutes(store);
  const texts: string[] = [];
  const ask = async (method: string, path: string, value?: unknown, query = '') => {
    const [, , kind, name] = path.split('/');
    const route = routes.find(
      (each) => each.method === method && (each.path === path || each.path === `/api/${kind}/{name}`),
    ) as AdminRoute;
    const response = (await route.handle({
      method,
      path,
      parameters: { name },
      query: new URLSearchParams(query),
      headers: {},
      identity: '',
      body: Buffer.from(value === undefined ? '' : JSON.stringify(value)),
    } as AdminRequest)) as AdminResponse;
    texts.push(String(response.body));
    return JSON.parse(String(response.body));
  };
  await store.write({
    who: '',
    changes: [{ kind: 'upstream', name: 'app', spec: ORIGIN, expects: null }],
    mode: 'apply',
  });
  const keyOf = (name: string): unknown =>
    (store.snapshot.of('route').get(name) as { readonly grip?: { readonly key?: string } } | undefined)?.grip
      ?.key;
  return { store, ask, texts, keyOf };
}

const spec = (key: string, others: object = {}) => ({ upstream: 'app', grip: { key }, ...others });

/** What a watcher is told of all changes. */
function watched(store: ResourceStore): string {
  const { body } = watchRoute({ store, clock: new ManualClock(), keepAliveIntervalMs: 1000 }).handle({
    query: new URLSearchParams('from=0'),
    headers: {},
  } as AdminRequest) as { body: { start(out: { write(text: string): void }): () => void } };
  const parts: string[] = [];
  body.start({ write: (part) => void parts.push(part) })();
  return parts.join('');
}

test('a secret is shown nowhere, and what is shown can be written back without losing it', async () => {
  const { store, ask, texts, keyOf } = await stage();
  const made = await ask('PUT', '/api/route/a', { spec: spec(SECRET) });
  assert.equal(made.spec.grip.key, '(secret)');
  const got = await ask('GET', '/api/route/a');
  assert.equal(got.spec.grip.key, '(secret)');
  assert.equal(got.spec.grip.issuer, 'tidegate');
  const { items } = await ask('GET', '/api/route');
  assert.equal(items[0].spec.grip.key, '(secret)');
  await ask('PUT', '/api/route/a', { spec: { ...got.spec, match: { path: '/a' } } });
  assert.deepEqual(
    [keyOf('a'), (store.snapshot.of('route').get('a') as { match: unknown }).match],
    [SECRET, { path: '/a' }],
  );
  const same = await ask('POST', '/api/apply', {
    resources: [{ kind: 'route', name: 'a', spec: (await ask('GET', '/api/route/a')).spec }],
  });
  assert.equal(same.differences[0].action, 'unchanged');
  texts.push(watched(store));
  assert.match(texts.at(-1) as string, /"key":"\(secret\)"/);
  assert.doesNotMatch(texts.join(), /xyzzy/);
});

test('that a secret becomes another one is shown, and not which', async () => {
  const { ask, texts, keyOf } = await stage();
  await ask('PUT', '/api/route/a', { spec: spec(SECRET) });
  const change = { resources: [{ kind: 'route', name: 'a', spec: spec(OTHER) }] };
  for (const query of ['dryRun=true', '']) {
    const { differences } = await ask('POST', '/api/apply', change, query);
    const [{ action, before, after }] = differences;
    assert.deepEqual([action, before.grip.key, after.grip.key], ['update', '(secret)', '(another secret)']);
  }
  assert.equal(keyOf('a'), OTHER);
  const { differences } = await ask('POST', '/api/apply', {
    resources: [{ kind: 'route', name: 'a', spec: { upstream: 'app', grip: {} } }],
  });
  assert.deepEqual([differences[0].before.grip.key, differences[0].after.grip.key], ['(secret)', undefined]);
  assert.equal(keyOf('a'), undefined);
  assert.doesNotMatch(texts.join(), /xyzzy/);
});

test('what stands for a secret is refused where there is none', async () => {
  const { ask } = await stage();
  const refused = isCode(
    'resource_invalid',
    /spec\.grip\.key: "?\(secret\)"? stands for the secret of a stored route/,
  );
  await assert.rejects(ask('PUT', '/api/route/a', { spec: spec('(secret)') }), refused);
  await ask('PUT', '/api/route/a', { spec: { upstream: 'app', grip: {} } });
  await assert.rejects(ask('PUT', '/api/route/a', { spec: spec('(secret)') }), refused);
});

test('the secrets of the config file are not shown either, nor by a reload', async () => {
  const declared = [
    { kind: 'upstream', name: 'app', spec: ORIGIN },
    { kind: 'route', name: 'declared', spec: spec(SECRET) },
  ];
  const limits = resolveLimits();
  const kinds = [upstreamKind(limits), routeKind(limits)];
  const store = await openStore(memoryLog(), { kinds, declared });
  const list = resourceRoutes(store).find(({ path }) => path === '/api/route') as AdminRoute;
  const { body } = (await list.handle({} as AdminRequest)) as AdminResponse;
  assert.match(String(body), /"key":"\(secret\)"/);
  const difference = {
    kind: 'route',
    name: 'a',
    action: 'update',
    before: spec(SECRET),
    after: spec(OTHER),
  } as const;
  const reload = reloadRoute(
    async () => ({ differences: [difference], hidden: [], restart: [] }),
    store.kinds,
  );
  const reloaded = (await reload.handle({} as AdminRequest)) as AdminResponse;
  assert.deepEqual(JSON.parse(String(reloaded.body)).differences[0].after.grip, { key: '(another secret)' });
  assert.doesNotMatch(`${body}${reloaded.body}`, /xyzzy/);
});
