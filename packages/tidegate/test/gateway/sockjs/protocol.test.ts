import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../listeners/lab.ts';
import { type Answer, NOT_CACHED, openSockJsLab, type SockJsLab } from './sockjs-lab.ts';

/*
 * What the test suite of the SockJS protocol 0.3.3 asks of servers, by its own headings. Where that suite has several services, here the origin does
 * what they do.
 */

function isOpenToPages({ headers }: Answer, origin = '*'): void {
  assert.equal(headers['access-control-allow-origin'], origin);
  assert.equal(headers['access-control-allow-credentials'], 'true');
}

function isNotCached({ headers }: Answer): void {
  assert.equal(headers['cache-control'], NOT_CACHED);
  assert.equal(headers.expires, undefined);
  assert.equal(headers['last-modified'], undefined);
}

async function answersOptions({ ask }: SockJsLab, path: string, methods: string): Promise<void> {
  for (const [origin, allowed] of [
    [null, '*'],
    ['http://test', 'http://test'],
    ['null', '*'],
  ] as const) {
    const answer = await ask('OPTIONS', path, '', origin === null ? {} : { origin });
    assert.equal(answer.status, 204);
    assert.match(answer.headers['cache-control'] ?? '', /public.*max-age=31536000/);
    assert.ok(Date.parse(answer.headers.expires ?? '') > 0);
    assert.ok(Number(answer.headers['access-control-max-age']) > 1_000_000);
    assert.equal(answer.headers['access-control-allow-methods'], methods);
    assert.equal(answer.body, '');
    isOpenToPages(answer, allowed);
  }
}

test('BaseUrlGreeting: the address itself greets, and what is no part of the protocol is not there', async (t) => {
  const { get } = await openSockJsLab(t);
  for (const path of ['/echo', '/echo/']) {
    const answer = await get(path);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['content-type'], 'text/plain; charset=UTF-8');
    assert.equal(answer.body, 'Welcome to SockJS!\n');
    assert.equal(answer.headers['set-cookie'], undefined);
  }
  for (const path of ['/a', '/a.html', '//', '///', '/a/a', '/a/a/', '/a/'])
    assert.equal((await get(`/echo${path}`)).status, 404, path);
});

test('IframePage: the page is the same under all of its names, and is kept for a year', async (t) => {
  const { get } = await openSockJsLab(t, {
    route: { sockjs: { path: '/echo', clientUrl: '/static/sockjs.js' } },
  });
  const first = await get('/echo/iframe.html');
  for (const name of [
    'iframe.html',
    'iframe-a.html',
    'iframe-.html',
    'iframe-0.1.2abc-dirty.2144.html?t=1',
  ]) {
    const answer = await get(`/echo/${name}`);
    assert.equal(answer.status, 200, name);
    assert.equal(answer.headers['content-type'], 'text/html; charset=UTF-8');
    assert.match(answer.headers['cache-control'] ?? '', /public.*max-age=31536000/);
    assert.ok(answer.headers.expires);
    assert.equal(answer.headers['last-modified'], undefined);
    assert.equal(answer.headers.etag, first.headers.etag);
    assert.equal(answer.body, first.body);
  }
  assert.ok(first.headers.etag);
  assert.match(
    first.body,
    /^<!DOCTYPE html>\n<html>\n<head>\n {2}<meta http-equiv="X-UA-Compatible" content="IE=edge" \/>\n/,
  );
  assert.match(
    first.body,
    / {2}<script>\n {4}document\.domain = document\.domain;\n {4}_sockjs_onload = function\(\)\{SockJS\.bootstrap_iframe\(\);\};\n {2}<\/script>\n {2}<script src="\/static\/sockjs\.js"><\/script>\n/,
  );
  const again = await get('/echo/iframe.html', { 'if-none-match': String(first.headers.etag) });
  assert.deepEqual([again.status, again.body, again.headers['content-type']], [304, '', undefined]);
  for (const name of [
    'iframe.htm',
    'iframe',
    'IFRAME.HTML',
    'IFRAME',
    'iframe.HTML',
    'iframe.xml',
    'iframe-/.html',
  ])
    assert.equal((await get(`/echo/${name}`)).status, 404, name);
});

test('InfoTest: the client learns what the server can do, and a number that differs each time', async (t) => {
  const lab = await openSockJsLab(t);
  const answers = [await lab.get('/echo/info'), await lab.get('/echo/info', { origin: 'http://a.example' })];
  for (const answer of answers) {
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['content-type'], 'application/json; charset=UTF-8');
    isNotCached(answer);
  }
  isOpenToPages(answers[0]);
  isOpenToPages(answers[1], 'http://a.example');
  const [one, other] = answers.map(({ body }) => JSON.parse(body));
  assert.deepEqual(
    { ...one, entropy: 0 },
    { websocket: true, origins: ['*:*'], cookie_needed: false, entropy: 0 },
  );
  assert.ok(Number.isInteger(one.entropy) && one.entropy >= 0 && one.entropy < 2 ** 32);
  assert.notEqual(one.entropy, other.entropy);
  await answersOptions(lab, '/echo/info', 'OPTIONS, GET');
  assert.equal((await lab.post('/echo/info')).status, 405);
});

test('InfoTest: a route that takes no WebSockets says so, and has all the rest', async (t) => {
  const { get, post } = await openSockJsLab(t, { route: { match: { path: '/*', upgrade: 'none' } } });
  assert.equal(JSON.parse((await get('/echo/info')).body).websocket, false);
  assert.equal((await post('/echo/0/a/xhr')).body, 'o\n');
});

test('SessionURLs: any name of a session is good that is neither empty nor has a dot, and the server does not count', async (t) => {
  const { post, get } = await openSockJsLab(t);
  for (const part of ['/a/a', '/_/_', '/1/1', '/abcdefgh_i-j%20/abcdefg_i-j%20']) {
    const answer = await post(`/echo${part}/xhr`);
    assert.deepEqual([answer.status, answer.body], [200, 'o\n']);
  }
  for (const part of ['//', '/a./a', '/a/a.', '/', '///']) {
    assert.equal((await get(`/echo${part}/xhr`)).status, 404, part);
    assert.equal((await post(`/echo${part}/xhr`)).status, 404, part);
  }
  assert.equal((await post('/echo/000/one/xhr')).body, 'o\n');
  assert.equal((await post('/echo/000/one/xhr_send', '["a"]')).status, 204);
  assert.equal((await post('/echo/999/one/xhr')).body, 'a["a"]\n');
});

test('Protocol: a session opens, echoes, has one receiver at a time, and is closed by the origin for good', async (t) => {
  const { post, open } = await openSockJsLab(t);
  const url = '/echo/000/simple';
  assert.equal((await post(`${url}/xhr`)).body, 'o\n');
  const sent = await post(`${url}/xhr_send`, '["a"]');
  assert.deepEqual([sent.status, sent.body], [204, '']);
  assert.equal((await post(`${url}/xhr`)).body, 'a["a"]\n');
  assert.equal((await post('/echo/000/bad_session/xhr_send', '["a"]')).status, 404);
  const waiting = await open('POST', `${url}/xhr_streaming`);
  await waiting.take(2049);
  const second = await post(`${url}/xhr`);
  assert.deepEqual([second.status, second.body], [200, 'c[2010,"Another connection still open"]\n']);
  await post(`${url}/xhr_send`, '["bye"]');
  assert.equal(await waiting.rest(), 'c[3000,"Go away!"]\n');
  for (let time = 0; time < 2; time++) {
    const answer = await post(`${url}/xhr`);
    assert.deepEqual([answer.status, answer.body], [200, 'c[3000,"Go away!"]\n']);
  }
});

test('XhrPolling: types, caches and pages', async (t) => {
  const lab = await openSockJsLab(t);
  const { post } = lab;
  for (const suffix of ['xhr', 'xhr_send'])
    await answersOptions(lab, `/echo/abc/abc/${suffix}`, 'OPTIONS, POST');
  const opened = await post('/echo/000/types/xhr');
  assert.equal(opened.headers['content-type'], 'application/javascript; charset=UTF-8');
  const sent = await post('/echo/000/types/xhr_send', '["x"]');
  assert.equal(sent.headers['content-type'], 'text/plain; charset=UTF-8');
  for (const answer of [opened, sent]) {
    isOpenToPages(answer);
    isNotCached(answer);
  }
  assert.equal((await post('/echo/000/types/xhr')).body, 'a["x"]\n');
  for (const [fields, allowed] of [
    [{ 'access-control-request-headers': 'a, b, c' }, 'a, b, c'],
    [{ 'access-control-request-headers': '' }, undefined],
    [{}, undefined],
  ] as const) {
    const answer = await post('/echo/000/other/xhr', '', fields);
    assert.equal(answer.headers['access-control-allow-headers'], allowed);
    isOpenToPages(answer);
    await post('/echo/000/other/xhr_send', '["x"]');
  }
});

test('what no browser says of itself is not said back', async (t) => {
  const { connect } = await openSockJsLab(t);
  const client = await connect();
  const odd = 'Origin: http://\xe9\r\nAccess-Control-Request-Headers: \xe9\r\n';
  client.send(`POST /echo/0/a/xhr HTTP/1.1\r\nHost: a\r\n${odd}Content-Length: 0\r\n\r\n`);
  const head = await client.take('o\n');
  assert.match(head, /\r\naccess-control-allow-origin: \*\r\n/i);
  assert.doesNotMatch(head, /\xe9/);
});

test('a request for the head alone begins no session', async (t) => {
  const { ask, sockets } = await openSockJsLab(t);
  for (const [path, status] of [
    ['/echo', 200],
    ['/echo/info', 200],
    ['/echo/0/a/eventsource', 405],
    ['/echo/0/a/xhr', 405],
  ] as const)
    assert.equal((await ask('HEAD', path)).status, status, path);
  assert.equal(sockets.length, 0);
});

test('XhrPolling: what is no list of texts is refused, and the session goes on', async (t) => {
  const { post } = await openSockJsLab(t);
  await post('/echo/000/broken/xhr');
  for (const [body, complaint] of [
    ['["x', 'Broken JSON encoding.'],
    ['', 'Payload expected.'],
    ['{"a":1}', 'Payload expected.'],
    ['["a",1]', 'Payload expected.'],
  ]) {
    const answer = await post('/echo/000/broken/xhr_send', body);
    assert.deepEqual([answer.status, answer.body], [500, complaint]);
  }
  const types = ['text/plain', 'T', 'application/json', 'application/xml', '', 'text/xml; charset=utf-8'];
  for (const type of types) {
    const answer = await post('/echo/000/broken/xhr_send', '["a"]', { 'content-type': type });
    assert.equal(answer.status, 204);
  }
  let received: string[] = [];
  while (received.length < types.length) {
    received = [...received, ...JSON.parse((await post('/echo/000/broken/xhr')).body.slice(1))];
  }
  assert.deepEqual(
    received,
    types.map(() => 'a'),
  );
});

test('XhrStreaming: a prelude, then frames, until enough was sent', async (t) => {
  const lab = await openSockJsLab(t, { limits: { sockJsResponseBytesMax: 4096 } });
  const { open, post } = lab;
  await answersOptions(lab, '/echo/abc/abc/xhr_streaming', 'OPTIONS, POST');
  const stream = await open('POST', '/echo/000/stream/xhr_streaming');
  assert.equal(stream.response.statusCode, 200);
  assert.equal(stream.response.headers['content-type'], 'application/javascript; charset=UTF-8');
  assert.equal(stream.response.headers['cache-control'], NOT_CACHED);
  assert.equal(stream.response.headers['access-control-allow-origin'], '*');
  assert.equal(await stream.take(2049), `${'h'.repeat(2048)}\n`);
  assert.equal(await stream.take(2), 'o\n');
  const message = 'x'.repeat(128);
  // 2 bytes of the first frame, and 134 of each other.
  const count = Math.ceil((4096 - 2) / 134);
  for (let sent = 0; sent < count; sent++) {
    assert.equal(stream.isEnded, false);
    assert.equal((await post('/echo/000/stream/xhr_send', `["${message}"]`)).status, 204);
    assert.equal(await stream.take(134), `a["${message}"]\n`);
  }
  assert.equal(await stream.rest(), '');
  // The session goes on with the next one.
  await post('/echo/000/stream/xhr_send', '["more"]');
  const next = await open('POST', '/echo/000/stream/xhr_streaming');
  await next.take(2049);
  assert.equal(await next.take(10), 'a["more"]\n');
});

test('EventSource: frames are events', async (t) => {
  const { open, post } = await openSockJsLab(t, { limits: { sockJsResponseBytesMax: 4096 } });
  const stream = await open('GET', '/echo/000/events/eventsource');
  assert.equal(stream.response.headers['content-type'], 'text/event-stream; charset=UTF-8');
  assert.equal(stream.response.headers['cache-control'], NOT_CACHED);
  assert.equal(await stream.take(13), '\r\ndata: o\r\n\r\n');
  await post('/echo/000/events/xhr_send', '["x"]');
  assert.equal(await stream.take(16), 'data: a["x"]\r\n\r\n');
  await post('/echo/000/events/xhr_send', String.raw`["  \u0000\n\r "]`);
  const escaped = `${String.raw`data: a["  \u0000\n\r "]`}\r\n\r\n`;
  assert.equal(await stream.take(escaped.length), escaped);
  const long = 'x'.repeat(4096);
  await post('/echo/000/events/xhr_send', `["${long}"]`);
  assert.equal(await stream.rest(), `data: a["${long}"]\r\n\r\n`);
});

test('HtmlFile: frames are scripts in a page that call what the query names, if it is a name', async (t) => {
  const { open, post, get } = await openSockJsLab(t, { limits: { sockJsResponseBytesMax: 4096 } });
  const stream = await open('GET', '/echo/000/file/htmlfile?c=%63allback');
  assert.equal(stream.response.headers['content-type'], 'text/html; charset=UTF-8');
  assert.equal(stream.response.headers['cache-control'], NOT_CACHED);
  const prelude = await stream.take(1028);
  assert.match(prelude, /^<!doctype html>\n<html><head>\n/);
  assert.match(prelude, /\n {4}var c = parent\.callback;\n {4}c\.start\(\);\n/);
  const first = '<script>\np("o");\n</script>\r\n';
  assert.equal(await stream.take(first.length), first);
  await post('/echo/000/file/xhr_send', '["x"]');
  const frame = '<script>\np("a[\\"x\\"]");\n</script>\r\n';
  assert.equal(await stream.take(frame.length), frame);
  await post('/echo/000/file/xhr_send', '["</script><b>"]');
  assert.match(await stream.take(30), /u003c\/script/);
  await post('/echo/000/file/xhr_send', `["${'x'.repeat(4096)}"]`);
  assert.ok((await stream.rest()).endsWith('xx\\"]");\n</script>\r\n'));
  const without = await get('/echo/a/a/htmlfile');
  assert.deepEqual([without.status, without.body], [500, '"callback" parameter required\n']);
  for (const name of ['alert(1)', 'a;b', '%3C/script%3E', '', 'a b']) {
    const refused = await get(`/echo/a/a/htmlfile?c=${name.replace(' ', '%20')}`);
    assert.deepEqual(
      [refused.status, refused.headers['content-type']],
      [500, 'text/plain; charset=UTF-8'],
      name,
    );
    assert.equal(refused.headers['x-content-type-options'], 'nosniff');
  }
});

test('JsonPolling: frames are calls of what the query names', async (t) => {
  const { post, get } = await openSockJsLab(t);
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const url = '/echo/000/jsonp';
  const opened = await get(`${url}/jsonp?c=%63allback`);
  assert.equal(opened.body, '/**/callback("o");\r\n');
  assert.equal(opened.headers['content-type'], 'application/javascript; charset=UTF-8');
  assert.equal(opened.headers['x-content-type-options'], 'nosniff');
  isNotCached(opened);
  const sent = await post(`${url}/jsonp_send`, 'd=%5B%22x%22%5D', form);
  assert.deepEqual([sent.status, sent.body], [200, 'ok']);
  assert.equal(sent.headers['content-type'], 'text/plain; charset=UTF-8');
  isNotCached(sent);
  assert.equal((await get(`${url}/jsonp?callback=_jp.a1`)).body, '/**/_jp.a1("a[\\"x\\"]");\r\n');
  const without = await get('/echo/a/a/jsonp');
  assert.deepEqual([without.status, without.body], [500, '"callback" parameter required\n']);
  const broken = await post(`${url}/jsonp_send`, 'd=%5B%22x', form);
  assert.deepEqual([broken.status, broken.body], [500, 'Broken JSON encoding.']);
  for (const body of ['', 'd=', 'p=p']) {
    const answer = await post(`${url}/jsonp_send`, body, form);
    assert.deepEqual([answer.status, answer.body], [500, 'Payload expected.']);
  }
  assert.equal((await post(`${url}/jsonp_send`, '["%61bc"]', { 'content-type': 'text/plain' })).body, 'ok');
  assert.equal((await get(`${url}/jsonp?c=x`)).body, '/**/x("a[\\"%61bc\\"]");\r\n');
  await post(`${url}/jsonp_send`, 'd=%5B%22bye%22%5D', form);
  for (let time = 0; time < 2; time++)
    assert.equal((await get(`${url}/jsonp?c=x`)).body, '/**/x("c[3000,\\"Go away!\\"]");\r\n');
});

test('JSONEncoding: what browsers trip over is escaped, and what they escape is understood', async (t) => {
  const { post } = await openSockJsLab(t);
  await post('/echo/000/escapes/xhr');
  const inRange = (unit: number): boolean =>
    (unit >= 0x200c && unit <= 0x200f) ||
    (unit >= 0x2028 && unit <= 0x202f) ||
    (unit >= 0x2060 && unit <= 0x206f) ||
    (unit >= 0xfff0 && unit <= 0xffff);
  const killers = Array.from({ length: 0x1_0000 }, (_, unit) => unit).filter(inRange);
  const escaped = `["${killers.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')}"]`;
  await post('/echo/000/escapes/xhr_send', `["${String.fromCharCode(...killers)}"]`);
  assert.equal((await post('/echo/000/escapes/xhr')).body, `a${escaped}\n`);
  await post('/echo/000/escapes/xhr_send', escaped);
  assert.equal((await post('/echo/000/escapes/xhr')).body, `a${escaped}\n`);
  await post('/echo/000/escapes/xhr_send', '["\\ud83d\\ude00 \\u0041"]');
  assert.equal((await post('/echo/000/escapes/xhr')).body, 'a["\\ud83d\\ude00 A"]\n');
});

test('HandlingClose: a stream ends with the close frame, and whoever comes later gets it, too', async (t) => {
  const { open } = await openSockJsLab(t, { serve: (socket) => socket.close(3000, 'Go away!') });
  const first = await open('POST', '/echo/000/close/xhr_streaming');
  assert.equal((await first.rest()).slice(2049), 'o\nc[3000,"Go away!"]\n');
  const second = await open('POST', '/echo/000/close/xhr_streaming');
  assert.equal((await second.rest()).slice(2049), 'c[3000,"Go away!"]\n');
});

test('HandlingClose: a session ends when a receiving request of it is cut off', async (t) => {
  const { open, ends, metric } = await openSockJsLab(t);
  const first = await open('POST', '/echo/000/abort/xhr_streaming');
  await first.take(2051);
  const second = await open('POST', '/echo/000/abort/xhr_streaming');
  assert.equal((await second.rest()).slice(2049), 'c[2010,"Another connection still open"]\n');
  first.close();
  let third = '';
  do third = (await (await open('POST', '/echo/000/abort/xhr_streaming')).rest()).slice(2049);
  while (third.includes('2010'));
  assert.equal(third, 'c[1002,"Connection interrupted"]\n');
  assert.equal(metric('tidegate_sockjs_interruptions_total'), 1);
  // To the origin, the client has closed.
  await until(() => ends.length > 0);
  assert.deepEqual(ends, [{ code: 1005, reason: '' }]);
});

test('HandlingClose: the same for a polling request', async (t) => {
  const { post, connect, ends } = await openSockJsLab(t);
  await post('/echo/000/poll/xhr');
  const waiting = await connect();
  waiting.send('POST /echo/000/poll/xhr HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n');
  assert.match((await post('/echo/000/poll/xhr')).body, /2010/);
  waiting.socket.destroy();
  let answer: Answer;
  do answer = await post('/echo/000/poll/xhr');
  while (answer.body.includes('2010'));
  assert.equal(answer.body, 'c[1002,"Connection interrupted"]\n');
  await until(() => ends.length > 0);
  assert.deepEqual(ends, [{ code: 1005, reason: '' }]);
});

test('Http10: a client of HTTP/1.0 gets frames without chunks, and the end of the connection', async (t) => {
  const { connect } = await openSockJsLab(t, { serve: (socket) => socket.close(3000, 'Go away!') });
  const client = await connect();
  client.send('POST /echo/000/old/xhr_streaming HTTP/1.0\r\nHost: a\r\nContent-Length: 0\r\n\r\n');
  const [head, body] = (await client.ended()).split('\r\n\r\n');
  assert.doesNotMatch(head, /transfer-encoding|content-length/i);
  assert.equal(body, `${'h'.repeat(2048)}\no\nc[3000,"Go away!"]\n`);
});
