import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Asked, ask, openSession } from '../../listeners/http2-lab.ts';
import { advanceUntil, until } from '../../listeners/lab.ts';
import { Certificates, NO_OPENSSL } from '../../support/certificates.ts';
import { openSockJsLab, standsStill } from './sockjs-lab.ts';

test('a request that hears nothing gets a heartbeat after 25 seconds: a poll ends with it, a stream goes on', async (t) => {
  const { post, open, clock, connect } = await openSockJsLab(t);
  await post('/echo/0/a/xhr');
  const stream = await open('POST', '/echo/0/a/xhr_streaming');
  await stream.take(2049);
  clock.advance(24_000);
  assert.equal(stream.untaken, '');
  await advanceUntil(clock, 250, () => stream.untaken.length > 0);
  assert.equal(await stream.take(2), 'h\n');
  await advanceUntil(clock, 1000, () => stream.untaken.length > 0);
  assert.equal(await stream.take(2), 'h\n');
  assert.equal(stream.isEnded, false);
  await post('/echo/0/b/xhr');
  const poll = await connect();
  poll.send('POST /echo/0/b/xhr HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n');
  assert.match((await post('/echo/0/b/xhr')).body, /2010/);
  await advanceUntil(clock, 1000, () => poll.received !== '');
  assert.match(await poll.take('h\n'), /\r\n\r\nh\n$/);
});

test('a session without a receiving request is over after 5 seconds: the origin loses it, and its id is free', async (t) => {
  const { post, clock, ends, sockets, metric } = await openSockJsLab(t);
  await post('/echo/0/a/xhr');
  assert.equal(metric('tidegate_sockjs_sessions{http}'), 1);
  clock.advance(4000);
  assert.equal((await post('/echo/0/a/xhr_send', '["x"]')).status, 204);
  assert.equal((await post('/echo/0/a/xhr')).body, 'a["x"]\n');
  clock.advance(4000);
  assert.equal(ends.length, 0);
  await advanceUntil(clock, 250, () => ends.length === 1);
  // Nobody has said goodbye.
  assert.deepEqual(ends, [{ code: 1006, reason: '' }]);
  assert.equal(metric('tidegate_sockjs_sessions{http}'), 0);
  assert.equal(metric('tidegate_sockjs_timeouts_total'), 1);
  assert.equal((await post('/echo/0/a/xhr_send', '["x"]')).status, 404);
  assert.equal((await post('/echo/0/a/xhr')).body, 'o\n');
  assert.equal(sockets.length, 2);
});

test('a closed session is told of for 5 seconds, and then its id is free', async (t) => {
  const { post, clock, metric } = await openSockJsLab(t);
  await post('/echo/0/a/xhr');
  await post('/echo/0/a/xhr_send', '["last","bye"]');
  let body = '';
  for (body = ''; !body.startsWith('c'); body = (await post('/echo/0/a/xhr')).body);
  assert.equal(body, 'c[3000,"Go away!"]\n');
  assert.equal((await post('/echo/0/a/xhr_send', '["x"]')).status, 404);
  clock.advance(4000);
  assert.equal((await post('/echo/0/a/xhr')).body, 'c[3000,"Go away!"]\n');
  await advanceUntil(clock, 250, () => metric('tidegate_sockjs_sessions{http}') === 0);
  assert.equal(metric('tidegate_sockjs_timeouts_total'), 0);
  assert.equal((await post('/echo/0/a/xhr')).body, 'o\n');
});

test('what the origin says before it closes is told first, and an origin that vanishes is told as such', async (t) => {
  const { post, sockets } = await openSockJsLab(t);
  await post('/echo/0/a/xhr');
  sockets[0].socket.send('one');
  sockets[0].socket.send('two');
  sockets[0].socket.close();
  let told = '';
  while (!told.includes('c[')) told += (await post('/echo/0/a/xhr')).body;
  assert.equal(told.replace('"]\na["', '","'), 'a["one","two"]\nc[1000,"Normal closure"]\n');
  await post('/echo/0/b/xhr');
  sockets[1].socket.terminate();
  assert.equal((await post('/echo/0/b/xhr')).body, 'c[1006,"Connection lost"]\n');
});

test('a session is over whose slow client leaves, and the next request hears so', async (t) => {
  const lab = await openSockJsLab(t, {
    serve(socket) {
      for (let index = 0; index < 2000; index++) socket.send('x'.repeat(10_000));
      socket.close(3000, 'Go away!');
    },
  });
  const client = await lab.connect();
  client.socket.pause();
  client.send('POST /echo/0/a/xhr_streaming HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n');
  await until(() => lab.sockets.length === 1);
  client.socket.destroy();
  let answer = '2010';
  while (answer.includes('2010')) answer = (await lab.post('/echo/0/a/xhr')).body;
  assert.equal(answer, 'c[1002,"Connection interrupted"]\n');
});

test('a session of one route is none of another', async (t) => {
  const { post, adopt, sockets, listener } = await openSockJsLab(t);
  await post('/echo/0/a/xhr');
  const url = `http://127.0.0.1:${(sockets[0].request.socket.address() as { port: number }).port}`;
  const sockjs = { path: '/other' };
  adopt(
    {
      chat: { match: { path: '/*' }, upstream: 'app', sockjs: { path: '/echo' } },
      other: { match: { path: '/other/*' }, upstream: 'app', sockjs },
    },
    { app: { targets: [{ url }] } },
  );
  assert.equal((await post('/other/0/a/xhr_send', '["x"]')).status, 404);
  assert.equal((await post('/other/0/a/xhr')).body, 'o\n');
  assert.ok(listener.port > 0);
});

test('a session more than limits.sockJsSessionsMax is refused until one is over', async (t) => {
  const { post, clock, metric } = await openSockJsLab(t, { limits: { sockJsSessionsMax: 1 } });
  await post('/echo/0/a/xhr');
  const refused = await post('/echo/0/b/xhr', '', { origin: 'http://page.example' });
  assert.equal(refused.status, 503);
  assert.equal(JSON.parse(refused.body).code, 'connections_exhausted');
  assert.equal(refused.headers['access-control-allow-origin'], 'http://page.example');
  await advanceUntil(clock, 250, () => metric('tidegate_sockjs_sessions{http}') === 0);
  assert.equal((await post('/echo/0/b/xhr')).body, 'o\n');
});

test('what is sent at once has the bytes of limits.sockJsSendBytesMax at most', async (t) => {
  const { post } = await openSockJsLab(t, { limits: { sockJsSendBytesMax: 64 } });
  await post('/echo/0/a/xhr');
  const text = 'x'.repeat(60);
  assert.equal((await post('/echo/0/a/xhr_send', `["${text}"]`)).status, 204);
  assert.equal((await post('/echo/0/a/xhr_send', `["${text}x"]`)).status, 413);
  assert.equal((await post('/echo/0/a/xhr')).body, `a["${text}"]\n`);
});

test('past limits.sockJsQueuedBytesMax the origin waits until the client asks, and then nothing is missing', async (t) => {
  const count = 2000;
  const text = 'x'.repeat(10_000);
  let sent = 0;
  const lab = await openSockJsLab(t, {
    limits: { sockJsQueuedBytesMax: 20_000 },
    serve(socket) {
      const more = (): void => {
        while (sent < count && socket.bufferedAmount < 100_000) socket.send(text + sent++);
        if (sent < count) setTimeout(more, 1);
      };
      more();
    },
  });
  await lab.post('/echo/0/a/xhr');
  await standsStill(() => sent);
  assert.ok(sent < count, 'the origin was not slowed down');
  const received: string[] = [];
  while (received.length < count)
    received.push(...JSON.parse((await lab.post('/echo/0/a/xhr')).body.slice(1)));
  assert.deepEqual(
    received,
    Array.from({ length: count }, (_, index) => text + index),
  );
});

test('a stream that is not read slows the origin down, and then brings everything', async (t) => {
  const count = 2000;
  const text = 'x'.repeat(10_000);
  let sent = 0;
  const lab = await openSockJsLab(t, {
    limits: { sockJsQueuedBytesMax: 20_000, sockJsResponseBytesMax: 64 * 1024 * 1024 },
    serve(socket) {
      const more = (): void => {
        while (sent < count && socket.bufferedAmount < 100_000) socket.send(text + sent++);
        if (sent < count) setTimeout(more, 1);
      };
      more();
    },
  });
  const client = await lab.connect();
  client.socket.pause();
  client.send('POST /echo/0/a/xhr_streaming HTTP/1.0\r\nHost: a\r\nContent-Length: 0\r\n\r\n');
  await standsStill(() => sent);
  assert.ok(sent < count, 'the origin was not slowed down');
  client.socket.resume();
  await until(() => client.received.includes(`${text}${count - 1}"]\n`));
  const frames = client.received.split('\n').filter((line) => line.startsWith('a['));
  assert.deepEqual(
    frames.flatMap((frame) => JSON.parse(frame.slice(1))),
    Array.from({ length: count }, (_, index) => text + index),
  );
});

test('an origin that does not read has a send wait, and another one beside it is refused', async (t) => {
  const lab = await openSockJsLab(t, { serve() {} });
  await lab.post('/echo/0/a/xhr');
  const { socket } = lab.sockets[0];
  socket.pause();
  const received: number[] = [];
  socket.on('message', (data) => received.push(String(data).length));
  const body = JSON.stringify(['x'.repeat(900_000)]);
  const statuses: number[] = [];
  let sent = 0;
  let isResumed = false;
  const sendOn = async (): Promise<void> => {
    while (!isResumed) {
      sent++;
      statuses.push((await lab.post('/echo/0/a/xhr_send', body)).status);
    }
  };
  const sending = sendOn();
  await standsStill(() => sent);
  // What has been answered is on its way, and the last one waits.
  assert.equal(statuses.length, sent - 1);
  assert.equal((await lab.post('/echo/0/a/xhr_send', '["x"]')).status, 400);
  isResumed = true;
  socket.resume();
  await sending;
  await until(() => received.length === sent);
  assert.deepEqual(new Set(statuses), new Set([204]));
});

test('a message larger than any that origins and channels may have ends the session', async (t) => {
  const { post } = await openSockJsLab(t, {
    limits: { webSocketMessageBytesMax: 1024, messageBytesMax: 2048 },
    serve(socket) {
      socket.send('x'.repeat(2048));
      socket.send('x'.repeat(2049));
    },
  });
  let told = '';
  while (!told.includes('c[')) told += (await post('/echo/0/a/xhr')).body;
  assert.match(told, /^o\na\["x{2048}"\]\nc\[1009,"[^"]+"\]\n$/);
});

test('over HTTP/2, all requests of a session share a connection', { skip: NO_OPENSSL }, async (t) => {
  const certificates = await Certificates.create(t);
  await certificates.make('server', { names: ['DNS:localhost', 'IP:127.0.0.1'] });
  const tls = { certificates: [certificates.files('server')], minVersion: 'TLSv1.2', clients: null } as const;
  const lab = await openSockJsLab(t, { tls });
  const session = await openSession(t, lab);
  const post = (name: string, body = ''): Asked =>
    ask(session, { ':method': 'POST', ':path': `/echo/0/a/${name}` }, body);
  const stream = post('xhr_streaming');
  await stream.until('o\n');
  assert.equal((await post('xhr_send', '["x"]').answer()).status, 204);
  await stream.until('a["x"]\n');
  assert.equal((await post('xhr').answer()).body, 'c[2010,"Another connection still open"]\n');
  assert.equal(lab.sockets[0].request.headers['x-forwarded-proto'], 'https');
  stream.stream.close();
  await until(() => lab.ends.length === 1);
  assert.equal((await post('xhr').answer()).body, 'c[1002,"Connection interrupted"]\n');
});

test('a send of very many messages reaches the origin whole', async (t) => {
  let received = 0;
  const { post } = await openSockJsLab(t, {
    serve: (socket) => socket.on('message', () => void received++),
  });
  await post('/echo/0/a/xhr');
  const messages = Array.from({ length: 300_000 }, () => '');
  assert.equal((await post('/echo/0/a/xhr_send', JSON.stringify(messages))).status, 204);
  await until(() => received === messages.length);
});

test('an origin that sends pings without end, and reads nothing, gets an answer to the last', async (t) => {
  const pongs: string[] = [];
  let pinged = 0;
  const lab = await openSockJsLab(t, {
    serve: (socket) => socket.on('pong', (payload) => pongs.push(String(payload))),
  });
  await lab.post('/echo/0/a/xhr');
  const { socket } = lab.sockets[0];
  socket.pause();
  // More than the sockets between hold.
  const filling = lab.post(
    '/echo/0/a/xhr_send',
    JSON.stringify(Array.from({ length: 7 }, () => 'x'.repeat(140_000))),
  );
  await filling;
  const more: Promise<unknown>[] = [];
  let waiting = 0;
  for (let count = 0; count < 20 && waiting === 0; count++) {
    const sent = lab.post('/echo/0/a/xhr_send', JSON.stringify(['x'.repeat(900_000)])).then(() => waiting--);
    waiting++;
    more.push(sent);
    await Promise.race([sent, standsStill(() => count + 1)]);
  }
  assert.equal(waiting, 1);
  for (; pinged < 1000; pinged++) socket.ping(String(pinged));
  await standsStill(() => pinged);
  socket.resume();
  await Promise.all(more);
  await until(() => pongs.includes('999'));
  assert.ok(pongs.length < 1000, `${pongs.length} pongs`);
});

test('the server ends sessions by saying so, and takes no new ones', async (t) => {
  const { post, open, gateway, ends } = await openSockJsLab(t);
  await post('/echo/0/a/xhr');
  const stream = await open('POST', '/echo/0/b/xhr_streaming');
  await stream.take(2051);
  gateway.drain();
  assert.equal(await stream.rest(), 'c[1012,"Service restart"]\n');
  assert.equal((await post('/echo/0/a/xhr')).body, 'c[1012,"Service restart"]\n');
  const refused = await post('/echo/0/c/xhr');
  assert.deepEqual([refused.status, JSON.parse(refused.body).code], [503, 'draining']);
  await until(() => ends.length === 2);
  assert.deepEqual(
    ends.map(({ code }) => code),
    [1001, 1001],
  );
});
