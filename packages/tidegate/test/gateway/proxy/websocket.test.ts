import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import test from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { openGatewayLab, openProxyLab } from '../lab.ts';

test('a WebSocket passes through, with its subprotocol, its compression and its close code', async (t) => {
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    perMessageDeflate: true,
    handleProtocols: () => 'chat',
  });
  await once(server, 'listening');
  t.after(() => server.close());
  server.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    socket.on('close', () => {});
  });
  const lab = await openGatewayLab(t, {
    routes: { all: { match: { path: '/*' }, upstream: 'app' } },
    upstreams: { app: { targets: [{ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }] } },
  });
  const client = new WebSocket(`ws://127.0.0.1:${lab.listener.port}/chat?a=b`, ['chat']);
  t.after(() => client.terminate());
  await once(client, 'open');
  assert.equal(client.protocol, 'chat');
  assert.match(client.extensions, /permessage-deflate/);
  for (const text of ['hello', 'x'.repeat(1_000_000)]) {
    client.send(text);
    const [data, isBinary] = await once(client, 'message');
    assert.equal(isBinary, false);
    assert.equal(String(data), text);
  }
  client.close(4321, 'bye');
  const [code, reason] = await once(client, 'close');
  assert.equal(code, 4321);
  assert.equal(String(reason), 'bye');
});

test('an origin that refuses a handshake has its answer passed on', async (t) => {
  const { listener, origin } = await openProxyLab(t);
  const client = new WebSocket(`ws://127.0.0.1:${listener.port}/chat`);
  client.on('error', () => {});
  const answered = once(client, 'unexpected-response');
  const connection = await origin.connection();
  const head = await connection.request();
  assert.match(head, /\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n/);
  assert.match(head, /\r\nSec-WebSocket-Key: /);
  connection.send('HTTP/1.1 403 Forbidden\r\nX-Why: no\r\nContent-Length: 0\r\n\r\n');
  const [, response] = await answered;
  assert.equal(response.statusCode, 403);
  assert.equal(response.headers['x-why'], 'no');
});

test('what the origin sends behind its head is passed on, and what the client sends ahead of it', async (t) => {
  const { connect, origin } = await openProxyLab(t);
  const client = await connect();
  client.send(
    'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\nahead',
  );
  const connection = await origin.connection();
  await connection.request();
  connection.send(
    'HTTP/1.1 101 Switching Protocols\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nUpgrade: websocket\r\n' +
      'Connection: Upgrade\r\n\r\nbehind',
  );
  const answer = await client.take('behind');
  assert.match(answer, /^HTTP\/1\.1 101 Switching Protocols\r\n/);
  assert.match(answer, /\r\nConnection: Upgrade\r\n/);
  assert.match(answer, /\r\nupgrade: websocket\r\n/i);
  await connection.take('ahead');
});

test('when either side of a tunnel goes, the other one goes too', async (t) => {
  const { connect, origin } = await openProxyLab(t);
  const handshake =
    'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';
  const accept = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n';
  const leaving = await connect();
  leaving.send(handshake);
  const left = await origin.connection();
  await left.request();
  left.send(accept);
  await leaving.take('\r\n\r\n');
  leaving.socket.destroy();
  await left.ended();
  const staying = await connect();
  staying.send(handshake);
  const dying = await origin.connection();
  await dying.request();
  dying.send(accept);
  await staying.take('\r\n\r\n');
  dying.socket.resetAndDestroy();
  await staying.ended();
});

test('a tunnel reads no faster than the other side takes', async (t) => {
  const { connect, origin } = await openProxyLab(t);
  const client = await connect();
  client.send(
    'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  );
  const connection = await origin.connection();
  await connection.request();
  connection.send('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
  await client.take('\r\n\r\n');
  client.socket.pause();
  const total = 64 * 1024 * 1024;
  connection.socket.write(Buffer.alloc(total, 120));
  await new Promise((resolve) => {
    let last = -1;
    const look = (): void => {
      // Once nothing moves any more, the kernels are full and the gateway waits.
      if (connection.socket.writableLength === last) resolve(null);
      else {
        last = connection.socket.writableLength;
        setTimeout(look, 100);
      }
    };
    look();
  });
  assert.ok(connection.socket.writableLength > 0, 'the gateway has taken all of it');
  client.socket.resume();
  let received = 0;
  client.socket.on('data', (slice) => {
    received += slice.length;
  });
  while (received < total) await new Promise((resolve) => setTimeout(resolve, 5));
});
