import assert from 'node:assert/strict';
import type { IncomingHttpHeaders } from 'node:http';
import { test } from 'node:test';
import { openPageLab } from './page-lab.ts';

const PAGE = { origin: 'http://page.example' };
const PREFLIGHT = {
  ...PAGE,
  'access-control-request-method': 'PATCH',
  'access-control-request-headers': 'x-one, x-two',
};

const cors = (headers: IncomingHttpHeaders): Record<string, unknown> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('access-control-')));

test('every answer may be read by the page that asks, with its cookies', async (t) => {
  const { get } = await openPageLab(t, { crossOrigin: {} }, (response) =>
    response.writeHead(200, { 'Content-Type': 'text/plain', 'X-Own': '1', ETag: '"a"' }).end('hello'),
  );
  const answer = await get('/', PAGE);
  assert.equal(answer.body, 'hello');
  assert.deepEqual(cors(answer.headers), {
    'access-control-allow-methods': 'OPTIONS, HEAD, GET, POST, PUT, DELETE',
    'access-control-expose-headers': 'X-Own, ETag, Date',
    'access-control-allow-credentials': 'true',
    'access-control-allow-origin': 'http://page.example',
    'access-control-max-age': '3600',
  });
  assert.equal(answer.headers.vary, 'Origin');
  assert.equal((await get('/')).headers['access-control-allow-origin'], '*');
  assert.equal((await get('/', { origin: 'null' })).headers['access-control-allow-origin'], 'null');
});

test('what the origin says of it stays', async (t) => {
  const { get, ask } = await openPageLab(t, { crossOrigin: {} }, (response) =>
    response
      .writeHead(403, {
        'Access-Control-Allow-Origin': 'http://only.example',
        'access-control-allow-methods': 'GET',
        'Access-Control-Max-Age': '1',
      })
      .end(),
  );
  for (const answer of [await get('/', PAGE), await ask('OPTIONS', '/', PREFLIGHT)]) {
    assert.equal(answer.status, 403);
    assert.equal(answer.headers['access-control-allow-origin'], 'http://only.example');
    assert.equal(answer.headers['access-control-allow-methods'], 'GET');
    assert.equal(answer.headers['access-control-max-age'], '1');
    assert.equal(answer.headers.vary, undefined);
  }
});

test("a preflight is the origin's to answer; if it has no use for it, the gateway does", async (t) => {
  let status = 204;
  const { ask, asked } = await openPageLab(t, { crossOrigin: {} }, (response) =>
    response.writeHead(status, { 'X-From': 'origin' }).end(status === 204 ? undefined : 'no such method'),
  );
  const expected = {
    'access-control-allow-methods': 'PATCH',
    'access-control-allow-headers': 'x-one, x-two',
    'access-control-allow-credentials': 'true',
    'access-control-allow-origin': 'http://page.example',
    'access-control-max-age': '3600',
  };
  const taken = await ask('OPTIONS', '/', PREFLIGHT);
  assert.deepEqual([taken.status, taken.headers['x-from']], [204, 'origin']);
  assert.deepEqual(
    { ...cors(taken.headers), 'access-control-expose-headers': undefined },
    {
      ...expected,
      'access-control-expose-headers': undefined,
    },
  );
  for (status of [401, 404, 405, 501]) {
    const answer = await ask('OPTIONS', '/', PREFLIGHT);
    assert.deepEqual([answer.status, answer.body, answer.headers['x-from']], [204, '', undefined]);
    assert.deepEqual(cors(answer.headers), expected);
  }
  status = 500;
  assert.equal((await ask('OPTIONS', '/', PREFLIGHT)).status, 500);
  status = 405;
  // No preflight.
  assert.equal((await ask('OPTIONS', '/', PAGE)).status, 405);
  assert.equal(asked.length, 7);
});

test('errors of the gateway and held responses may be read, too', async (t) => {
  const lab = await openPageLab(t, { crossOrigin: {}, grip: {} }, (response) =>
    response
      .writeHead(200, { 'Grip-Hold': 'response', 'Grip-Channel': 'news', 'X-Held': '1' })
      .end('nothing yet'),
  );
  const held = lab.get('/', PAGE);
  await lab.subscribed('news');
  await lab.publish({ channel: 'news', formats: { 'http-response': { body: 'news' } } });
  const { body, headers } = await held;
  assert.equal(body, 'news');
  assert.equal(headers['access-control-allow-origin'], 'http://page.example');
  assert.equal(headers['access-control-expose-headers'], 'X-Held');
  lab.adopt({ app: { match: { path: '/*' }, upstream: 'gone', crossOrigin: {} } }, {});
  const failed = await lab.get('/', PAGE);
  assert.deepEqual([failed.status, JSON.parse(failed.body).code], [503, 'upstream_unavailable']);
  assert.equal(failed.headers['access-control-allow-origin'], 'http://page.example');
});

test('streams may be read, too, and routes that do not say so are not opened', async (t) => {
  const lab = await openPageLab(t, { crossOrigin: {}, grip: {} }, (response) =>
    response
      .writeHead(200, { 'Grip-Hold': 'stream', 'Grip-Channel': 'news', 'Content-Type': 'text/plain' })
      .end('one\n'),
  );
  const client = await lab.connect();
  client.send('GET / HTTP/1.1\r\nHost: a\r\nOrigin: http://page.example\r\n\r\n');
  assert.match(await client.take('one\n'), /\r\naccess-control-allow-origin: http:\/\/page\.example\r\n/i);
  lab.adopt({ app: { match: { path: '/*' }, upstream: 'gone' } }, {});
  assert.deepEqual(cors((await lab.get('/', PAGE)).headers), {});
});
