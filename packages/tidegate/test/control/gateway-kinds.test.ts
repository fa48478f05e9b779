import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type DeclaredResource,
  type ResourceStore,
  routeKind,
  upstreamKind,
} from '../../src/control/index.ts';
import { type Limits, resolveLimits } from '../../src/kernel/index.ts';
import { apply, isCode, memoryLog, openStore, put, remove, specsOf } from './fixture.ts';

const ORIGIN = { targets: [{ url: 'http://127.0.0.1:3000' }] };

function gatewayStore(
  limits: Partial<Limits> = {},
  declared: readonly DeclaredResource[] = [],
): Promise<ResourceStore> {
  const resolved = resolveLimits(limits);
  return openStore(memoryLog(), { kinds: [upstreamKind(resolved), routeKind(resolved)], declared });
}

test('routes and upstreams are stored with every default', async () => {
  const store = await gatewayStore();
  await apply(
    store,
    put('upstream', 'orders', ORIGIN),
    put('route', 'orders', { upstream: 'orders', retry: {} }),
  );
  const upstream = store.snapshot.of('upstream').get('orders');
  assert.deepEqual(
    [upstream?.balance, upstream?.targets],
    ['round_robin', [{ url: 'http://127.0.0.1:3000', weight: 1 }]],
  );
  const route = store.snapshot.of('route').get('orders') as { match: object; retry: { attempts: number } };
  assert.deepEqual(route.match, { path: '/*' });
  assert.equal(route.retry.attempts, 3);
  const { differences } = await apply(
    store,
    put('route', 'orders', { upstream: 'orders', retry: { attempts: 3 } }),
  );
  assert.deepEqual(
    differences.map(({ action }) => action),
    ['unchanged'],
  );
});

test('a route needs its upstreams, which may come in the same change or from the config file', async () => {
  const store = await gatewayStore({}, [{ kind: 'upstream', name: 'declared', spec: ORIGIN }]);
  await assert.rejects(
    apply(store, put('route', 'a', { upstream: 'nowhere' })),
    isCode('resource_invalid', /^The route "a": spec\.upstream: there is no upstream "nowhere"\.$/),
  );
  await assert.rejects(
    apply(store, put('route', 'a', { upstream: 'declared', fallback: { upstream: 'nowhere' } })),
    isCode('resource_invalid', /spec\.fallback\.upstream: there is no upstream "nowhere"/),
  );
  await apply(store, put('route', 'a', { upstream: 'declared' }));
  await apply(
    store,
    put('route', 'b', { match: { path: '/b' }, upstream: 'own' }),
    put('upstream', 'own', ORIGIN),
  );
  assert.equal(specsOf(store, 'route').length, 2);
});

test('an upstream that a route needs cannot be deleted, but together with the route', async () => {
  const store = await gatewayStore();
  await apply(store, put('upstream', 'orders', ORIGIN), put('upstream', 'other', ORIGIN));
  await apply(store, put('route', 'a', { upstream: 'orders' }));
  await assert.rejects(
    apply(store, remove('upstream', 'orders')),
    isCode('resource_invalid', /^The upstream "orders": the route "a" needs it\.$/),
  );
  await apply(store, remove('upstream', 'other'));
  await apply(store, remove('upstream', 'orders'), remove('route', 'a'));
  assert.deepEqual([specsOf(store, 'route'), specsOf(store, 'upstream')], [[], []]);
});

test('two routes that match exactly the same requests are refused, with both names', async () => {
  const store = await gatewayStore();
  await apply(store, put('route', 'a', { match: { path: '/orders/{id}' }, respond: {} }));
  await assert.rejects(
    apply(store, put('route', 'b', { match: { path: '/orders/{order}' }, respond: { status: 404 } })),
    isCode('resource_invalid', /^The route "b": it matches exactly the same requests as the route "a"\.$/),
  );
  await apply(
    store,
    put('route', 'a', { match: { path: '/moved' }, respond: {} }),
    put('route', 'b', { match: { path: '/orders/{id}' }, respond: {} }),
  );
  assert.equal(specsOf(store, 'route').length, 2);
});

test('a route that leads elsewhere stays in its place, and one that moves must not take the place of another', async () => {
  const store = await gatewayStore();
  await apply(
    store,
    put('route', 'a', { match: { path: '/a' }, respond: {} }),
    put('route', 'b', { match: { path: '/b' }, respond: {} }),
  );
  await apply(store, put('route', 'a', { match: { path: '/a' }, respond: { status: 404 } }));
  await assert.rejects(
    apply(store, put('route', 'a', { match: { path: '/b' }, respond: { status: 404 } })),
    isCode('resource_invalid', /^The route "a": it matches exactly the same requests as the route "b"\.$/),
  );
  // Both move, into each other's places.
  await apply(
    store,
    put('route', 'a', { match: { path: '/b' }, respond: {} }),
    put('route', 'b', { match: { path: '/a' }, respond: {} }),
  );
});

test('a mistake is told with its place, its reason and what to write', async () => {
  const store = await gatewayStore();
  await assert.rejects(
    apply(store, put('route', 'a', { match: { path: '/a' }, upstream: 'x', rewrite: { stripPrefix: '/b' } })),
    isCode(
      'resource_invalid',
      /^The route "a": spec\.rewrite\.stripPrefix: Not every path .* begins with \/b\. Write a beginning of match\.path\.$/,
    ),
  );
  await assert.rejects(
    apply(store, put('route', 'a', { upstream: 'x', policies: [] })),
    isCode('resource_invalid', /spec has no member "policies"/),
  );
  await assert.rejects(
    apply(store, put('upstream', 'a', { ...ORIGIN, tls: { ca: 'ca.pem' } })),
    isCode(
      'resource_invalid',
      /^The upstream "a": spec\.tls\.ca: "ca\.pem" is not absolute\. Write the whole path\.$/,
    ),
  );
});

test('there are no more routes, routes of one path and upstreams than the limits say', async () => {
  const store = await gatewayStore({ routesMax: 3, routesPerPathMax: 2, upstreamsMax: 1 });
  const route = (path: string, v: string) => ({ match: { path, query: { v } }, respond: {} });
  await apply(store, put('route', 'a', route('/a', '1')), put('route', 'b', route('/a', '2')));
  await assert.rejects(
    apply(store, put('route', 'c', route('/a', '3'))),
    isCode('resource_invalid', /limits\.routesPerPathMax = 2 others/),
  );
  await apply(store, put('route', 'c', route('/c', '3')));
  await assert.rejects(
    apply(store, put('route', 'd', route('/d', '1'))),
    isCode('resource_invalid', /limits\.routesMax = 3 already/),
  );
  await apply(store, put('upstream', 'a', ORIGIN));
  await assert.rejects(
    apply(store, put('upstream', 'b', ORIGIN)),
    isCode('resource_invalid', /limits\.upstreamsMax = 1 already/),
  );
});

test('a route that was over a limit already keeps nobody else from being changed', async () => {
  const many = ['1', '2', '3'].map((v) => ({
    kind: 'route',
    name: `many${v}`,
    spec: { match: { path: '/many', query: { v } }, respond: {} },
  }));
  const store = await gatewayStore({ routesPerPathMax: 2 }, many);
  await apply(store, put('route', 'own', { match: { path: '/own' }, respond: {} }));
  assert.equal(specsOf(store, 'route').length, 4);
});
