import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { openPageLab } from './page-lab.ts';

interface Envelope {
  readonly code: number;
  readonly reason: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What a function of a page is called with by a script, which is run as a page would run it. */
function called(script: string, name = 'cb'): unknown {
  const calls: unknown[][] = [];
  runInNewContext(script, { [name]: (...values: unknown[]) => void calls.push(values) });
  assert.equal(calls.length, 1);
  // Out of the context, whose objects have other prototypes.
  return JSON.parse(JSON.stringify(calls[0][0] ?? null));
}

test('extended: the callback gets the status, the fields and the body, in the form that Pushpin gives them', async (t) => {
  const { get, asked } = await openPageLab(t, { crossOrigin: { jsonp: {} } }, (response) => {
    response.writeHead(404, 'Not There', {
      'Content-Type': 'text/plain',
      'Cache-Control': 'no-store',
      'Set-Cookie': 'secret=1',
      'X-Own': ['a', 'b'],
    });
    response.end('say "hi"\n\u2028\u{1f600}</script>');
  });
  const answer = await get('/path?a=1&callback=cb&b=2', { accept: 'text/html', 'x-mine': '1' });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['content-type'], 'application/javascript; charset=UTF-8');
  assert.equal(answer.headers['x-content-type-options'], 'nosniff');
  assert.equal(answer.headers['cache-control'], 'no-store');
  assert.deepEqual(answer.headers['set-cookie'], ['secret=1']);
  assert.match(
    answer.body,
    /^\/\*\*\/cb\(\{"code": 404, "reason": "Not There", "headers": \{.*\}, "body": ".*"\}\);\n$/,
  );
  assert.doesNotMatch(answer.body, /\u2028/);
  const { code, reason, headers, body } = called(answer.body) as Envelope;
  assert.deepEqual([code, reason, body], [404, 'Not There', 'say "hi"\n\u2028\u{1f600}</script>']);
  assert.equal(headers['X-Own'], 'a');
  assert.equal(headers['Content-Type'], 'text/plain');
  assert.equal(
    Object.keys(headers).some((name) => /set-cookie/i.test(name)),
    false,
  );
  assert.deepEqual([asked[0].method, asked[0].url], ['GET', '/path?a=1&b=2']);
  assert.equal(asked[0].headers.accept, '*/*');
  assert.equal(asked[0].headers['x-mine'], '1');
});

test('the query says what is really asked: method, fields and body', async (t) => {
  const { get, asked } = await openPageLab(t, { crossOrigin: { jsonp: {} } }, (response) =>
    response.end('ok'),
  );
  const headers = {
    'Content-Type': 'text/x',
    'X-Own': 'a',
    Host: 'evil',
    Cookie: 'b=c',
    Origin: 'x',
    'X-Forwarded-For': '9.9.9.9',
    'Content-Length': '99',
  };
  const query = new URLSearchParams({
    callback: 'cb',
    _method: 'PUT',
    _headers: JSON.stringify(headers),
    _body: 'b\u00f6dy',
  });
  const answer = await get(`/?${query}`, { cookie: 'own=1' });
  assert.equal((called(answer.body) as Envelope).body, 'ok');
  const [{ method, url, headers: got, body }] = asked;
  assert.deepEqual([method, url, body], ['PUT', '/', 'b\u00f6dy']);
  assert.deepEqual(
    [got['content-type'], got['x-own'], got.cookie, got.origin],
    ['text/x', 'a', 'own=1', undefined],
  );
  assert.equal(got['content-length'], '5');
  assert.equal(got['x-forwarded-for'], '127.0.0.1');
  assert.notEqual(got.host, 'evil');
});

test('basic: the callback gets the body alone, if it is JSON; all else is a text and never a script', async (t) => {
  let content = '{"a":[1,"\u2029"]}\n';
  const { get, asked } = await openPageLab(t, { crossOrigin: { jsonp: { mode: 'basic' } } }, (response) =>
    response.end(content),
  );
  const answer = await get('/?callback=cb');
  assert.equal(answer.body, '/**/cb({"a":[1,"\\u2029"]});\n');
  assert.equal(asked[0].method, 'POST');
  for (content of ['alert(1)', '1);alert(2', 'plain']) {
    assert.equal(called((await get('/?callback=cb')).body), content);
  }
  content = '';
  assert.equal((await get('/?callback=cb')).body, '/**/cb();\n');
});

test("other names of parameters, and a callback of the route's own", async (t) => {
  const jsonp = {
    mode: 'basic',
    callback: 'jsoncallback',
    body: 'q',
    defaultCallback: 'app.done',
    defaultMethod: 'PUT',
  } as const;
  const { get, asked } = await openPageLab(t, { crossOrigin: { jsonp } }, (response) => response.end('1'));
  assert.equal((await get('/?q=%7B%7D')).body, '/**/app.done(1);\n');
  assert.deepEqual(
    [asked[0].method, asked[0].body, asked[0].headers['content-type']],
    ['PUT', '{}', 'application/json'],
  );
  assert.equal((await get('/?jsoncallback=x')).body, '/**/x(1);\n');
  assert.deepEqual([asked[1].url, asked[1].body], ['/', '']);
  // Without either it is what it looks like.
  const plain = await get('/?callback=x&_body=y');
  assert.deepEqual([plain.body, asked[2].url], ['1', '/?callback=x&_body=y']);
});

test('what is no name of a function, no method and no fields is refused as plain JSON, and not as a script', async (t) => {
  const { get, ask, asked } = await openPageLab(t, { crossOrigin: { jsonp: {} } }, (response) =>
    response.end('ok'),
  );
  const bad = [
    'callback=alert(1)//',
    'callback=',
    'callback=a;b',
    'callback=%3Cscript%3E',
    `callback=${'a'.repeat(129)}`,
    'callback=a..b',
    'callback=cb&_method=',
    'callback=cb&_method=A%20B',
    'callback=cb&_method=TRACE',
    'callback=cb&_headers=1',
    'callback=cb&_headers=%7B',
    'callback=cb&_headers=%7B%22a%22:1%7D',
    'callback=cb&_headers=%7B%22a%20b%22:%22%22%7D',
    'callback=cb&_headers=%7B%22a%22:%22%5Cr%5Cnx:y%22%7D',
  ];
  for (const query of bad) {
    const answer = await get(`/?${query}`, { origin: 'http://page.example' });
    assert.equal(answer.status, 400, query);
    assert.equal(answer.headers['content-type'], 'application/problem+json');
    assert.equal(JSON.parse(answer.body).code, 'http_query_invalid');
    assert.equal(answer.headers['access-control-allow-origin'], 'http://page.example');
  }
  assert.equal(asked.length, 0);
  for (const name of ['jQuery123_456', 'angular.callbacks._0', '$.x', 'done[3]'])
    assert.ok((await get(`/?callback=${name}`)).body.startsWith(`/**/${name}(`), name);
  const posted = await ask('POST', '/?callback=cb');
  assert.equal(posted.body, 'ok');
});

test('a script can ask nothing that the route is not for', async (t) => {
  const match = { path: '/*', methods: ['GET', 'PUT'] };
  const { get, asked } = await openPageLab(t, { match, crossOrigin: { jsonp: {} } }, (response) =>
    response.end('ok'),
  );
  assert.equal((await get('/?callback=cb&_method=DELETE')).status, 400);
  assert.equal((await get('/?callback=cb&_method=PUT')).status, 200);
  assert.deepEqual(
    asked.map(({ method }) => method),
    ['PUT'],
  );
});

test('errors of the gateway call the callback, too', async (t) => {
  const lab = await openPageLab(t, {}, () => {});
  lab.adopt({ app: { match: { path: '/*' }, upstream: 'gone', crossOrigin: { jsonp: {} } } }, {});
  const { code, headers, body } = called((await lab.get('/?callback=cb')).body) as Envelope;
  assert.deepEqual([code, JSON.parse(body).code], [503, 'upstream_unavailable']);
  assert.equal(headers['content-type'], 'application/problem+json');
});

test('a held response calls the callback once something is published, or time is over', async (t) => {
  const lab = await openPageLab(t, { crossOrigin: { jsonp: {} }, grip: {} }, (response) =>
    response
      .writeHead(200, { 'Grip-Hold': 'response', 'Grip-Channel': 'news', 'Content-Type': 'text/plain' })
      .end('nothing yet'),
  );
  const held = lab.get('/?callback=cb');
  await lab.subscribed('news');
  const message = { code: 201, headers: { 'X-New': '1' }, body: 'n\u00ebws' };
  await lab.publish({ channel: 'news', formats: { 'http-response': message } });
  const { code, reason, headers, body } = called((await held).body) as Envelope;
  assert.deepEqual([code, reason, body, headers['X-New']], [201, 'Created', 'n\u00ebws', '1']);
  const late = lab.get('/?callback=cb');
  await lab.subscribed('news');
  lab.clock.advance(56_000);
  assert.equal((called((await late).body) as Envelope).body, 'nothing yet');
});

test('a stream fills the body of one call, whose characters may come in pieces', async (t) => {
  const lab = await openPageLab(t, { crossOrigin: { jsonp: {} }, grip: {} }, (response) =>
    response
      .writeHead(200, { 'Grip-Hold': 'stream', 'Grip-Channel': 'news', 'Content-Type': 'text/plain' })
      .end('first\n'),
  );
  const client = await lab.connect();
  client.send('GET /?callback=cb HTTP/1.1\r\nHost: a\r\n\r\n');
  assert.match(await client.take('first\\n'), /\r\ntransfer-encoding: chunked\r\n/i);
  await lab.subscribed('news');
  const euro = Buffer.from('\u20ac');
  for (const part of [euro.subarray(0, 1), euro.subarray(1)])
    await lab.publish({
      channel: 'news',
      formats: { 'http-stream': { 'content-bin': part.toString('base64') } },
    });
  await client.take(euro.toString('latin1'));
  await lab.publish({ channel: 'news', formats: { 'http-stream': { action: 'close' } } });
  assert.ok((await client.take('0\r\n\r\n')).includes('"});\n'));
});

test('what is encoded is not asked for, and does not become a script', async (t) => {
  const { get, asked } = await openPageLab(t, { crossOrigin: { jsonp: {} } }, (response) =>
    response.writeHead(200, { 'Content-Encoding': 'gzip' }).end('???'),
  );
  const { code, body } = called((await get('/?callback=cb', { 'accept-encoding': 'gzip' })).body) as Envelope;
  assert.deepEqual([code, JSON.parse(body).code], [502, 'upstream_malformed']);
  assert.equal(asked[0].headers['accept-encoding'], undefined);
});

test('a body for a basic callback has the bytes of limits.jsonpBodyBytesMax at most', async (t) => {
  let content = `"${'x'.repeat(1022)}"`;
  const lab = await openPageLab(
    t,
    { crossOrigin: { jsonp: { mode: 'basic' } } },
    (response) => response.end(content),
    { jsonpBodyBytesMax: 1024 },
  );
  assert.equal((await lab.get('/?callback=cb')).body, `/**/cb(${content});\n`);
  content = `"${'x'.repeat(1023)}"`;
  await assert.rejects(lab.get('/?callback=cb'), /aborted/);
});
