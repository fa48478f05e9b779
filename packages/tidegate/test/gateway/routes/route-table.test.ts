import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { RouteOptions } from '../../../src/gateway/routes/options.ts';
import type { Route } from '../../../src/gateway/routes/route.ts';
import { RouteTable } from '../../../src/gateway/routes/route-table.ts';
import { type RequestOptions, requestFor, routeFor } from './fixture.ts';

const tableOf = (matches: Readonly<Record<string, RouteOptions['match']>>): RouteTable =>
  RouteTable.of(Object.entries(matches).map(([name, match]) => routeFor(name, match)));

const nameOf = (table: RouteTable, host: string, target: string, options?: RequestOptions): string | null =>
  table.match(requestFor(host, target, options))?.route.name ?? null;

test('the exact host comes before wildcards, the longest wildcard first, and any host last', () => {
  const table = tableOf({
    any: {},
    com: { host: '*.com' },
    example: { host: '*.example.com' },
    api: { host: 'api.example.com' },
  });
  assert.equal(nameOf(table, 'api.example.com', '/'), 'api');
  assert.equal(nameOf(table, 'API.Example.COM:8080', '/'), 'api');
  assert.equal(nameOf(table, 'api.example.com.', '/'), 'api');
  assert.equal(nameOf(table, 'a.b.example.com', '/'), 'example');
  assert.equal(nameOf(table, 'example.com', '/'), 'com');
  assert.equal(nameOf(table, 'com', '/'), 'any');
  assert.equal(nameOf(table, 'badexample.org', '/'), 'any');
  assert.equal(nameOf(table, '[::1]:80', '/'), 'any');
});

test('a host none of whose routes matches leads on to wildcards and to any host', () => {
  const table = tableOf({
    own: { host: 'api.example.com', path: '/own' },
    below: { host: '*.example.com', path: '/below/*' },
    any: { path: '/any' },
  });
  assert.equal(nameOf(table, 'api.example.com', '/own'), 'own');
  assert.equal(nameOf(table, 'api.example.com', '/below/x'), 'below');
  assert.equal(nameOf(table, 'api.example.com', '/any'), 'any');
  assert.equal(nameOf(table, 'api.example.com', '/none'), null);
});

test('IPv6 literals are hosts like others', () => {
  const table = tableOf({ v6: { host: '[::1]' } });
  assert.equal(nameOf(table, '[::1]:8080', '/'), 'v6');
  assert.equal(nameOf(table, '[::1]', '/'), 'v6');
  assert.equal(nameOf(table, '[::2]', '/'), null);
});

test('an exact path comes before parameters, and these before the longest prefix', () => {
  const table = tableOf({
    exact: { path: '/orders/new' },
    parameter: { path: '/orders/{id}' },
    items: { path: '/orders/{id}/items' },
    below: { path: '/orders/*' },
    deeper: { path: '/orders/{id}/items/*' },
    all: {},
  });
  assert.equal(nameOf(table, 'h', '/orders/new'), 'exact');
  assert.equal(nameOf(table, 'h', '/orders/42'), 'parameter');
  assert.equal(nameOf(table, 'h', '/orders/42/items'), 'items');
  assert.equal(nameOf(table, 'h', '/orders/42/items/7'), 'deeper');
  assert.equal(nameOf(table, 'h', '/orders/42/other'), 'below');
  assert.equal(nameOf(table, 'h', '/orders'), 'below');
  assert.equal(nameOf(table, 'h', '/orders/'), 'below');
  assert.equal(nameOf(table, 'h', '/ordersx'), 'all');
  assert.equal(nameOf(table, 'h', '/'), 'all');
});

test('of two paths with parameters the one whose first difference is literal comes first', () => {
  const table = tableOf({
    left: { path: '/a/{x}/{y}' },
    right: { path: '/{x}/b/c' },
    middle: { path: '/a/{x}/c' },
  });
  assert.equal(nameOf(table, 'h', '/a/b/c'), 'middle');
  assert.equal(nameOf(table, 'h', '/a/b/d'), 'left');
  assert.equal(nameOf(table, 'h', '/z/b/c'), 'right');
  assert.equal(nameOf(table, 'h', '/z/b/d'), null);
});

test('a literal segment that leads nowhere leads back to the parameter', () => {
  const table = tableOf({ a: { path: '/a/b/c' }, b: { path: '/{x}/b/d' }, prefix: { path: '/a/*' } });
  assert.equal(nameOf(table, 'h', '/a/b/d'), 'b');
  assert.equal(nameOf(table, 'h', '/a/b/e'), 'prefix');
});

test('a route whose conditions fail makes room for a shorter prefix', () => {
  const table = tableOf({
    write: { path: '/a/b', methods: ['POST'] },
    near: { path: '/a/b/*', methods: ['PUT'] },
    far: { path: '/a/*' },
  });
  assert.equal(nameOf(table, 'h', '/a/b', { method: 'POST' }), 'write');
  assert.equal(nameOf(table, 'h', '/a/b', { method: 'PUT' }), 'near');
  assert.equal(nameOf(table, 'h', '/a/b'), 'far');
});

test('a parameter stands for one segment that is not empty, and is given encoded', () => {
  const table = tableOf({ item: { path: '/orders/{id}/items/{item}/*' } });
  const hit = table.match(requestFor('h', '/orders/a%2fb/items/caf%c3%a9/x/y'));
  assert.deepEqual({ ...hit?.parameters }, { id: 'a%2Fb', item: 'caf%C3%A9' });
  assert.equal(hit?.path, '/orders/a%2Fb/items/caf%C3%A9/x/y');
  assert.equal(nameOf(table, 'h', '/orders//items/1'), null);
});

test('names of parameters may be those of the members of objects', () => {
  const table = tableOf({ odd: { path: '/{constructor}/{__proto__}' } });
  const { parameters } = table.match(requestFor('h', '/a/b')) ?? {};
  assert.deepEqual(Object.entries(parameters ?? {}), [
    ['constructor', 'a'],
    ['__proto__', 'b'],
  ]);
});

test('the path is matched in its normal form, so that no spelling leads around a route', () => {
  const table = tableOf({ admin: { path: '/admin/*' }, all: {} });
  for (const path of ['/admin/x', '/%61dmin/x', '/a/../admin/x', '/./admin/', '/x/%2E%2e/admin'])
    assert.equal(nameOf(table, 'h', path), 'admin', path);
  assert.equal(nameOf(table, 'h', '/admin%2Fx'), 'all');
  assert.equal(nameOf(table, 'h', '//admin'), 'all');
  assert.throws(() => table.match(requestFor('h', '/admin%')), { code: 'http_malformed' });
  assert.equal(nameOf(table, 'h', '*'), null);
});

test('of routes with the same path the one with the most specific conditions comes first', () => {
  const table = tableOf({
    plain: { path: '/a' },
    secure: { path: '/a', scheme: 'https' },
    query: { path: '/a', query: { v: '2' } },
    header: { path: '/a', headers: { 'X-Version': '2' } },
    anyHeader: { path: '/a', headers: { 'x-version': '*' } },
    two: { path: '/a', headers: { 'x-version': '2', accept: '*' } },
    methods: { path: '/a', methods: ['POST', 'PUT'] },
    post: { path: '/a', methods: ['POST'] },
    socket: { path: '/a', upgrade: 'websocket' },
  });
  assert.equal(nameOf(table, 'h', '/a'), 'plain');
  assert.equal(nameOf(table, 'h', '/a', { scheme: 'https' }), 'secure');
  assert.equal(nameOf(table, 'h', '/a?v=2', { scheme: 'https' }), 'query');
  assert.equal(nameOf(table, 'h', '/a?v=3'), 'plain');
  assert.equal(nameOf(table, 'h', '/a?v=2', { headers: { 'x-version': '2' } }), 'header');
  assert.equal(nameOf(table, 'h', '/a', { headers: { 'x-version': '3' } }), 'anyHeader');
  assert.equal(nameOf(table, 'h', '/a', { headers: { 'x-version': '2', accept: 'x' } }), 'two');
  assert.equal(nameOf(table, 'h', '/a', { method: 'PUT' }), 'methods');
  assert.equal(nameOf(table, 'h', '/a', { method: 'POST', headers: { 'x-version': '2' } }), 'post');
  assert.equal(nameOf(table, 'h', '/a', { upgrade: 'websocket', method: 'POST' }), 'socket');
});

test('a route for what is no WebSocket takes no handshake', () => {
  const table = tableOf({ plain: { upgrade: 'none' } });
  assert.equal(nameOf(table, 'h', '/'), 'plain');
  assert.equal(nameOf(table, 'h', '/', { upgrade: 'websocket' }), null);
});

test('of routes that nothing else tells apart the first name wins, whatever the order they came in', () => {
  const routes = ['c', 'a', 'b'].map((name) => routeFor(name, { path: '/same' }));
  for (const order of [routes, [...routes].reverse()])
    assert.equal(nameOf(RouteTable.of(order), 'h', '/same'), 'a');
});

test('changing one route leaves the table before as it was, and all other routes', () => {
  const routes: Route[] = [];
  for (let i = 0; i < 500; i++) {
    routes.push(routeFor(`path${i}`, { path: `/api/r${i}/*` }));
    routes.push(routeFor(`host${i}`, { host: `h${i}.example.com`, path: '/x/{id}' }));
  }
  const before = RouteTable.of(routes);
  const after = before.withRoute('path7', routeFor('path7', { path: '/moved' }));
  assert.equal(nameOf(before, 'h', '/api/r7/x'), 'path7');
  assert.equal(nameOf(before, 'h', '/moved'), null);
  assert.equal(nameOf(after, 'h', '/api/r7/x'), null);
  assert.equal(nameOf(after, 'h', '/moved'), 'path7');
  assert.equal(nameOf(after, 'h', '/api/r8/x'), 'path8');
  assert.equal(after.match(requestFor('h9.example.com', '/x/1'))?.route, before.get('host9'));
  assert.equal(after.size, 1000);
  assert.equal([...after.routes()].length, 1000);
});

test('what changes nothing gives the same table', () => {
  const route = routeFor('a', { path: '/a' });
  const table = RouteTable.of([route]);
  assert.equal(table.withRoute('a', route), table);
  assert.equal(table.withRoute('b', null), table);
});

const SEGMENTS = ['a', 'b', '{x}'];

const matchArbitrary = fc.record(
  {
    host: fc.constantFrom('h.x', '*.x', '*.h.x'),
    path: fc
      .tuple(fc.array(fc.constantFrom(...SEGMENTS), { maxLength: 3 }), fc.constantFrom('', '/*'))
      .map(([segments, star]) => {
        const path =
          segments.map((segment, index) => `/${segment.replace('x', `x${index}`)}`).join('') + star;
        return path === '' ? '/' : path;
      }),
    methods: fc.constantFrom(['GET'], ['POST'], ['GET', 'POST']),
    headers: fc.constantFrom({ v: '1' }, { v: '*' }),
  },
  { requiredKeys: ['path'] },
);

/** Whether a route matches at all, without trie or order. */
function isFor({ match }: Route, host: string, path: string, method: string, v: string | undefined): boolean {
  const hostFits =
    match.host.kind === 'any' ||
    (match.host.kind === 'exact' ? host === match.host.name : host.endsWith(`.${match.host.name}`));
  const segments = match.path.segments.map((segment) => segment ?? '[^/]+').map((segment) => `/${segment}`);
  const pattern = new RegExp(`^${segments.join('')}${match.path.reach === 'below' ? '(?:/.*)?' : ''}$`);
  const [condition] = match.headers;
  const headersFit = condition === undefined || (v !== undefined && [null, v].includes(condition.value));
  return hostFits && pattern.test(path) && (match.methods?.has(method) ?? true) && headersFit;
}

test('a table finds a route just if one matches, and is the same however it came about', () => {
  const lookup = fc.record({
    host: fc.constantFrom('h.x', 'g.h.x', 'y'),
    path: fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 4 }).map((parts) => `/${parts.join('/')}`),
    method: fc.constantFrom('GET', 'POST'),
    v: fc.constantFrom(undefined, '1', '2'),
  });
  fc.assert(
    fc.property(
      fc.array(matchArbitrary, { maxLength: 12 }),
      fc.array(lookup, { minLength: 1, maxLength: 8 }),
      fc.array(fc.nat(11), { maxLength: 6 }),
      (matches, lookups, removed) => {
        const routes = matches.map((match, index) => routeFor(`r${index}`, match as RouteOptions['match']));
        let table = RouteTable.of(routes);
        for (const index of removed) table = table.withRoute(`r${index}`, null);
        const left = routes.filter((_route, index) => !removed.includes(index));
        const anew = RouteTable.of([...left].reverse());
        for (const { host, path, method, v } of lookups) {
          const request = requestFor(host, path, { method, headers: v === undefined ? {} : { v } });
          const found = table.match(request)?.route;
          assert.equal(found, anew.match(request)?.route);
          const candidates = left.filter((route) => isFor(route, host, path, method, v));
          assert.equal(found === undefined, candidates.length === 0, path);
          if (found !== undefined) assert.ok(candidates.includes(found));
        }
      },
    ),
  );
});
