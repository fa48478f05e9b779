import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { advanceUntil, splitResponse, until } from '../../listeners/lab.ts';
import { openHttp2Lab, openHttp2Origin } from './http2-origin.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

test('a request goes to an HTTP/2 origin with its fields, and the answer back', async (t) => {
  const origin = await openHttp2Origin(t, { strictSingleValueFields: false } as object);
  const { connect } = await openHttp2Lab(t, origin);
  const client = await connect();
  client.send(
    'GET /a/b?c=d HTTP/1.1\r\nHost: example.com\r\nX-Odd: 1\r\nx-odd: 2\r\nConnection: x-mine\r\nX-Mine: 1\r\n' +
      'User-Agent: a\r\nUser-Agent: b\r\n\r\n',
  );
  const request = await origin.request();
  const { headers } = request;
  assert.equal(headers[':method'], 'GET');
  assert.equal(headers[':path'], '/a/b?c=d');
  assert.equal(headers[':authority'], 'example.com');
  assert.equal(headers[':scheme'], 'http');
  assert.equal(headers['x-odd'], '1, 2');
  assert.deepEqual(
    request.raw.filter((_, at) => request.raw[at - 1] === 'user-agent'),
    ['a', 'b'],
    'what is repeated against the rules is passed on, as over HTTP/1.1',
  );
  for (const name of ['x-mine', 'connection', 'host', 'te']) assert.equal(headers[name], undefined);
  assert.equal(headers['x-forwarded-host'], 'example.com');
  request.answer('hello', {
    'x-reply': 'yes',
    'set-cookie': ['a=1', 'b=2'],
    'content-length': '5',
    trailer: 'x-sum',
    'proxy-authenticate': 'Basic',
  });
  const answer = await client.take('hello');
  assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(answer, /\r\nx-reply: yes\r\n/);
  assert.match(answer, /\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n/);
  assert.match(answer, /\r\nContent-Length: 5\r\n/);
  assert.doesNotMatch(answer, /trailer|proxy-authenticate|:status/i);
});

test('bodies of known and unknown length pass through as they come, in both directions', async (t) => {
  const origin = await openHttp2Origin(t);
  const { connect } = await openHttp2Lab(t, origin);
  const client = await connect();
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc');
  const known = (await origin.request()).read();
  assert.equal(known.headers['content-length'], '6');
  await known.bodyUntil('abc');
  client.send('def');
  await known.bodyUntil('abcdef');
  await until(() => known.isEnded);
  known.stream.respond({ ':status': 200, 'content-length': '6' });
  known.stream.write('uvw');
  await client.take('uvw');
  known.stream.end('xyz');
  await client.take('xyz');
  client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
  const unknown = (await origin.request()).read();
  assert.equal(unknown.headers['content-length'], undefined);
  await unknown.bodyUntil('abc');
  client.send('0\r\n\r\n');
  await until(() => unknown.isEnded);
  unknown.answer('uvw');
  const answer = await client.take('3\r\nuvw\r\n0\r\n\r\n');
  assert.match(answer, /\r\nTransfer-Encoding: chunked\r\n/);
});

test('trailers pass in both directions, but those that frame or authenticate', async (t) => {
  const origin = await openHttp2Origin(t);
  const { connect } = await openHttp2Lab(t, origin);
  const client = await connect();
  client.send(
    'POST / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 12\r\nX-Sum: 13\r\n\r\n',
  );
  const request = (await origin.request()).read();
  assert.equal(request.headers.te, 'trailers');
  await until(() => request.trailers !== null);
  assert.equal(request.body, 'abc');
  assert.equal(request.trailers?.['x-sum'], '12, 13');
  request.stream.respond({ ':status': 200 }, { waitForTrailers: true });
  request.stream.once('wantTrailers', () =>
    request.stream.sendTrailers({ 'x-mark': 'done', 'set-cookie': 'a=1', 'content-type': 'no/no' }),
  );
  request.stream.end('uvw');
  const answer = await client.take('\r\n0\r\nx-mark: done\r\nset-cookie: a=1\r\n\r\n');
  assert.doesNotMatch(answer, /no\/no/);
});

test('the answer to HEAD keeps the length that it tells of; 204 and 304 have no body', async (t) => {
  const origin = await openHttp2Origin(t);
  const { connect } = await openHttp2Lab(t, origin);
  const client = await connect();
  client.send('HEAD / HTTP/1.1\r\nHost: a\r\n\r\n');
  (await origin.request()).stream.respond({ ':status': 200, 'content-length': '1234' }, { endStream: true });
  assert.match(await client.take('\r\n\r\n'), /\r\nContent-Length: 1234\r\n/);
  for (const status of [204, 304]) {
    client.send(GET);
    (await origin.request()).stream.respond({ ':status': status }, { endStream: true });
    const answer = await client.take('\r\n\r\n');
    assert.ok(answer.startsWith(`HTTP/1.1 ${status} `), answer);
    assert.doesNotMatch(answer, /content-length|transfer-encoding/i);
  }
  client.send(GET);
  (await origin.request()).stream.respond({ ':status': 200 }, { endStream: true });
  assert.match(await client.take('\r\n\r\n'), /\r\nContent-Length: 0\r\n/);
});

test('interim answers reach the client before the answer', async (t) => {
  const origin = await openHttp2Origin(t);
  const { connect } = await openHttp2Lab(t, origin);
  const client = await connect();
  client.send(GET);
  const request = await origin.request();
  request.stream.additionalHeaders({ ':status': 103, link: '</a.css>; rel=preload' });
  assert.match(await client.take('\r\n\r\n'), /^HTTP\/1\.1 103 [^\r]*\r\nlink: <\/a\.css>; rel=preload\r\n/);
  request.answer('done');
  assert.match(await client.take('done'), /^HTTP\/1\.1 200 OK\r\n/);
});

test('a client that expects 100 sends its body once the origin wants it, or has not said so for a second', async (t) => {
  const origin = await openHttp2Origin(t);
  const { connect, clock } = await openHttp2Lab(t, origin);
  const client = await connect();
  const head = 'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n';
  client.send(head);
  const wanted = await origin.request();
  assert.equal(wanted.headers.expect, '100-continue');
  assert.equal(client.received, '');
  wanted.stream.additionalHeaders({ ':status': 100 });
  await client.take('HTTP/1.1 100 Continue\r\n\r\n');
  client.send('abc');
  await wanted.read().bodyUntil('abc');
  wanted.answer('one');
  await client.take('one');
  client.send(head);
  const silent = (await origin.request()).read();
  await advanceUntil(clock, 100, () => client.received.includes('100 Continue'));
  await client.take('HTTP/1.1 100 Continue\r\n\r\n');
  client.send('abc');
  await silent.bodyUntil('abc');
  silent.answer('two');
  await client.take('two');
});

test('a body that the origin does not want is not sent, and the stream is taken back', async (t) => {
  const origin = await openHttp2Origin(t);
  const { connect } = await openHttp2Lab(t, origin);
  const client = await connect();
  client.send('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n');
  const request = await origin.request();
  request.answer('no', { ':status': '417' });
  const { head } = splitResponse(await client.take('no'));
  assert.match(head, /^HTTP\/1\.1 417 /);
  assert.doesNotMatch(head, /100 Continue/);
  await until(() => request.isClosed);
  assert.equal(request.body, '');
});

test('an event stream is flushed event by event, and taken back when its client leaves', async (t) => {
  const origin = await openHttp2Origin(t);
  const { connect } = await openHttp2Lab(t, origin);
  const client = await connect();
  client.send(GET);
  const request = await origin.request();
  request.stream.respond({ ':status': 200, 'content-type': 'text/event-stream' });
  await client.take('\r\n\r\n');
  for (const event of ['data: 1\n\n', 'data: 2\n\n']) {
    request.stream.write(event);
    await client.take(event);
  }
  client.socket.destroy();
  await until(() => request.isClosed);
  assert.equal(request.stream.rstCode, 8, 'CANCEL');
  assert.equal(origin.openSessions, 1, 'the connection stays for the others');
});

test('requests share a connection, and are answered in any order', async (t) => {
  const origin = await openHttp2Origin(t);
  const { connect } = await openHttp2Lab(t, origin);
  const clients = await Promise.all(['/1', '/2', '/3'].map(() => connect()));
  for (const [at, client] of clients.entries()) {
    client.send(`GET /${at} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await origin.request();
  }
  for (const request of [...origin.requests].reverse()) request.answer(`body of ${request.headers[':path']}`);
  for (const [at, client] of clients.entries()) await client.take(`body of /${at}`);
  assert.equal(origin.sessions.length, 1);
});

test('a client that does not read holds back its stream and no other one', async (t) => {
  const origin = await openHttp2Origin(t);
  const { connect } = await openHttp2Lab(t, origin);
  const slow = await connect();
  slow.socket.pause();
  slow.send(GET);
  const large = await origin.request();
  large.stream.respond({ ':status': 200 });
  const slice = Buffer.alloc(256 * 1024, 'x');
  let sent = 0;
  const total = 64 * 1024 * 1024;
  const push = (): void => {
    while (sent < total) {
      sent += slice.length;
      if (!large.stream.write(slice)) {
        large.stream.once('drain', push);
        return;
      }
    }
    large.stream.end();
  };
  push();
  // Once nothing moves any more, the kernels are full and the gateway waits.
  for (let last = -1; last !== sent; await new Promise((resolve) => setTimeout(resolve, 100))) last = sent;
  assert.ok(sent < total, 'the gateway has taken all of it');
  const quick = await connect();
  quick.send(GET);
  (await origin.request()).answer('quick');
  await quick.take('quick');
  assert.equal(origin.sessions.length, 1);
  let received = 0;
  slow.socket.removeAllListeners('data');
  slow.socket.on('data', (bytes) => {
    received += bytes.length;
  });
  slow.socket.resume();
  await until(() => received > total);
});

test('an origin that does not read holds back its stream and no other one', async (t) => {
  const origin = await openHttp2Origin(t);
  const { connect } = await openHttp2Lab(t, origin);
  const busy = await connect();
  const total = 64 * 1024 * 1024;
  busy.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${total}\r\n\r\n`);
  const large = await origin.request();
  busy.socket.write(Buffer.alloc(total, 'x'));
  let last = -1;
  for (; last !== busy.socket.writableLength; await new Promise((resolve) => setTimeout(resolve, 100)))
    last = busy.socket.writableLength;
  assert.ok(last > 0, 'the gateway has taken all of it');
  const quick = await connect();
  quick.send(GET);
  (await origin.request()).answer('quick');
  await quick.take('quick');
  let received = 0;
  large.stream.on('data', (bytes) => {
    received += bytes.length;
  });
  await until(() => received === total);
  large.answer('done');
  await busy.take('done');
});

test('a client that leaves in the middle of a large answer takes nothing from the others', async (t) => {
  const origin = await openHttp2Origin(t);
  const { connect, clock } = await openHttp2Lab(t, origin);
  const other = await connect();
  other.send(GET);
  const kept = await origin.request();
  for (let round = 0; round < 40; round++) {
    const leaving = await connect();
    leaving.send(GET);
    const large = await origin.request();
    large.stream.respond({ ':status': 200 });
    large.stream.write(Buffer.alloc(300 * 1024));
    await leaving.take('\r\n\r\n');
    leaving.socket.resetAndDestroy();
    await advanceUntil(clock, 20, () => large.isClosed);
  }
  kept.answer('still here');
  await other.take('still here');
  assert.equal(origin.sessions.length, 1);
});
