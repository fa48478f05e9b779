import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { problemCode, until } from '../../listeners/lab.ts';
import { openHttp2Lab, openHttp2Origin } from './http2-origin.ts';

const HANDSHAKE =
  'GET /chat?a=b HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: chat\r\n\r\n';

const OFFERED = { settings: { enableConnectProtocol: true } };

test('a WebSocket goes to an HTTP/2 origin by extended CONNECT (RFC 8441, section 5)', async (t) => {
  const origin = await openHttp2Origin(t, OFFERED);
  const { connect } = await openHttp2Lab(t, origin);
  const client = await connect();
  client.send(HANDSHAKE);
  const { headers, stream } = await origin.request();
  assert.equal(headers[':method'], 'CONNECT');
  assert.equal(headers[':protocol'], 'websocket');
  assert.equal(headers[':path'], '/chat?a=b');
  assert.equal(headers[':authority'], 'a');
  assert.equal(headers['sec-websocket-version'], '13');
  assert.equal(headers['sec-websocket-protocol'], 'chat');
  assert.equal(headers['sec-websocket-key'], undefined);
  assert.equal(headers.upgrade, undefined);
  stream.respond({ ':status': 200, 'sec-websocket-protocol': 'chat' });
  const head = await client.take('\r\n\r\n');
  assert.match(head, /^HTTP\/1\.1 101 /);
  // The example of RFC 6455, section 1.3.
  assert.match(head, /\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/i);
  assert.match(head, /\r\nsec-websocket-protocol: chat\r\n/i);
  client.send('from the client');
  const [received] = await once(stream, 'data');
  assert.equal(String(received), 'from the client');
  stream.write('from the origin');
  await client.take('from the origin');
});

test('a stock client speaks through it, and both ends learn when the other goes', async (t) => {
  const origin = await openHttp2Origin(t, OFFERED);
  const { listener } = await openHttp2Lab(t, origin);
  const url = `ws://127.0.0.1:${listener.port}/`;
  const client = new WebSocket(url);
  t.after(() => client.terminate());
  const { stream } = await origin.request();
  stream.respond({ ':status': 200 });
  await once(client, 'open');
  // A text message that is not masked, as servers send it (RFC 6455, section 5.2).
  stream.write(Buffer.from([0x81, 2, 0x68, 0x69]));
  assert.equal(String((await once(client, 'message'))[0]), 'hi');
  stream.close(8);
  await once(client, 'close');
  const leaving = new WebSocket(url);
  leaving.on('error', () => {});
  const left = (await origin.request()).read();
  left.stream.respond({ ':status': 200 });
  left.stream.on('end', () => left.stream.end());
  await once(leaving, 'open');
  leaving.terminate();
  await until(() => left.isClosed);
  assert.equal(origin.sessions.length, 1);
});

test('an origin that refuses a handshake has its answer passed on, and its stream is taken back', async (t) => {
  const origin = await openHttp2Origin(t, OFFERED);
  const { connect } = await openHttp2Lab(t, origin);
  const client = await connect();
  client.send(HANDSHAKE);
  const request = await origin.request();
  request.answer('no', { ':status': '403', 'x-why': 'because' });
  const answer = await client.take('no');
  assert.match(answer, /^HTTP\/1\.1 403 /);
  assert.match(answer, /x-why: because/);
  await until(() => request.isClosed);
});

test('a WebSocket through an origin that does not offer it is 502, says why, and is not held against the origin', async (t) => {
  const origin = await openHttp2Origin(t);
  const { connect } = await openHttp2Lab(t, origin, {
    upstream: { passive: { failures: 1, ejectedPercentMax: 100 } },
    route: { breaker: { failures: 1 } } as object,
  });
  for (let round = 0; round < 3; round++) {
    const client = await connect();
    client.send(HANDSHAKE);
    const answer = await client.take('}');
    assert.match(answer, /^HTTP\/1\.1 502 /);
    assert.equal(problemCode(answer), 'websocket_unsupported');
    assert.match(answer, /RFC 8441/);
  }
  const client = await connect();
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  (await origin.request()).answer('well');
  await client.take('well');
  assert.equal(origin.requests.length, 1);
});

test('a tunnel reads no faster than the other side takes', async (t) => {
  const origin = await openHttp2Origin(t, OFFERED);
  const { connect } = await openHttp2Lab(t, origin);
  const client = await connect();
  client.send(HANDSHAKE);
  const { stream } = await origin.request();
  stream.respond({ ':status': 200 });
  await client.take('\r\n\r\n');
  client.socket.pause();
  const total = 64 * 1024 * 1024;
  stream.write(Buffer.alloc(total, 'x'));
  const sent = (): number => stream.session?.socket.bytesWritten ?? 0;
  let last = -1;
  // Once nothing moves any more, the kernels are full and the gateway waits.
  for (; last !== sent(); await new Promise((resolve) => setTimeout(resolve, 100))) last = sent();
  assert.ok(last < total, 'the gateway has taken all of it');
  let received = 0;
  client.socket.removeAllListeners('data');
  client.socket.on('data', (bytes) => {
    received += bytes.length;
  });
  client.socket.resume();
  await until(() => received === total);
});
