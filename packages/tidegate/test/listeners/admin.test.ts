import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { resolveLimits, silentLogger, systemClock, TidegateError } from '../../src/kernel/index.ts';
import { type AdminRoute, createAdminListener } from '../../src/listeners/index.ts';

const stream = { open: 0, over: () => {} };
const streamOver = () =>
  new Promise<void>((resolve) => {
    stream.over = resolve;
  });

const routes: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: '/hello',
    handle: ({ query }) => ({ status: 200, headers: { 'x-a': 'b' }, body: `hello ${query.get('name')}` }),
  },
  {
    method: 'PUT',
    path: '/things/{name}',
    handle: async ({ parameters, body }) => ({
      status: 201,
      headers: {},
      body: `${parameters.name}=${body.toString()}`,
    }),
  },
  { method: 'POST', path: '/things/special', handle: () => ({ status: 200, headers: {}, body: 'special' }) },
  {
    method: 'GET',
    path: '/unknown',
    handle: () => {
      throw new TidegateError('log_topic_unknown', 'No such.');
    },
  },
  {
    method: 'GET',
    path: '/stream',
    handle: ({ query }) => ({
      status: 200,
      headers: { 'content-type': 'text/plain' },
      body: {
        start(out) {
          out.write('begun\n');
          // More than any socket holds for a client that does not read.
          for (let i = 0; i < Number(query.get('mebibytes') ?? 0); i++) out.write('x'.repeat(2 ** 20));
          if (query.get('ends') !== null) out.end();
          stream.open++;
          return () => {
            stream.open--;
            stream.over();
          };
        },
      },
    }),
  },
  {
    method: 'GET',
    path: '/headers',
    handle: ({ headers, identity }) => ({
      status: 204,
      headers: { 'x-seen': `${headers['x-asked']}${identity}` },
      body: '',
    }),
  },
  { method: 'GET', path: '/broken', handle: () => Promise.reject(new Error('secret')) },
];

async function open(t: TestContext): Promise<string> {
  const listener = await createAdminListener({
    host: '127.0.0.1',
    port: 0,
    routes,
    limits: resolveLimits({ messageBytesMax: 1024 }),
    clock: systemClock,
    logger: silentLogger,
    authorize: null,
  });
  t.after(() => listener.drain(0));
  return `http://127.0.0.1:${listener.port}`;
}

test('the admin port answers what its routes handle, HEAD like GET', async (t) => {
  const url = await open(t);
  const hello = await fetch(`${url}/hello?name=you`);
  assert.equal(hello.status, 200);
  assert.equal(hello.headers.get('x-a'), 'b');
  assert.equal(await hello.text(), 'hello you');
  const head = await fetch(`${url}/hello?name=you`, { method: 'HEAD' });
  assert.equal(head.headers.get('content-length'), '9');
  const thing = await fetch(`${url}/things/a%20b`, { method: 'PUT', body: 'c' });
  assert.equal(await thing.text(), 'a b=c');
});

test('errors on the admin port are problem details as on the public one', async (t) => {
  const url = await open(t);
  const problem = async (path: string, init?: RequestInit): Promise<unknown[]> => {
    const response = await fetch(url + path, init);
    assert.equal(response.headers.get('content-type'), 'application/problem+json');
    const text = await response.text();
    assert.doesNotMatch(text, /secret/);
    return [response.status, (JSON.parse(text) as { code: string }).code];
  };
  assert.deepEqual(await problem('/nothing'), [404, 'http_not_found']);
  assert.deepEqual(await problem('/hello', { method: 'POST' }), [405, 'http_method_not_allowed']);
  assert.deepEqual(await problem('/unknown'), [404, 'log_topic_unknown']);
  assert.deepEqual(await problem('/broken'), [500, 'internal']);
  assert.deepEqual(await problem('/things/x', { method: 'PUT', body: 'x'.repeat(2000) }), [
    413,
    'body_too_large',
  ]);
  const { headers } = await fetch(`${url}/hello`, { method: 'DELETE' });
  assert.equal(headers.get('allow'), 'GET');
});

test('pages of other origins cannot use the admin port', async (t) => {
  const url = await open(t);
  const statusOf = async (origin: string): Promise<number> =>
    (await fetch(`${url}/hello`, { headers: { origin } })).status;
  assert.equal(await statusOf('https://evil.example'), 403);
  assert.equal(await statusOf('null'), 403);
  assert.equal(await statusOf(url), 200);
});

test('a route sees the headers; an answer without content has no length (RFC 9110, 8.6)', async (t) => {
  const url = await open(t);
  const response = await fetch(`${url}/headers`, { headers: { 'X-Asked': 'yes' } });
  assert.equal(response.status, 204);
  assert.equal(response.headers.get('x-seen'), 'yes');
  assert.equal(response.headers.get('content-length'), null);
});

test('an answer can go on until the route ends it, the client leaves or the listener drains', async (t) => {
  const url = await open(t);
  assert.equal(await (await fetch(`${url}/stream?ends`)).text(), 'begun\n');
  const left = streamOver();
  const abort = new AbortController();
  const response = await fetch(`${url}/stream`, { signal: abort.signal });
  const { value } = await response.body!.getReader().read();
  assert.equal(new TextDecoder().decode(value), 'begun\n');
  assert.equal(stream.open, 1);
  abort.abort();
  await left;
  assert.equal(stream.open, 0);
  const head = await fetch(`${url}/stream`, { method: 'HEAD' });
  assert.equal(await head.text(), '');
  assert.equal(stream.open, 0);
});

test('a client that does not read a stream is cut off', async (t) => {
  const url = await open(t);
  const over = streamOver();
  const response = await fetch(`${url}/stream?mebibytes=64`);
  await over;
  assert.equal(stream.open, 0);
  await assert.rejects(response.text());
});

test('a path that is there as it is counts before one with a variable segment', async (t) => {
  const url = await open(t);
  assert.equal(await (await fetch(`${url}/things/special`, { method: 'POST' })).text(), 'special');
  const response = await fetch(`${url}/things/special`, { method: 'PUT', body: 'x' });
  assert.deepEqual([response.status, response.headers.get('allow')], [405, 'POST']);
});
