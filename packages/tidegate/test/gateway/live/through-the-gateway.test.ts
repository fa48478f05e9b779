import assert from 'node:assert/strict';
import { once } from 'node:events';
import test from 'node:test';
import { EventSource } from 'eventsource';
import { WebSocket } from 'ws';
import { advanceUntil, until } from '../../listeners/lab.ts';
import { openProxyLab } from '../lab.ts';

test('a plain JSON API is live by one line of its route: a stream, a WebSocket and a plain answer from one poll', async (t) => {
  const lab = await openProxyLab(t, { live: { every: '2s' }, rewrite: { addPrefix: '/api' } });
  const { listener, origin, clock } = lab;
  const events: string[] = [];
  const source = new EventSource(`http://127.0.0.1:${listener.port}/stocks?of=x`);
  t.after(() => source.close());
  for (const name of ['snapshot', 'patch']) {
    source.addEventListener(name, (event) => events.push(`${name} ${(event as MessageEvent).data}`));
  }
  const connection = await origin.connection();
  const head = await connection.request();
  assert.match(head, /^GET \/api\/stocks\?of=x HTTP\/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\n/);
  connection.answer('{"price":1,"name":"x"}', 'Content-Type: application/json\r\nETag: "1"\r\n');
  await until(() => events.length === 1);
  assert.deepEqual(events, ['snapshot {"price":1,"name":"x"}']);

  const socket = new WebSocket(`ws://127.0.0.1:${listener.port}/stocks?of=x`);
  t.after(() => socket.terminate());
  const [first] = await once(socket, 'message');
  assert.deepEqual(JSON.parse(String(first)).value, { price: 1, name: 'x' });

  await advanceUntil(clock, 100, () => connection.received.includes('\r\n\r\n'));
  assert.match(await connection.request(), /\r\nif-none-match: "1"\r\n/i);
  const changed = once(socket, 'message');
  connection.answer('{"price":2,"name":"x"}', 'Content-Type: application/json\r\n');
  await until(() => events.length === 2);
  assert.equal(events[1], 'patch [{"op":"replace","path":"/price","value":2}]');
  const [second] = await changed;
  assert.deepEqual(JSON.parse(String(second)).patch, [{ op: 'replace', path: '/price', value: 2 }]);
  assert.equal(origin.connections.length, 1);
});

test('a plain answer of a live route tells how it can be had live', async (t) => {
  const { connect, origin } = await openProxyLab(t, { live: { every: '2s' } });
  const client = await connect();
  client.send('GET /stocks HTTP/1.1\r\nHost: example.com\r\n\r\n');
  const connection = await origin.connection();
  await connection.request();
  connection.answer('{}', 'Content-Type: application/json\r\nLink: </other>; rel="next"\r\n');
  const answer = await client.take('{}');
  assert.match(answer, /\r\nLink: <\/other>; rel="next"\r\n/);
  assert.match(answer, /\r\nlink: <\/stocks>; rel="alternate changes-stream"; type="text\/event-stream"\r\n/);
  assert.match(answer, /\r\nlink: <ws:\/\/example\.com\/stocks>; rel="alternate"\r\n/);
});

test('polls carry the fields that the route sets, and not those that it removes', async (t) => {
  const { connect, origin } = await openProxyLab(t, {
    live: { every: '2s' },
    headers: { request: { set: { 'X-Key': 'ours' }, remove: ['Cookie'] } },
  });
  const client = await connect();
  client.send(
    'GET /stocks HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\nCookie: a=1\r\nX-Api-Key: b\r\n\r\n',
  );
  const connection = await origin.connection();
  const head = await connection.request();
  assert.match(head, /\r\nx-key: ours\r\n/i);
  assert.match(head, /\r\nx-api-key: b\r\n/i);
  assert.doesNotMatch(head, /\r\ncookie:/i);
  connection.answer('{}', 'Content-Type: application/json\r\n');
  await client.take('event: snapshot');
});
