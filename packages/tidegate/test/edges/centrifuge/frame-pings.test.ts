import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { WebSocket } from 'ws';
import { type EdgeServer, startEdgeServer } from '../edge-server.ts';

let server: EdgeServer;
before(async () => {
  server = await startEdgeServer({ limits: { keepAliveIntervalMs: 1000 } });
});
after(() => server.close());

/** A client that says nothing but its connect command, with the reply. */
async function connect(query: string): Promise<{ readonly socket: WebSocket; readonly reply: object }> {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/connection/websocket${query}`);
  await once(socket, 'open');
  socket.send('{"id":1,"connect":{}}');
  const [data] = await once(socket, 'message');
  return { socket, reply: JSON.parse(String(data)).connect };
}

test('a client that asks for ping frames gets those, and stays as long as it answers them', async () => {
  const { socket, reply } = await connect('?cf_ws_frame_ping_pong=true');
  assert.deepEqual(Object.keys(reply), ['client', 'version']);
  const messages: string[] = [];
  socket.on('message', (data) => messages.push(String(data)));
  for (let i = 0; i < 3; i++) await once(socket, 'ping');
  assert.equal(socket.readyState, WebSocket.OPEN);
  assert.deepEqual(messages, []);
  // There was no ping that it would answer.
  socket.send('{}');
  const [code] = await once(socket, 'close');
  assert.equal(code, 3501);
});

test('a client that does not answer ping frames is disconnected', async () => {
  const url = `ws://127.0.0.1:${server.port}/connection/websocket?cf_ws_frame_ping_pong=true`;
  const socket = new WebSocket(url, { autoPong: false });
  await once(socket, 'open');
  socket.send('{"id":1,"connect":{}}');
  const [code] = await once(socket, 'close');
  assert.equal(code, 3012);
});

test('other clients are pinged by empty replies', async () => {
  const { socket, reply } = await connect('?cf_ws_frame_ping_pong=false');
  assert.deepEqual(Object.keys(reply), ['client', 'version', 'ping', 'pong']);
  const [data] = await once(socket, 'message');
  assert.equal(String(data), '{}');
  socket.close();
  await once(socket, 'close');
});
