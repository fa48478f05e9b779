import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import { durationMs, durationSchema } from '../../src/gateway/duration.ts';
import {
  completeRoute,
  completeUpstream,
  findConflicts,
  findRouteProblems,
  findUpstreamProblems,
  type RouteOptions,
  routeSchema,
  type UpstreamOptions,
  upstreamSchema,
  upstreamsOf,
} from '../../src/gateway/options.ts';
import { routeOf } from '../../src/gateway/routes/route.ts';
import { upstreamOf } from '../../src/gateway/upstreams/upstream.ts';

const ajv = new Ajv({ allErrors: true, allowUnionTypes: true, allowMatchingProperties: true });
const isDuration = ajv.compile(durationSchema);
const isRoute = ajv.compile(routeSchema);
const isUpstream = ajv.compile(upstreamSchema);

const FULL_ROUTE: RouteOptions = {
  match: {
    host: '*.example.com',
    path: '/orders/{id}/*',
    methods: ['GET', 'POST'],
    headers: { 'X-Version': '2' },
    query: { beta: '*' },
    scheme: 'https',
    upgrade: 'none',
  },
  upstream: 'orders',
  rewrite: { path: '/v2/{id}/*' },
  headers: { request: { set: { 'X-Gateway': 'tidegate' }, remove: ['Cookie'] } },
  timeouts: { connect: '500ms', total: '1h' },
  retry: { attempts: 4, on: ['connect', '5xx', 429] },
  breaker: {},
  bulkhead: { concurrent: 10 },
  deadline: { default: '10s' },
  fallback: {
    respond: { status: 503, headers: { 'Content-Type': 'text/plain' }, body: 'Later.' },
    stale: '5m',
  },
  live: { every: '2s' },
  grip: { key: 'secret' },
  crossOrigin: { jsonp: { mode: 'basic' } },
};

test('a duration is a number with its unit, and none is longer than a timer can be', () => {
  assert.deepEqual(['500ms', '2s', '5m', '1h'].map(durationMs), [500, 2_000, 300_000, 3_600_000]);
  for (const text of ['1ms', '999999999ms', '999999s', '9999m', '99h', '499h']) {
    assert.ok(isDuration(text), text);
    assert.ok(durationMs(text) < 2 ** 31, text);
  }
  for (const text of ['0s', '0ms', '2', '2 s', '-1s', '1.5s', '500h', '1d', '01s', '', 's'])
    assert.ok(!isDuration(text), text);
});

test('a route with everything fits the schema, and with its defaults still', () => {
  assert.ok(isRoute(FULL_ROUTE), JSON.stringify(isRoute.errors));
  const complete = completeRoute(FULL_ROUTE);
  assert.ok(isRoute(complete), JSON.stringify(isRoute.errors));
  assert.deepEqual(completeRoute(complete), complete);
  assert.deepEqual(findRouteProblems(FULL_ROUTE), []);
});

test('what is not known is refused', () => {
  for (const route of [
    { upstream: 'a', retries: {} },
    { upstream: 'a', retry: { tries: 2 } },
    { upstream: 'a', match: { path: 'orders' } },
    { upstream: 'a', match: { path: '/a*' } },
    { upstream: 'a', match: { path: '/a/*/b' } },
    { upstream: 'a', match: { path: '/{a}b' } },
    { upstream: 'a', match: { path: '/a?b=c' } },
    { upstream: 'a', match: { host: 'a.*.example' } },
    { upstream: 'a', match: { host: 'example.com:80' } },
    { upstream: 'a', match: { methods: ['get'] } },
    { upstream: 'a', headers: { request: { set: { 'x-a': 'b\r\nx-c: d' } } } },
    { upstream: 'a', retry: { on: [200] } },
    { upstream: 'a', retry: { on: ['2xx'] } },
    { upstream: 'a', timeouts: { connect: 5 } },
  ])
    assert.ok(!isRoute(route), JSON.stringify(route));
  for (const upstream of [
    {},
    { targets: [] },
    { targets: [{ url: 'http://a/path' }] },
    { targets: [{ url: 'http://user@a' }] },
    { targets: [{ url: 'ftp://a' }] },
    { targets: [{ url: 'http://a', weight: 0 }] },
    { targets: [{ url: 'http://a' }], balance: 'random' },
    { targets: [{ url: 'http://a' }], hashBy: 'header' },
    { targets: [{ url: 'http://a' }], health: {} },
  ])
    assert.ok(!isUpstream(upstream), JSON.stringify(upstream));
});

test('sections that are not given are off, and those without a default keep their own defaults', () => {
  const route = routeOf('r', { upstream: 'a' });
  assert.equal(
    route.retry ?? route.breaker ?? route.bulkhead ?? route.fallback ?? route.live ?? route.grip,
    null,
  );
  assert.deepEqual(route.timeouts, { connectMs: 5_000, firstByteMs: 60_000, idleMs: 300_000, totalMs: null });
  assert.equal(route.match.path.text, '/*');
  const retried = routeOf('r', { upstream: 'a', retry: {} });
  assert.deepEqual(
    [retried.retry?.attempts, retried.retry?.backoffMs, retried.retry?.onConnect, retried.retry?.onTimeout],
    [3, 25, true, false],
  );
  assert.deepEqual(
    [503, 500].map((status) => retried.retry?.statuses.has(status)),
    [true, false],
  );
});

test('a route is given with durations in milliseconds and names of fields in lower case', () => {
  const route = routeOf('r', FULL_ROUTE);
  assert.deepEqual(route.headers.request, { set: { 'x-gateway': 'tidegate' }, remove: ['cookie'] });
  assert.deepEqual(route.headers.response, { set: {}, remove: [] });
  assert.deepEqual(route.match.headers, [{ name: 'x-version', value: '2' }]);
  assert.deepEqual(route.match.query, [{ name: 'beta', value: null }]);
  assert.deepEqual(
    [429, 500, 404].map((status) => route.retry?.statuses.has(status)),
    [true, true, false],
  );
  assert.deepEqual(route.live, { everyMs: 2_000, mode: 'patch' });
  assert.deepEqual(route.bulkhead, { concurrent: 10, queue: 0, waitMs: 1_000 });
  assert.deepEqual(route.deadline, { header: 'x-request-deadline', defaultMs: 10_000 });
  assert.equal(route.fallback?.staleMs, 300_000);
  assert.deepEqual(route.fallback?.respond?.headers, { 'content-type': 'text/plain' });
  assert.deepEqual(route.crossOrigin?.jsonp, {
    mode: 'basic',
    callback: 'callback',
    body: null,
    defaultCallback: null,
    defaultMethod: 'POST',
  });
  assert.deepEqual(route.grip, {
    key: 'secret',
    upstreamKey: null,
    issuer: 'tidegate',
    prefix: '',
    channels: [],
    session: false,
    websocket: 'native',
  });
});

/** The paths of what is wrong, each as people write it. */
const problemsOf = (route: RouteOptions): readonly string[] =>
  findRouteProblems(route).map(({ path }) => path.join('.'));

test('what a schema cannot say of a route is found, with where it stands', () => {
  assert.deepEqual(problemsOf({}), ['']);
  assert.deepEqual(problemsOf({ upstream: 'a', respond: {}, retry: {} }), ['respond', 'retry']);
  assert.deepEqual(problemsOf({ respond: {} }), []);
  assert.deepEqual(problemsOf({ upstream: 'a', fallback: {} }), ['fallback']);
  assert.deepEqual(problemsOf({ upstream: 'a', fallback: { upstream: 'a' } }), ['fallback.upstream']);
  assert.deepEqual(problemsOf({ upstream: 'a', match: { path: '/{x}/{x}' } }), ['match.path']);
  assert.deepEqual(problemsOf({ upstream: 'a', match: { path: '/a/../b' } }), ['match.path']);
  assert.deepEqual(problemsOf({ upstream: 'a', match: { path: '/100%' } }), ['match.path']);
  assert.deepEqual(problemsOf({ upstream: 'a', match: { headers: { a: '1', A: '2' } } }), [
    'match.headers.A',
  ]);
  const matched = { upstream: 'a', match: { path: '/a/{id}' } };
  assert.deepEqual(problemsOf({ ...matched, rewrite: { stripPrefix: '/a' } }), []);
  assert.deepEqual(problemsOf({ ...matched, rewrite: { stripPrefix: '/b' } }), ['rewrite.stripPrefix']);
  assert.deepEqual(problemsOf({ ...matched, rewrite: { stripPrefix: '/a/b' } }), ['rewrite.stripPrefix']);
  assert.deepEqual(problemsOf({ ...matched, rewrite: { path: '/{name}' } }), ['rewrite.path']);
  assert.deepEqual(problemsOf({ ...matched, rewrite: { path: '/{id}/*' } }), ['rewrite.path']);
  assert.deepEqual(problemsOf({ ...matched, rewrite: { path: '/{id}', addPrefix: '/b' } }), ['rewrite.path']);
  assert.deepEqual(
    problemsOf({ upstream: 'a', headers: { request: { set: { Host: 'b' }, remove: ['Content-Length'] } } }),
    ['headers.request.set.Host', 'headers.request.remove.0'],
  );
  assert.deepEqual(problemsOf({ upstream: 'a', retry: { backoff: '2s' } }), ['retry.backoff']);
  const sockjs = (path: string, matched: string): readonly string[] =>
    problemsOf({ upstream: 'a', match: { path: matched }, sockjs: { path } });
  for (const matched of ['/*', '/a/*', '/a/b/*']) assert.deepEqual(sockjs('/a/b', matched), [], matched);
  for (const matched of ['/a/b', '/a/b/c/*', '/ab/*', '/{x}/*', '/a/{x}/*'])
    assert.deepEqual(sockjs('/a/b', matched), ['sockjs.path'], matched);
  assert.deepEqual(problemsOf({ respond: {}, sockjs: { path: '/a' } }), ['sockjs']);
  assert.deepEqual(problemsOf({ upstream: 'a', sockjs: { path: '/a/../b', originPath: '/%' } }), [
    'sockjs.path',
    'sockjs.originPath',
  ]);
  const jsonp = { defaultCallback: 'a(' };
  assert.deepEqual(problemsOf({ upstream: 'a', crossOrigin: { jsonp } }), [
    'crossOrigin.jsonp.defaultCallback',
  ]);
  assert.deepEqual(problemsOf({ upstream: 'a', breaker: { openFor: '1h' } }), ['breaker.openFor']);
});

test('a key that Grip-Sig cannot be signed or checked with is found, and not named', () => {
  const PEM = '-----BEGIN PUBLIC KEY-----\nbm9uZQ==\n-----END PUBLIC KEY-----';
  for (const name of ['key', 'upstreamKey'] as const) {
    for (const key of [PEM, 'base64:%%%', '(secret)']) {
      const problems = findRouteProblems({ upstream: 'a', grip: { [name]: key } });
      assert.deepEqual(
        problems.map(({ path }) => path),
        [['grip', name]],
        `${name}: ${key}`,
      );
      assert.ok(!problems[0].message.includes('bm9uZQ'), problems[0].message);
    }
    assert.deepEqual(findRouteProblems({ upstream: 'a', grip: { [name]: 'base64:c2VjcmV0' } }), []);
  }
});

test('a literal prefix may be taken away whatever segments follow', () => {
  const strip = (path: string, stripPrefix: string): readonly string[] =>
    problemsOf({ upstream: 'a', match: { path }, rewrite: { stripPrefix } });
  assert.deepEqual(strip('/a/b/*', '/a'), []);
  assert.deepEqual(strip('/a/b/*', '/a/b'), []);
  assert.deepEqual(strip('/a/b', '/a/b'), []);
  assert.deepEqual(strip('/ab/*', '/a'), ['rewrite.stripPrefix']);
  assert.deepEqual(strip('/*', '/a'), ['rewrite.stripPrefix']);
});

test('two routes for exactly the same requests overlap, however they are written', () => {
  const routes = new Map<string, RouteOptions>([
    ['a', { upstream: 'x', match: { path: '/orders/{id}', host: 'Example.com', methods: ['GET', 'PUT'] } }],
    ['b', { respond: {}, match: { path: '/orders/{order}', host: 'example.com', methods: ['PUT', 'GET'] } }],
    ['c', { upstream: 'x', match: { path: '/orders/{id}/*', host: 'example.com', methods: ['GET', 'PUT'] } }],
    ['d', { upstream: 'x', match: { path: '/orders/{id}', host: 'example.com' } }],
    ['e', { upstream: 'x', match: { path: '/%6frders/{id}', host: 'example.com' } }],
    ['f', { upstream: 'x' }],
  ]);
  assert.deepEqual(findConflicts(routes, routes.keys(), 9).overlaps, [
    ['a', 'b'],
    ['d', 'e'],
  ]);
});

test('a route is one too many where others of its host and path are tried before it', () => {
  const routes = new Map<string, RouteOptions>();
  for (let i = 0; i < 5; i++) {
    routes.set(`q${i}`, { upstream: 'x', match: { path: '/a/{id}', query: { v: `${i}` } } });
    routes.set(`p${i}`, { upstream: 'x', match: { path: `/b/${i}` } });
  }
  assert.equal(findConflicts(routes, routes.keys(), 5).crowded, null);
  assert.equal(findConflicts(routes, ['q0'], 4).crowded, 'q4');
  assert.equal(findConflicts(routes, ['p0', 'gone'], 4).crowded, null);
});

test('the upstreams that a route names are those of its requests and of its fallback', () => {
  assert.deepEqual(
    upstreamsOf({ upstream: 'a', fallback: { upstream: 'b' } }).map(({ upstream }) => upstream),
    ['a', 'b'],
  );
  assert.deepEqual(upstreamsOf({ respond: {} }), []);
});

const FULL_UPSTREAM: UpstreamOptions = {
  targets: [
    { url: 'http://10.0.0.7:3000', weight: 3 },
    { url: 'https://[2001:db8::1]' },
    { url: 'http://Origin.example:80/' },
  ],
  balance: 'hash',
  hashBy: 'header:X-Tenant',
  tls: { ca: '/etc/ca.pem', serverName: 'origin.example' },
  host: 'target',
  health: { path: '/health?deep=1', statuses: [200, '3xx'] },
  passive: {},
  slowStart: '30s',
};

test('an upstream with everything fits the schema, and is given with nothing missing', () => {
  assert.ok(isUpstream(FULL_UPSTREAM), JSON.stringify(isUpstream.errors));
  assert.ok(isUpstream(completeUpstream(FULL_UPSTREAM)), JSON.stringify(isUpstream.errors));
  assert.deepEqual(findUpstreamProblems(FULL_UPSTREAM), []);
  const upstream = upstreamOf('orders', FULL_UPSTREAM);
  assert.deepEqual(upstream.targets, [
    { scheme: 'http', hostname: '10.0.0.7', port: 3000, authority: '10.0.0.7:3000', weight: 3 },
    { scheme: 'https', hostname: '2001:db8::1', port: 443, authority: '[2001:db8::1]', weight: 1 },
    { scheme: 'http', hostname: 'origin.example', port: 80, authority: 'origin.example', weight: 1 },
  ]);
  assert.deepEqual(upstream.hashBy, { kind: 'header', name: 'x-tenant' });
  assert.deepEqual(upstream.host, { kind: 'target' });
  assert.deepEqual(
    [
      upstream.health?.intervalMs,
      upstream.passive?.ejectForMs,
      upstream.slowStartMs,
      upstream.resolveEveryMs,
    ],
    [5_000, 30_000, 30_000, 30_000],
  );
  assert.deepEqual(
    [200, 201, 302].map((status) => upstream.health?.statuses.has(status)),
    [true, false, true],
  );
  assert.deepEqual(upstream.tls, {
    ca: '/etc/ca.pem',
    certificate: null,
    key: null,
    serverName: 'origin.example',
    verify: true,
  });
});

test('what is left out of an upstream is off', () => {
  const upstream = upstreamOf('a', { targets: [{ url: 'http://a:1' }], host: 'b.example', hashBy: 'path' });
  assert.deepEqual([upstream.health, upstream.passive, upstream.slowStartMs], [null, null, 0]);
  assert.deepEqual(upstream.host, { kind: 'name', name: 'b.example' });
  assert.deepEqual(upstream.hashBy, { kind: 'path' });
  assert.deepEqual(
    [upstream.balance, upstream.protocol, upstream.addresses],
    ['round_robin', 'http1', 'any'],
  );
});

test('what a schema cannot say of an upstream is found, with where it stands', () => {
  const problems = (upstream: UpstreamOptions): readonly string[] =>
    findUpstreamProblems(upstream).map(({ path }) => path.join('.'));
  const targets = [{ url: 'http://a' }];
  assert.deepEqual(problems({ targets: [...targets, { url: 'http://A:80/' }] }), ['targets.1.url']);
  assert.deepEqual(problems({ targets: [{ url: 'http://a:99999' }] }), ['targets.0.url']);
  assert.deepEqual(problems({ targets, tls: { certificate: '/a' } }), ['tls.certificate']);
  assert.deepEqual(problems({ targets, tls: { key: '/a' } }), ['tls.key']);
  assert.deepEqual(problems({ targets, health: { path: '/', timeout: '10s' } }), ['health.timeout']);
  assert.deepEqual(problems({ targets, passive: { ejectFor: '1h' } }), ['passive.ejectFor']);
});
