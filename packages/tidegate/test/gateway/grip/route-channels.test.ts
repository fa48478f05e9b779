import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { until } from '../../listeners/lab.ts';
import { openPageLab } from '../cross-origin/page-lab.ts';
import { openSockJsLab } from '../sockjs/sockjs-lab.ts';

const grip = { prefix: 'p-', channels: ['all'] };

test('a held response is answered by a channel of the route, with its prefix, beside those of the origin', async (t) => {
  const lab = await openPageLab(t, { grip }, (response) =>
    response.writeHead(200, { 'Grip-Hold': 'response', 'Grip-Channel': 'own' }).end('nothing yet'),
  );
  for (const channel of ['p-all', 'p-own']) {
    const held = lab.get('/');
    await Promise.all([lab.subscribed('p-all'), lab.subscribed('p-own')]);
    await lab.publish({ channel, formats: { 'http-response': { body: channel } } });
    assert.equal((await held).body, channel);
  }
  assert.equal(lab.hub.count('all'), 0);
});

test('a channel that the origin names, too, is subscribed to once, as the origin says', async (t) => {
  const lab = await openPageLab(t, { grip }, (response) =>
    response.writeHead(200, { 'Grip-Hold': 'stream', 'Grip-Channel': 'all; filter=skip-self' }).end('one\n'),
  );
  const client = await lab.connect();
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await client.take('one\n');
  await lab.subscribed('p-all');
  await lab.publish({ channel: 'p-all', formats: { 'http-stream': { content: 'two\n' } } });
  await client.take('two\n');
  assert.doesNotMatch(client.received, /two/);
});

test('what the origin does not hold is not held', async (t) => {
  const lab = await openPageLab(t, { grip }, (response) => response.end('just an answer'));
  assert.equal((await lab.get('/')).body, 'just an answer');
  assert.equal(lab.hub.count('p-all'), 0);
});

test('WebSockets are subscribed, whether or not their origin knows GRIP, and the origin cannot end it', async (t) => {
  for (const speaks of ['grip', 'nothing else'] as const) {
    const lab = await openSockJsLab(t, {
      route: { grip },
      serve(socket) {
        socket.on('message', (data) => {
          socket.send(speaks === 'grip' ? 'c:{"type":"unsubscribe","channel":"all"}' : 'c:{}');
          socket.send(speaks === 'grip' ? `m:${data}` : String(data));
        });
      },
      accepts: speaks === 'grip' ? 'grip' : null,
    });
    const client = new WebSocket(`ws://127.0.0.1:${lab.listener.port}/`);
    t.after(() => client.terminate());
    const texts: string[] = [];
    client.on('message', (data) => texts.push(String(data)));
    await once(client, 'open');
    await until(() => lab.hub.count('p-all') === 1);
    client.send('hello');
    await until(() => texts.includes('hello'));
    await lab.publish({ channel: 'p-all', formats: { 'ws-message': { content: 'news' } } });
    await until(() => texts.includes('news'));
    assert.deepEqual(texts, speaks === 'grip' ? ['hello', 'news'] : ['c:{}', 'hello', 'news']);
    client.close();
    await until(() => lab.hub.count('p-all') === 0);
  }
});

test('so are sessions of SockJS', async (t) => {
  const lab = await openSockJsLab(t, { route: { grip } });
  assert.equal((await lab.post('/echo/0/a/xhr')).body, 'o\n');
  await until(() => lab.hub.count('p-all') === 1);
  await lab.publish({ channel: 'p-all', formats: { 'ws-message': { content: 'news' } } });
  assert.equal((await lab.post('/echo/0/a/xhr')).body, 'a["news"]\n');
});
