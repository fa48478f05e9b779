import assert from 'node:assert/strict';
import test from 'node:test';
import { openLab, problemCode, until } from './lab.ts';

const unexpected = (): void => assert.fail('no request should have been handled');

test('what is not a request is answered with its problem, and the connection closes', async (t) => {
  const lab = await openLab(t, unexpected);
  for (const [bytes, status, code] of [
    ['GET / HTTP/1.1\nHost: x\r\n\r\n', 400, 'http_malformed'],
    [
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      400,
      'http_ambiguous',
    ],
    ['GET / HTTP/3.0\r\n\r\n', 505, 'http_version_unsupported'],
    [`GET /${'x'.repeat(9000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 414, 'http_target_too_long'],
    [`GET / HTTP/1.1\r\n${'X: y\r\n'.repeat(101)}\r\n`, 431, 'http_headers_too_large'],
    [
      'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n',
      501,
      'http_transfer_coding_unsupported',
    ],
    ['GET / HTTP/1.1\r\nHost: x\r\nExpect: a cheque\r\n\r\n', 417, 'http_expectation_failed'],
    ['CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n', 405, 'http_method_not_allowed'],
  ] as const) {
    const client = await lab.connect();
    client.send(bytes);
    const answer = await client.ended();
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} .*\r\nConnection: close\r\n`, 's'));
    assert.equal(problemCode(answer), code);
    await client.closed();
  }
});

test('a client that goes on sending can still read why it was refused (RFC 9112, 9.6)', async (t) => {
  const lab = await openLab(t, unexpected);
  const client = await lab.connect();
  client.send(`\0${'x'.repeat(3_000_000)}`);
  const answer = await client.ended();
  assert.equal(problemCode(answer), 'http_malformed');
  await client.closed();
  assert.equal(client.error, null);
});

test('limits.httpLingerTimeoutMs: a refused client that does not close is dropped', async (t) => {
  const lab = await openLab(t, unexpected);
  const client = await lab.connect();
  client.send('\0');
  await until(() => client.isEnded);
  assert.equal(lab.metric('tidegate_http_connections_open'), 1);
  lab.clock.advance(lab.limits.httpLingerTimeoutMs + 2000);
  await until(() => lab.metric('tidegate_http_connections_open') === 0);
});

test('limits.httpHeadTimeoutMs: a head that trickles in is answered with 408, however steadily (slow loris)', async (t) => {
  const lab = await openLab(t, unexpected);
  const client = await lab.connect();
  for (const octet of 'GET / HTTP/1') {
    client.send(octet);
    const sent = lab.metric('tidegate_http_received_bytes');
    await until(() => lab.metric('tidegate_http_received_bytes') > sent || client.isEnded);
    lab.clock.advance(lab.limits.httpHeadTimeoutMs / 8);
  }
  const answer = await client.ended();
  assert.equal(problemCode(answer), 'http_request_timeout');
  await client.closed();
});

test('a connection that never says a word is closed without a word', async (t) => {
  const lab = await openLab(t, unexpected);
  const client = await lab.connect();
  await until(() => lab.metric('tidegate_http_connections_open') === 1);
  lab.clock.advance(lab.limits.httpHeadTimeoutMs + 3000);
  assert.equal(await client.ended(), '');
});

test('limits.connectionsMax: one more connection gets 503 with Retry-After, and a free place is used again', async (t) => {
  const lab = await openLab(t, (exchange) => exchange.respond(200, {}, '!'), { connectionsMax: 2 });
  const first = await lab.connect();
  const second = await lab.connect();
  await until(() => lab.metric('tidegate_http_connections_open') === 2);
  const third = await lab.connect();
  third.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  const answer = await third.ended();
  assert.match(answer, /^HTTP\/1\.1 503 .*\r\nretry-after: 1\r\n/s);
  assert.equal(problemCode(answer), 'connections_exhausted');
  assert.equal(lab.metric('tidegate_http_connections_refused_total{connections_max}'), 1);

  first.socket.destroy();
  await until(() => lab.metric('tidegate_http_connections_open') === 1);
  const fourth = await lab.connect();
  for (const client of [second, fourth]) {
    client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await client.take('!');
  }
});

test('a client that does not read a large answer is dropped in the end', async (t) => {
  const lab = await openLab(t, (exchange) => exchange.respond(200, {}, 'x'.repeat(30_000_000)));
  const client = await lab.connect();
  client.socket.pause();
  client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await until(() => lab.metric('tidegate_http_requests_total{GET,2xx}') === 1);
  let sent = -1;
  await until(() => {
    const isStill = sent === lab.metric('tidegate_http_sent_bytes');
    sent = lab.metric('tidegate_http_sent_bytes');
    return isStill;
  });
  lab.clock.advance(lab.limits.httpBodyIdleTimeoutMs + 3000);
  await until(() => lab.metric('tidegate_http_connections_open') === 0);
});
