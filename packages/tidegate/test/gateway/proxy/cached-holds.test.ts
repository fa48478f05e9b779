import assert from 'node:assert/strict';
import test from 'node:test';
import { advanceUntil, until } from '../../listeners/lab.ts';
import { openProxyLab } from '../lab.ts';

const GET = 'GET /counter HTTP/1.1\r\nHost: a\r\n\r\n';

test('instructions are kept with the response: the next client is held without the origin being asked, also when it is down', async (t) => {
  const lab = await openProxyLab(t, { cache: {}, grip: {} });
  const { connect, origin, clock } = lab;
  const clients = [await connect()];
  clients[0].send(GET);
  const connection = await origin.connection();
  await connection.request();
  connection.answer(
    'data: 1\n\n',
    'Content-Type: text/event-stream\r\nCache-Control: max-age=60\r\nGrip-Hold: stream\r\nGrip-Channel: counter\r\n' +
      'Grip-Keep-Alive: : still here\\n\\n; format=cstring; timeout=10\r\n',
  );
  await clients[0].take('data: 1\n\n');
  connection.socket.end();
  await connection.ended();
  for (let i = 0; i < 5; i++) {
    const client = await connect();
    client.send(GET);
    const answer = await client.take('data: 1\n\n');
    assert.doesNotMatch(answer, /grip-/i);
    clients.push(client);
  }
  assert.equal(origin.connections.length, 1);
  // They are held, all of them: nothing but that keeps a stream alive.
  await advanceUntil(clock, 1000, () => clients.every(({ received }) => received.includes(': still here')));
  await until(() => clients.every(({ isEnded }) => !isEnded));
});
