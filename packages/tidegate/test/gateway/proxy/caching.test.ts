import assert from 'node:assert/strict';
import test from 'node:test';
import { problemCode, until } from '../../listeners/lab.ts';
import { openProxyLab } from '../lab.ts';

const get = (path: string, fields = ''): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;

test('a response that is fresh is served without asking the origin, with its age', async (t) => {
  const { connect, clock, origin } = await openProxyLab(t, { cache: {} });
  const client = await connect();
  client.send(get('/a'));
  const connection = await origin.connection();
  await connection.request();
  connection.answer('body', 'Cache-Control: max-age=10\r\nSurrogate-Key: x y\r\n');
  const first = await client.take('body');
  assert.match(first, /\r\nCache-Status: tidegate; fwd=uri-miss/i);
  assert.doesNotMatch(first, /surrogate-key/i);
  clock.advance(3000);
  client.send(get('/a'));
  const second = await client.take('body');
  assert.match(second, /\r\nAge: 3\r\n/i);
  assert.match(second, /\r\nCache-Status: tidegate; hit/i);
  assert.equal(connection.received, '');
  clock.advance(8000);
  client.send(get('/a'));
  await until(() => origin.connections.some(({ received }) => received.includes('GET /a')));
});

test('those who ask for the same thing at the same time cost the origin one request', async (t) => {
  const { connect, origin, metric } = await openProxyLab(t, { cache: {} });
  const clients = await Promise.all(Array.from({ length: 20 }, () => connect()));
  for (const client of clients) client.send(get('/a'));
  const connection = await origin.connection();
  await connection.request();
  await until(() => metric('tidegate_cache_requests_total{collapsed}') === clients.length - 1);
  connection.answer('shared', 'Cache-Control: max-age=10\r\n');
  for (const client of clients) await client.take('shared');
  assert.equal(origin.connections.length, 1);
  assert.equal(connection.received, '');
});

test('a stale response is served while a new one is fetched, and renewed by 304', async (t) => {
  const { connect, clock, origin } = await openProxyLab(t, { cache: { staleWhileRevalidate: '1m' } });
  const client = await connect();
  client.send(get('/a'));
  const connection = await origin.connection();
  await connection.request();
  connection.answer('old', 'Cache-Control: max-age=1\r\nETag: "1"\r\n');
  await client.take('old');
  clock.advance(2000);
  client.send(get('/a'));
  await client.take('old');
  const head = await connection.request();
  assert.match(head, /\r\nif-none-match: "1"\r\n/i);
  connection.send('HTTP/1.1 304 Not Modified\r\nCache-Control: max-age=60\r\n\r\n');
  await until(() => {
    client.send(get('/a'));
    return (
      client.received.includes('tidegate; hit; ttl=60') || client.received.includes('tidegate; hit; ttl=59')
    );
  });
});

test('a stale response stands in for an origin that is down', async (t) => {
  const { connect, clock, origin } = await openProxyLab(t, { cache: { staleIfError: '1m' } });
  const client = await connect();
  client.send(get('/a'));
  const connection = await origin.connection();
  await connection.request();
  connection.answer('kept', 'Cache-Control: max-age=1\r\n');
  await client.take('kept');
  clock.advance(2000);
  client.send(get('/a'));
  await connection.request();
  connection.send('HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n');
  assert.match(await client.take('kept'), /stale-if-error/);
});

test('what may not be shared passes, each for itself', async (t) => {
  const { connect, origin } = await openProxyLab(t, { cache: {} });
  const client = await connect();
  for (const body of ['one', 'two']) {
    client.send(get('/a'));
    await until(() => origin.connections.length > 0);
    const [connection] = origin.connections;
    await connection.request();
    connection.answer(body, 'Cache-Control: private\r\n');
    assert.match(await client.take(body), /\r\nCache-Status: tidegate; fwd=/i);
  }
});

test('a change takes out what it has changed (RFC 9111, section 4.4)', async (t) => {
  const { connect, origin } = await openProxyLab(t, { cache: {} });
  const client = await connect();
  client.send(get('/a'));
  const connection = await origin.connection();
  await connection.request();
  connection.answer('before', 'Cache-Control: max-age=100\r\n');
  await client.take('before');
  client.send('PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx');
  await connection.take('\r\n\r\nx');
  connection.send('HTTP/1.1 204 Done\r\n\r\n');
  await client.take('\r\n\r\n');
  client.send(get('/a'));
  await connection.request();
  connection.answer('after', 'Cache-Control: max-age=100\r\n');
  await client.take('after');
});

test('a client that wants what is cached or nothing gets nothing from the origin', async (t) => {
  const { connect, origin } = await openProxyLab(t, { cache: {} });
  const client = await connect();
  client.send(get('/a', 'Cache-Control: only-if-cached\r\n'));
  const answer = await client.take('}');
  assert.match(answer, /^HTTP\/1\.1 504 /);
  assert.equal(problemCode(answer), 'not_cached');
  assert.equal(origin.connections.length, 0);
});

test('a body that is too large to be stored is passed on whole', async (t) => {
  const { connect, origin } = await openProxyLab(t, { cache: { entryBytesMax: 1000 } });
  const client = await connect();
  for (let i = 0; i < 2; i++) {
    client.send(get('/large'));
    await until(() => origin.connections.length > 0);
    const [connection] = origin.connections;
    await connection.request();
    connection.send('HTTP/1.1 200 OK\r\nCache-Control: max-age=10\r\nTransfer-Encoding: chunked\r\n\r\n');
    for (let part = 0; part < 10; part++) connection.send(`1f4\r\n${'z'.repeat(500)}\r\n`);
    connection.send('0\r\n\r\n');
    const answer = await client.take('0\r\n\r\n');
    assert.equal(answer.split('z').length - 1, 5000);
  }
});

test('a client that leaves takes nothing from those who wait with it', async (t) => {
  const { connect, origin, metric } = await openProxyLab(t, { cache: {} });
  const [leader, follower] = [await connect(), await connect()];
  leader.send(get('/a'));
  const connection = await origin.connection();
  await connection.request();
  follower.send(get('/a'));
  await until(() => metric('tidegate_cache_requests_total{collapsed}') === 1);
  leader.socket.resetAndDestroy();
  await until(() => metric('tidegate_http_connections_open') === 1);
  connection.answer('still', 'Cache-Control: max-age=10\r\n');
  await follower.take('still');
});
