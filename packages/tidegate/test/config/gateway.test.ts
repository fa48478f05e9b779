import assert from 'node:assert/strict';
import { isAbsolute } from 'node:path';
import { test } from 'node:test';
import { configOf, problemsOf } from './check-text.ts';

/** `path: message | remedy` of each problem. */
const told = async (text: string): Promise<readonly string[]> =>
  (await problemsOf(text)).map(({ path, message, remedy }) => `${path}: ${message} | ${remedy}`);

const UPSTREAM = 'upstreams: {orders: {targets: [{url: "http://127.0.0.1:3000"}]}}\n';

test('upstreams and routes are resources of the file, upstreams first', async () => {
  const { resources } = await configOf(`${UPSTREAM}routes: {all: {upstream: orders, live: {every: 2s}}}\n`);
  assert.deepEqual(resources.slice(1), [
    { kind: 'upstream', name: 'orders', spec: { targets: [{ url: 'http://127.0.0.1:3000' }] } },
    { kind: 'route', name: 'all', spec: { upstream: 'orders', live: { every: '2s' } } },
  ]);
});

test('the files of an upstream start at the folder of the config file', async () => {
  const { resources } = await configOf(
    'upstreams: {a: {targets: [{url: "https://a"}], tls: {ca: certs/ca.pem, verify: true}}}\n',
  );
  const { tls } = resources[1].spec as { tls: { ca: string; verify: boolean } };
  assert.ok(isAbsolute(tls.ca) && tls.ca.endsWith('/certs/ca.pem'), tls.ca);
  assert.deepEqual(Object.keys(tls), ['ca', 'verify']);
});

test('a route that names an upstream that is not in the file is told which one is meant', async () => {
  assert.deepEqual(await told(`${UPSTREAM}routes: {all: {upstream: order}}\n`), [
    'routes.all.upstream: There is no upstream "order" in the file | Did you mean orders? Declare it: ' +
      'upstreams: {order: {targets: [{url: http://127.0.0.1:3000}]}}.',
  ]);
});

test('what is wrong with a route or an upstream is told at its place', async () => {
  assert.deepEqual(
    await told(`${UPSTREAM}routes: {all: {upstream: orders, match: {path: /a}, rewrite: {path: "/{id}"}}}\n`),
    ['routes.all.rewrite.path: match.path has no parameter {id} | Write one into match.path.'],
  );
  assert.deepEqual(await told('upstreams: {a: {targets: [{url: "https://a"}], tls: {key: k.pem}}}\n'), [
    'upstreams.a.tls.key: A certificate and its key belong together | Write both, or neither.',
  ]);
  assert.deepEqual(await told('routes: {a: {respond: {}}, b: {respond: {}}}\n'), [
    'routes.b: The route b matches exactly the same requests as the route a | Remove one of the two, or give one a condition more.',
  ]);
  assert.match((await told('routes: {a: {}}\n'))[0], /^routes\.a: The route leads nowhere/);
});

test('forms are explained in words, not as patterns', async () => {
  const remedyOf = async (text: string): Promise<string> => (await told(text)).join('\n');
  assert.match(await remedyOf('routes: {a: {respond: {}, timeouts: {total: 5}}}\n'), /Write text\./);
  assert.match(
    await remedyOf('routes: {a: {respond: {}, timeouts: {total: 5d}}}\n'),
    /ms, s, m or h, such as 500ms/,
  );
  assert.match(await remedyOf('routes: {a: {respond: {}, match: {path: "/a*"}}}\n'), /the star the last one/);
  assert.match(
    await remedyOf('upstreams: {a: {targets: [{url: "a:3000"}]}}\n'),
    /such as http:\/\/10\.0\.0\.7:3000/,
  );
  assert.match(
    await remedyOf('upstreams: {a: {targets: [{url: "http://a"}], health: {path: /, statuses: [2x]}}}\n'),
    /503, or 5xx/,
  );
  assert.match(await remedyOf('routes: {a b: {respond: {}}}\n'), /"a b" cannot be the name of a route/);
  assert.match(
    await remedyOf('routes: {a: {respond: {}, retrys: {}}}\n'),
    /Did you mean retry\? The keys here are match,/,
  );
});

test('there are no more than the limits say', async () => {
  const route = (name: string): string => `${name}: {respond: {}, match: {path: /a, query: {v: ${name}}}}`;
  const routes = `routes: {${['a', 'b', 'c'].map(route).join(', ')}}\n`;
  assert.deepEqual(
    (await told(`${routes}limits: {routesMax: 2}\n`)).map((line) => line.split(' | ')[0]),
    ['routes: There are 3 routes'],
  );
  assert.deepEqual(
    (await told(`${routes}limits: {routesPerPathMax: 2}\n`)).map((line) => line.split(' | ')[0]),
    ['routes.c: 2 other routes have the same host and path'],
  );
  const upstreams = 'upstreams: {a: {targets: [{url: "http://a"}]}, b: {targets: [{url: "http://b"}]}}\n';
  assert.deepEqual(
    (await told(`${upstreams}limits: {upstreamsMax: 1}\n`)).map((line) => line.split(' | ')[0]),
    ['upstreams: There are 2 upstreams'],
  );
});
