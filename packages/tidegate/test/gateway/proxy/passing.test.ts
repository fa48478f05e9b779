import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import test from 'node:test';
import { problemCode, splitResponse, until } from '../../listeners/lab.ts';
import { openProxyLab } from '../lab.ts';

test('a request goes to the origin as it came, and the answer back as it came', async (t) => {
  const { connect, origin } = await openProxyLab(t);
  const client = await connect();
  client.send('GET /a/b?c=d HTTP/1.1\r\nHost: example.com\r\nX-Odd: 1\r\nx-odd: 2\r\n\r\n');
  const connection = await origin.connection();
  const head = await connection.request();
  assert.ok(head.startsWith('GET /a/b?c=d HTTP/1.1\r\nHost: example.com\r\nX-Odd: 1\r\nx-odd: 2\r\n'), head);
  connection.send(
    'HTTP/1.1 201 Made It\r\nX-Reply: yes\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 5\r\n\r\nhello',
  );
  const answer = await client.take('hello');
  assert.match(answer, /^HTTP\/1\.1 201 Made It\r\nX-Reply: yes\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n/);
  assert.match(answer, /\r\nContent-Length: 5\r\n/);
  assert.match(answer, /\r\nDate: /);
});

test('both connections serve further requests', async (t) => {
  const { connect, origin } = await openProxyLab(t);
  const client = await connect();
  for (const path of ['/1', '/2', '/3']) {
    client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await until(() => origin.connections.length > 0);
    const head = await origin.connections[0].request();
    assert.ok(head.startsWith(`GET ${path} `));
    origin.connections[0].answer(`body of ${path}`);
    await client.take(`body of ${path}`);
  }
  assert.equal(origin.connections.length, 1);
});

test('requests that were sent ahead are answered in order, and the origin has one of them at a time', async (t) => {
  const { connect, origin } = await openProxyLab(t);
  const client = await connect();
  client.send('GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
  const connection = await origin.connection();
  assert.ok((await connection.request()).startsWith('GET /1 '));
  assert.equal(connection.received, '');
  connection.answer('one');
  assert.ok((await connection.request()).startsWith('GET /2 '));
  connection.answer('two');
  const answers = await client.take('two');
  assert.ok(answers.indexOf('one') < answers.indexOf('two'));
});

test('a body of known length passes through as it comes, in both directions', async (t) => {
  const { connect, origin } = await openProxyLab(t);
  const client = await connect();
  client.send('POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc');
  const connection = await origin.connection();
  const head = await connection.request();
  assert.match(head, /\r\nContent-Length: 6\r\n/);
  await connection.take('abc');
  client.send('def');
  await connection.take('def');
  connection.send('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nuvw');
  await client.take('uvw');
  connection.send('xyz');
  await client.take('xyz');
});

test('a body of unknown length is chunked anew, with its trailers', async (t) => {
  const { connect, origin } = await openProxyLab(t);
  const client = await connect();
  client.send(
    'POST /up HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n',
  );
  const connection = await origin.connection();
  const head = await connection.request();
  assert.match(head, /\r\nTE: trailers\r\n/);
  assert.match(head, /\r\nConnection: TE\r\n/);
  assert.match(head, /\r\nTransfer-Encoding: chunked\r\n/);
  await connection.take('3\r\nabc\r\n');
  client.send('0\r\nX-Sum: 12\r\n\r\n');
  await connection.take('0\r\nx-sum: 12\r\n\r\n');
  connection.send(
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;ext=1\r\nuvw\r\n0\r\nX-Mark: done\r\nContent-Type: no/no\r\n\r\n',
  );
  const answer = await client.take('0\r\nx-mark: done\r\n\r\n');
  assert.match(answer, /\r\nTransfer-Encoding: chunked\r\n/);
  assert.match(answer, /\r\n3\r\nuvw\r\n/);
  assert.doesNotMatch(answer, /ext=1|no\/no/);
});

test('an event stream is flushed event by event', async (t) => {
  const { connect, origin } = await openProxyLab(t);
  const client = await connect();
  client.send('GET /events HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n');
  const connection = await origin.connection();
  await connection.request();
  connection.send('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n');
  // The head alone reaches the client before any event.
  await client.take('\r\n\r\n');
  for (const event of ['data: 1\n\n', 'data: 2\n\n']) {
    connection.send(`${event.length.toString(16)}\r\n${event}\r\n`);
    await client.take(event);
  }
});

test('a body that ends with the connection of the origin ends for the client too, whose connection stays', async (t) => {
  const { connect, origin } = await openProxyLab(t);
  const client = await connect();
  client.send('GET /old HTTP/1.1\r\nHost: a\r\n\r\n');
  const connection = await origin.connection();
  await connection.request();
  connection.send('HTTP/1.0 200 OK\r\n\r\nuntil the end');
  connection.socket.end();
  await client.take('0\r\n\r\n');
  client.send('GET /next HTTP/1.1\r\nHost: a\r\n\r\n');
  const next = await origin.connection();
  await next.request();
  next.answer('more');
  await client.take('more');
});

test('a client of HTTP/1.0 gets a body of unknown length until the connection ends', async (t) => {
  const { connect, origin } = await openProxyLab(t);
  const client = await connect();
  client.send('GET / HTTP/1.0\r\nHost: a\r\n\r\n');
  const connection = await origin.connection();
  await connection.request();
  connection.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n');
  const answer = await client.ended();
  assert.equal(splitResponse(answer).body, 'abc');
  assert.doesNotMatch(answer, /chunked/);
});

test('the answer to HEAD keeps the length that it tells of, and has no body', async (t) => {
  const { connect, origin } = await openProxyLab(t);
  const client = await connect();
  client.send('HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
  const connection = await origin.connection();
  await connection.request();
  connection.send('HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n');
  assert.ok((await connection.request()).startsWith('GET /2 '));
  connection.answer('two');
  const answers = await client.take('two');
  assert.match(
    answers,
    /^HTTP\/1\.1 200 OK\r\nDate: [^\r]+\r\nContent-Length: 1234\r\n\r\nHTTP\/1\.1 200 OK/,
  );
});

for (const status of [204, 304]) {
  test(`an answer with ${status} has no body and no framing, and the connections go on`, async (t) => {
    const { connect, origin } = await openProxyLab(t);
    const client = await connect();
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
    const connection = await origin.connection();
    await connection.request();
    connection.send(`HTTP/1.1 ${status} Whatever\r\nETag: "x"\r\n\r\n`);
    await connection.request();
    connection.answer('two');
    const [first] = (await client.take('two')).split('\r\n\r\n');
    assert.doesNotMatch(first, /transfer-encoding|content-length/i);
  });
}

test('interim answers reach clients that know them', async (t) => {
  const { connect, origin } = await openProxyLab(t);
  const client = await connect();
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const connection = await origin.connection();
  await connection.request();
  connection.send('HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n');
  assert.equal(await client.take('\r\n\r\n'), 'HTTP/1.1 103 \r\nLink: </a.css>; rel=preload\r\n\r\n');
  connection.answer('done');
  await client.take('done');
});

test('the body waits for the origin to ask for it, if the client waits (RFC 9110, section 10.1.1)', async (t) => {
  const { connect, origin } = await openProxyLab(t);
  const client = await connect();
  client.send('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n');
  const connection = await origin.connection();
  assert.match(await connection.request(), /\r\nExpect: 100-continue\r\n/);
  assert.equal(client.received, '');
  connection.send('HTTP/1.1 100 Continue\r\n\r\n');
  await client.take('HTTP/1.1 100 Continue\r\n\r\n');
  client.send('ok');
  await connection.take('ok');
  connection.answer('thanks');
  await client.take('thanks');
});

test('an origin that refuses an expected body has its answer passed on, and never sees the body', async (t) => {
  const { connect, origin } = await openProxyLab(t);
  const client = await connect();
  client.send('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n');
  const connection = await origin.connection();
  await connection.request();
  connection.send('HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n');
  await client.take('HTTP/1.1 413 No');
  await connection.ended();
  assert.equal(connection.received, '');
});

test('a body larger than the limit is refused, and the origin is left', async (t) => {
  const { connect, origin } = await openProxyLab(t, {}, {}, { gatewayRequestBytesMax: 1024 });
  const client = await connect();
  client.send(
    `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n400\r\n${'x'.repeat(1024)}\r\n1\r\nx\r\n`,
  );
  const connection = await origin.connection();
  const answer = await client.take('}');
  assert.match(answer, /^HTTP\/1\.1 413 /);
  assert.equal(problemCode(answer), 'body_too_large');
  await connection.ended();
});

test('whoever does not read slows the origin down, and nothing is kept for it', async (t) => {
  const { connect, origin } = await openProxyLab(t);
  const client = await connect();
  client.socket.pause();
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const connection = await origin.connection();
  await connection.request();
  const total = 64 * 1024 * 1024;
  connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`);
  const piece = Buffer.alloc(1024 * 1024, 120);
  let sent = 0;
  while (sent < total && connection.socket.write(piece)) sent += piece.length;
  await until(() => {
    // What the kernels of both connections hold is some MiB; all else waits at the origin.
    return connection.socket.writableLength > 0;
  });
  const before = process.memoryUsage().external;
  for (; sent < total; sent += piece.length) connection.socket.write(piece);
  const held = process.memoryUsage().external - before;
  assert.ok(held < total, `${held} bytes`);
  assert.ok(connection.socket.writableLength > total / 2, 'the gateway has read on');
  client.socket.resume();
  await until(
    () => client.received.length > total,
    () => `${client.received.length} of ${total} bytes`,
  );
});
