import assert from 'node:assert/strict';
import test from 'node:test';
import { advanceUntil, problemCode, until } from '../../listeners/lab.ts';
import { openGatewayLab, openOrigin, openProxyLab } from '../lab.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

test('an origin that refuses connections is 502, and the client may ask again', async (t) => {
  const origin = await openOrigin(t);
  const lab = await openGatewayLab(t, {
    routes: { all: { match: { path: '/*' }, upstream: 'app' } },
    // Port 1 is nobody's.
    upstreams: {
      app: { targets: [{ url: 'http://127.0.0.1:1' }] },
      other: { targets: [{ url: origin.url }] },
    },
  });
  const client = await lab.connect();
  for (let i = 0; i < 2; i++) {
    client.send(GET);
    const answer = await client.take('}');
    assert.match(answer, /^HTTP\/1\.1 502 /);
    assert.equal(problemCode(answer), 'upstream_unreachable');
  }
  assert.equal(lab.metric('tidegate_gateway_failures_total{all,upstream_unreachable}'), 2);
});

test('a route to an upstream that there is not is 503', async (t) => {
  const { connect } = await openGatewayLab(t, {
    routes: { all: { match: { path: '/*' }, upstream: 'gone' } },
  });
  const client = await connect();
  client.send(GET);
  assert.equal(problemCode(await client.take('}')), 'upstream_unavailable');
});

test('a name that resolves to nothing is 503', async (t) => {
  const { connect } = await openGatewayLab(t, {
    routes: { all: { match: { path: '/*' }, upstream: 'app' } },
    upstreams: { app: { targets: [{ url: 'http://nowhere.invalid' }] } },
    lookup: (_host, done) => queueMicrotask(() => done(new Error('ENOTFOUND'), [])),
  });
  const client = await connect();
  client.send(GET);
  const answer = await client.take('}');
  assert.match(answer, /^HTTP\/1\.1 503 /);
  assert.equal(problemCode(answer), 'upstream_unavailable');
});

test('an origin that ends the connection before its head is 502', async (t) => {
  const { connect, origin } = await openProxyLab(t);
  const client = await connect();
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n');
  const connection = await origin.connection();
  await connection.request();
  connection.socket.destroy();
  const answer = await client.take('}');
  assert.match(answer, /^HTTP\/1\.1 502 /);
  assert.equal(problemCode(answer), 'upstream_reset');
});

const MALFORMED: Readonly<Record<string, string>> = {
  'is not HTTP': 'SSH-2.0-OpenSSH\r\n\r\n',
  'has a status that is no number': 'HTTP/1.1 OK\r\n\r\n',
  'has two different lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
  'has a length and is chunked':
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'has a length that is no number': 'HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\na',
  'folds a header line': 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n',
  'has a bare line feed': 'HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n',
  'has a zero in a header': 'HTTP/1.1 200 OK\r\nX: \0\r\nContent-Length: 0\r\n\r\n',
  'switches protocols unasked':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
};

for (const [what, bytes] of Object.entries(MALFORMED)) {
  test(`an answer that ${what} is 502, and its connection is not used again`, async (t) => {
    const { connect, origin } = await openProxyLab(t);
    const client = await connect();
    client.send(GET);
    const connection = await origin.connection();
    await connection.request();
    connection.send(bytes);
    const answer = await client.take('}');
    assert.match(answer, /^HTTP\/1\.1 502 /);
    assert.equal(problemCode(answer), 'upstream_malformed');
    await connection.ended();
    client.send(GET);
    const next = await origin.connection();
    await next.request();
    next.answer('well');
    await client.take('well');
  });
}

test('a head without end is 502 once it is over its limit', async (t) => {
  const { connect, origin } = await openProxyLab(t, {}, {}, { upstreamHeadBytesMax: 2048 });
  const client = await connect();
  client.send(GET);
  const connection = await origin.connection();
  await connection.request();
  connection.send(`HTTP/1.1 200 OK\r\nX: ${'a'.repeat(4096)}`);
  assert.equal(problemCode(await client.take('}')), 'upstream_malformed');
});

test('more header fields than the limit are 502', async (t) => {
  const { connect, origin } = await openProxyLab(t, {}, {}, { upstreamHeadersMax: 10 });
  const client = await connect();
  client.send(GET);
  const connection = await origin.connection();
  await connection.request();
  connection.send(`HTTP/1.1 200 OK\r\n${'X: a\r\n'.repeat(11)}Content-Length: 0\r\n\r\n`);
  assert.equal(problemCode(await client.take('}')), 'upstream_malformed');
});

test('interim answers without end are 502', async (t) => {
  const { connect, origin } = await openProxyLab(t, {}, {}, { upstreamInterimMax: 3 });
  const client = await connect();
  client.send(GET);
  const connection = await origin.connection();
  await connection.request();
  connection.send('HTTP/1.1 102 Processing\r\n\r\n'.repeat(4));
  assert.match(await client.take('}'), /"code":"upstream_malformed"/);
});

for (const [what, head, part] of [
  ['shorter than its length', 'Content-Length: 10\r\n', 'abc'],
  ['that ends within a chunk', 'Transfer-Encoding: chunked\r\n', 'a\r\nabc'],
] as const) {
  test(`a body ${what} is told by the end of the connection`, async (t) => {
    const { connect, origin } = await openProxyLab(t);
    const client = await connect();
    client.send(GET);
    const connection = await origin.connection();
    await connection.request();
    connection.send(`HTTP/1.1 200 OK\r\n${head}\r\n${part}`);
    await client.take('abc');
    connection.socket.end();
    await client.ended();
    assert.doesNotMatch(client.received, /0\r\n\r\n/);
  });
}

test('a body with bad chunks is told by the end of the connection', async (t) => {
  const { connect, origin } = await openProxyLab(t);
  const client = await connect();
  client.send(GET);
  const connection = await origin.connection();
  await connection.request();
  connection.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
  await client.take('abc');
  connection.send('zz\r\n');
  await client.ended();
  assert.doesNotMatch(client.received, /0\r\n\r\n/);
  await connection.ended();
});

test("what an origin says without being asked is nobody's answer", async (t) => {
  const { connect, origin } = await openProxyLab(t);
  const client = await connect();
  client.send(GET);
  const connection = await origin.connection();
  await connection.request();
  connection.answer('mine');
  await client.take('mine');
  connection.answer('smuggled');
  await connection.ended();
  client.send(GET);
  const next = await origin.connection();
  await next.request();
  next.answer('mine again');
  assert.doesNotMatch(await client.take('mine again'), /smuggled/);
});

test('an answer with more behind it than its length ends its connection', async (t) => {
  const { connect, origin } = await openProxyLab(t);
  const client = await connect();
  client.send(GET);
  const connection = await origin.connection();
  await connection.request();
  connection.send(
    'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmineHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  );
  await client.take('mine');
  await connection.ended();
});

test('an origin that says nothing is 504 after the time that the route gives it', async (t) => {
  const { connect, clock, origin } = await openProxyLab(t, { timeouts: { firstByte: '2s' } });
  const client = await connect();
  client.send(GET);
  const connection = await origin.connection();
  await connection.request();
  clock.advance(1900);
  assert.equal(client.received, '');
  clock.advance(200);
  const answer = await client.take('}');
  assert.match(answer, /^HTTP\/1\.1 504 /);
  assert.equal(problemCode(answer), 'upstream_timeout');
  await connection.ended();
});

test('an origin that stalls within its head is 504', async (t) => {
  const { connect, clock, origin } = await openProxyLab(t, { timeouts: { firstByte: '2s' } });
  const client = await connect();
  client.send(GET);
  const connection = await origin.connection();
  await connection.request();
  connection.send('HTTP/1.1 200 OK\r\nX: ');
  await advanceUntil(clock, 100, () => client.received.includes('}'));
  assert.equal(problemCode(client.received), 'upstream_timeout');
});

test('a body that stops is told by the end of the connection', async (t) => {
  const { connect, clock, origin } = await openProxyLab(t, { timeouts: { idle: '2s' } });
  const client = await connect();
  client.send(GET);
  const connection = await origin.connection();
  await connection.request();
  connection.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc');
  await client.take('abc');
  clock.advance(1900);
  connection.send('d');
  await client.take('d');
  clock.advance(1900);
  assert.equal(client.isEnded, false);
  await advanceUntil(clock, 100, () => client.isEnded);
});

test('the whole may take no longer than the route says, however lively it is', async (t) => {
  const { connect, clock, origin } = await openProxyLab(t, { timeouts: { total: '3s', idle: '2s' } });
  const client = await connect();
  client.send(GET);
  const connection = await origin.connection();
  await connection.request();
  connection.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
  await client.take('\r\n\r\n');
  await advanceUntil(clock, 500, () => {
    if (!connection.isEnded) connection.send('1\r\nx\r\n');
    return client.isEnded;
  });
  await connection.ended();
});

test('a client that leaves takes its request back from the origin', async (t) => {
  const lab = await openProxyLab(t);
  const { connect, origin } = lab;
  const client = await connect();
  client.send(GET);
  const connection = await origin.connection();
  await connection.request();
  client.socket.destroy();
  await connection.ended();
  await until(() => lab.metric('tidegate_gateway_abandoned_total{all}') === 1);
});

test('a client that leaves within an upload or a download leaves no connection to the origin open', async (t) => {
  const { connect, origin } = await openProxyLab(t);
  const uploading = await connect();
  uploading.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc');
  const upload = await origin.connection();
  await upload.take('abc');
  uploading.socket.destroy();
  await upload.ended();
  const downloading = await connect();
  downloading.send(GET);
  const download = await origin.connection();
  await download.request();
  download.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc');
  await downloading.take('abc');
  downloading.socket.resetAndDestroy();
  await download.ended();
});

test('a client that ends its side of an event stream has left; of another answer it gets the rest', async (t) => {
  const { connect, origin } = await openProxyLab(t);
  const subscriber = await connect();
  subscriber.send(GET);
  const stream = await origin.connection();
  await stream.request();
  stream.send('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n');
  await subscriber.take('\r\n\r\n');
  subscriber.socket.end();
  await stream.ended();
  const reader = await connect();
  reader.send(GET);
  const other = await origin.connection();
  await other.request();
  other.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha');
  await reader.take('ha');
  reader.socket.end();
  other.send('lf');
  assert.equal(await reader.ended(), 'lf');
});

test('a request whose body breaks its framing is answered with 400, and the origin is left', async (t) => {
  const { connect, origin } = await openProxyLab(t);
  const client = await connect();
  client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
  const connection = await origin.connection();
  await connection.take('abc');
  client.send('zz\r\n');
  assert.match(await client.take('}'), /^HTTP\/1\.1 400 /);
  await connection.ended();
});

test('a connection that the origin has closed while it was idle is found out before it is used', async (t) => {
  const { connect, origin } = await openProxyLab(t);
  const client = await connect();
  client.send(GET);
  const first = await origin.connection();
  await first.request();
  first.answer('one');
  await client.take('one');
  first.socket.end();
  await first.ended();
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx');
  const second = await origin.connection();
  await second.request();
  second.answer('two');
  await client.take('two');
});

test('an idempotent request on an idle connection that the origin closes at the same moment is made again, once', async (t) => {
  const { connect, origin } = await openProxyLab(t);
  const client = await connect();
  client.send(GET);
  const first = await origin.connection();
  await first.request();
  first.answer('one');
  await client.take('one');
  client.send(GET);
  await first.request();
  first.socket.destroy();
  const second = await origin.connection();
  await second.request();
  second.answer('two');
  assert.match(await client.take('two'), /^HTTP\/1\.1 200 /);
  assert.equal(origin.connections.length, 2);
});

test('a request that is not idempotent is not made again', async (t) => {
  const { connect, origin } = await openProxyLab(t);
  const client = await connect();
  client.send(GET);
  const first = await origin.connection();
  await first.request();
  first.answer('one');
  await client.take('one');
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n');
  await first.request();
  first.socket.destroy();
  assert.equal(problemCode(await client.take('}')), 'upstream_reset');
  assert.equal(origin.connections.length, 1);
});

test('a request that comes back to the gateway is refused', async (t) => {
  const lab = await openGatewayLab(t, {});
  const url = `http://127.0.0.1:${lab.listener.port}`;
  lab.adopt({ all: { match: { path: '/*' }, upstream: 'self' } }, { self: { targets: [{ url }] } });
  const client = await lab.connect();
  client.send(GET);
  const answer = await client.take('}');
  assert.match(answer, /^HTTP\/1\.1 508 /);
  assert.equal(problemCode(answer), 'gateway_loop');
});

test('no more requests wait for a connection than may', async (t) => {
  const { connect, origin } = await openProxyLab(t, {}, { connectionsMax: 1 }, { upstreamWaitingMax: 1 });
  const [first, second, third] = [await connect(), await connect(), await connect()];
  first.send(GET);
  const connection = await origin.connection();
  await connection.request();
  second.send(GET);
  await new Promise(setImmediate);
  third.send(GET);
  assert.equal(problemCode(await third.take('}')), 'bulkhead_full');
  connection.answer('one');
  await first.take('one');
  await connection.request();
  connection.answer('two');
  await second.take('two');
  assert.equal(origin.connections.length, 1);
});

test('the time of the first byte begins with the end of the request: a body may take longer', async (t) => {
  const { connect, origin, clock } = await openProxyLab(t, { timeouts: { firstByte: '2s' } });
  const client = await connect();
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\n');
  const connection = await origin.connection();
  await connection.request();
  for (const part of ['abc', 'def', 'ghi', 'jkl']) {
    client.send(part);
    await connection.take(part);
    for (let elapsed = 0; elapsed < 1500; elapsed += 50) clock.advance(50);
  }
  assert.equal(client.received, '');
  await advanceUntil(clock, 50, () => client.received.includes('}'));
  assert.equal(problemCode(await client.take('}')), 'upstream_timeout');
});
