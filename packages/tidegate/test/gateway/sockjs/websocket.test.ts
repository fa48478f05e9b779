import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { WebSocket } from 'ws';
import { advanceUntil, until } from '../../listeners/lab.ts';
import { openSockJsLab, type SockJsLab, type SockJsLabOptions, standsStill } from './sockjs-lab.ts';

const HANDSHAKE =
  'Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
  'Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n\r\n';

interface Opened {
  readonly client: WebSocket;
  readonly texts: string[];
}

function connectTo(t: TestContext, lab: SockJsLab, path: string, protocols: string[] = []): Opened {
  const client = new WebSocket(`ws://127.0.0.1:${lab.listener.port}${path}`, protocols);
  t.after(() => client.terminate());
  const texts: string[] = [];
  client.on('message', (data) => texts.push(String(data)));
  client.on('error', () => {});
  return { client, texts };
}

async function openFramed(t: TestContext, options?: SockJsLabOptions): Promise<Opened & { lab: SockJsLab }> {
  const lab = await openSockJsLab(t, options);
  const opened = connectTo(t, lab, '/echo/000/one/websocket');
  await until(() => opened.texts.length === 1);
  assert.equal(opened.texts[0], 'o');
  return { ...opened, lab };
}

test('WebsocketHttpErrors: what is no handshake is refused', async (t) => {
  const { get, post, connect } = await openSockJsLab(t);
  for (const path of ['/echo/0/0/websocket', '/echo/websocket']) {
    const plain = await get(path);
    assert.equal(plain.status, 400);
    assert.match(plain.body, /Can "Upgrade" only to "WebSocket"\./);
    const posted = await post(path);
    assert.deepEqual([posted.status, posted.body, posted.headers['content-type']], [405, '', undefined]);
    assert.equal(posted.headers.allow, 'GET');
  }
  const client = await connect();
  client.send(
    'GET /echo/0/0/websocket HTTP/1.1\r\nHost: a\r\nUpgrade: WebSocket\r\nConnection: close\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n\r\n',
  );
  assert.match(await client.ended(), /^HTTP\/1\.1 400 /);
});

test('WebsocketHybi10: the handshake is answered as RFC 6455 has it', async (t) => {
  const { connect } = await openSockJsLab(t);
  const client = await connect();
  client.send(`GET /echo/000/head/websocket HTTP/1.1\r\nHost: a\r\n${HANDSHAKE}`);
  const head = await client.take('\r\n\r\n');
  assert.match(head, /^HTTP\/1\.1 101 /);
  assert.match(head, /\r\nsec-websocket-accept: HSmrc0sMlYUkAGmm5OPpG2HaGWk=\r\n/i);
  assert.doesNotMatch(head, /content-length/i);
});

test('WebsocketHybi10: messages have frames of SockJS, both ways, and empty ones are passed over', async (t) => {
  const { client, texts } = await openFramed(t);
  client.send('');
  client.send('["a"]');
  await until(() => texts.length === 2);
  client.send('["b","\\u2028c"]');
  await until(() => texts.length === 4);
  assert.deepEqual(texts, ['o', 'a["a"]', 'a["b"]', 'a["\\u2028c"]']);
});

test('WebsocketHybi10: the close of the origin is a frame, and then the end of the WebSocket', async (t) => {
  const { client, texts, lab } = await openFramed(t);
  client.send('["bye"]');
  const [code, reason] = await once(client, 'close');
  assert.deepEqual([texts.at(-1), code, String(reason)], ['c[3000,"Go away!"]', 3000, 'Go away!']);
  await until(() => lab.ends.length === 1);
  assert.deepEqual(lab.ends, [{ code: 3000, reason: '' }]);
  await until(() => lab.metric('tidegate_sockjs_sessions{websocket}') === 0);
});

test('WebsocketHybi10: what is no list of texts drops the connection, to both sides', async (t) => {
  for (const broken of ['["a', '{}', '[1]']) {
    const { client, lab } = await openFramed(t);
    client.send(broken);
    const [code] = await once(client, 'close');
    assert.equal(code, 1006);
    await until(() => lab.ends.length === 1);
    assert.deepEqual(lab.ends, [{ code: 1006, reason: '' }]);
  }
});

test('WebsocketHixie76: two WebSockets may have the same session id, and are two sessions', async (t) => {
  const lab = await openSockJsLab(t);
  const [one, other] = [0, 1].map(() => connectTo(t, lab, '/echo/000/same/websocket'));
  await until(() => one.texts.length + other.texts.length === 2);
  assert.equal(lab.metric('tidegate_sockjs_sessions{websocket}'), 2);
  one.client.send('["a"]');
  other.client.send('["b"]');
  await until(() => one.texts.length + other.texts.length === 4);
  assert.deepEqual(
    [one.texts, other.texts],
    [
      ['o', 'a["a"]'],
      ['o', 'a["b"]'],
    ],
  );
  one.client.close(4000, 'x');
  await until(() => lab.ends.length === 1);
  assert.deepEqual(lab.ends, [{ code: 4000, reason: 'x' }]);
});

test('RawWebsocket: there are no frames of SockJS, and everything passes as it is', async (t) => {
  const lab = await openSockJsLab(t);
  const { client, texts } = connectTo(t, lab, '/echo/websocket?a=b');
  await once(client, 'open');
  client.send('Hello world!\uffff');
  await until(() => texts.length === 1);
  assert.deepEqual(texts, ['Hello world!\uffff']);
  client.send('bye');
  const [code] = await once(client, 'close');
  assert.equal(code, 3000);
  assert.equal(lab.sockets[0].request.url, '/echo/websocket?a=b');
});

test('the origin gets the path that the route gives, the query, and what the client said of itself', async (t) => {
  const lab = await openSockJsLab(t, {
    route: { sockjs: { path: '/echo', originPath: '/ws' }, rewrite: { addPrefix: '/never' } },
  });
  connectTo(t, lab, '/echo/000/a/websocket?token=1', ['chat']);
  connectTo(t, lab, '/echo/websocket?token=2');
  await lab.post('/echo/000/b/xhr?token=3', '', {
    cookie: 'a=b',
    origin: 'http://page.example',
    'content-type': 'text/plain',
    accept: 'x/y',
    connection: 'x-hop',
    'x-hop': '1',
  });
  await lab.get('/echo/000/c/jsonp?c=call&token=4');
  await until(() => lab.sockets.length === 4);
  const requests = lab.sockets.map(({ request }) => request);
  assert.deepEqual(
    requests.map(({ url }) => url).sort(),
    [1, 2, 3, 4].map((token) => `/ws?token=${token}`),
  );
  const polled = requests.find(({ url }) => url === '/ws?token=3')?.headers ?? {};
  assert.equal(polled.cookie, 'a=b');
  assert.equal(polled.origin, 'http://page.example');
  assert.equal(polled['x-forwarded-for'], '127.0.0.1');
  for (const name of ['content-type', 'content-length', 'accept', 'x-hop'])
    assert.equal(polled[name], undefined, name);
  assert.equal(requests.find(({ url }) => url === '/ws?token=1')?.headers['sec-websocket-protocol'], 'chat');
});

test('the origin learns the way of a client behind a proxy that is trusted', async (t) => {
  const lab = await openSockJsLab(t, {
    trust: { trustedProxies: ['127.0.0.1'], trustedFields: ['x-forwarded-for'] },
  });
  await lab.post('/echo/000/a/xhr', '', { 'x-forwarded-for': '203.0.113.7' });
  assert.equal(lab.sockets[0].request.headers['x-forwarded-for'], '203.0.113.7, 127.0.0.1');
});

test('without a path of its own, the origin gets the one of raw WebSockets, rewritten as all others', async (t) => {
  const lab = await openSockJsLab(t, {
    route: { match: { path: '/echo/*' }, rewrite: { stripPrefix: '/echo', addPrefix: '/in' } },
  });
  connectTo(t, lab, '/echo/000/a/websocket');
  connectTo(t, lab, '/echo/websocket');
  await lab.post('/echo/000/b/xhr');
  await until(() => lab.sockets.length === 3);
  assert.deepEqual(
    lab.sockets.map(({ request }) => request.url),
    ['/in/websocket', '/in/websocket', '/in/websocket'],
  );
});

test('what the origin answers in place of a WebSocket is what the client gets', async (t) => {
  const lab = await openSockJsLab(t, { refuses: () => 403 });
  const polled = await lab.post('/echo/000/a/xhr', '', { origin: 'http://page.example' });
  assert.deepEqual([polled.status, polled.body, polled.headers['x-why']], [403, 'Not today', 'closed']);
  assert.equal(polled.headers['access-control-allow-origin'], 'http://page.example');
  const streamed = await lab.post('/echo/000/a/xhr_streaming');
  assert.deepEqual([streamed.status, streamed.body], [403, 'Not today']);
  const { client } = connectTo(t, lab, '/echo/000/a/websocket');
  const [, response] = await once(client, 'unexpected-response');
  assert.deepEqual([response.statusCode, response.headers['x-why']], [403, 'closed']);
  assert.equal(lab.metric('tidegate_sockjs_sessions{http}'), 0);
});

test('a client that is silent is asked, and dropped if it does not answer', async (t) => {
  const { client, texts, lab } = await openFramed(t);
  await advanceUntil(lab.clock, 1000, () => texts.includes('h'));
  assert.deepEqual(texts, ['o', 'h']);
  // It answers pings by itself.
  await advanceUntil(lab.clock, 1000, () => texts.length === 3);
  assert.deepEqual(texts, ['o', 'h', 'h']);
  const mute = await lab.connect();
  mute.send(`GET /echo/000/mute/websocket HTTP/1.1\r\nHost: a\r\n${HANDSHAKE}`);
  await mute.take('o');
  await advanceUntil(lab.clock, 1000, () => mute.isClosed || mute.isEnded);
  assert.match(mute.received, /h/);
  assert.equal(client.readyState, WebSocket.OPEN);
});

test('a client that does not read slows the origin down, and then gets everything', async (t) => {
  let sent = 0;
  const count = 3000;
  const text = 'x'.repeat(10_000);
  const lab = await openSockJsLab(t, {
    serve(socket) {
      const more = (): void => {
        while (sent < count && socket.bufferedAmount < 1_000_000) socket.send(text + sent++);
        if (sent < count) setTimeout(more, 1);
      };
      more();
    },
  });
  const { client, texts } = connectTo(t, lab, '/echo/000/slow/websocket');
  await once(client, 'open');
  client.pause();
  // The buffers of the sockets are full once the origin does not get on any more.
  await standsStill(() => sent);
  assert.ok(sent < count, 'the origin was not slowed down');
  client.resume();
  await until(() => texts.length === count + 1);
  assert.equal(texts.at(-1), `a["${text}${count - 1}"]`);
});

test('the server ends a session by saying so, and closes to the origin', async (t) => {
  const { client, texts, lab } = await openFramed(t);
  const drained = lab.listener.drain(5000);
  const [code] = await once(client, 'close');
  assert.deepEqual([texts.at(-1), code], ['c[1012,"Service restart"]', 1012]);
  await until(() => lab.ends.length === 1);
  assert.deepEqual(lab.ends, [{ code: 1001, reason: '' }]);
  await drained;
});

test('the subprotocol that the origin chooses is the one that the client is told', async (t) => {
  const lab = await openSockJsLab(t);
  const { client } = connectTo(t, lab, '/echo/000/chosen/websocket', ['chat', 'other']);
  await once(client, 'open');
  assert.equal(client.protocol, 'chat');
});

test('parameters of the application stay in the query, also where those of JSONP have the same names', async (t) => {
  const lab = await openSockJsLab(t);
  await lab.post('/echo/000/a/xhr?c=1&callback=2&token=3');
  await lab.get('/echo/000/b/jsonp?c=called&token=4');
  await until(() => lab.sockets.length === 2);
  assert.deepEqual(
    lab.sockets.map(({ request }) => request.url?.slice(request.url.indexOf('?'))),
    ['?c=1&callback=2&token=3', '?token=4'],
  );
});
