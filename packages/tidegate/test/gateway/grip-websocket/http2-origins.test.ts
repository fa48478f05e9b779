import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import type { ServerHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { WebSocket } from 'ws';
import { eventsOf } from '../../../src/gateway/grip/item-events.ts';
import { until } from '../../listeners/lab.ts';
import { publish } from '../../support/test-hub.ts';
import { item } from '../grip/items.ts';
import type { GatewayLab } from '../lab.ts';
import {
  type Http2Origin,
  openHttp2Lab,
  openHttp2Origin,
  type ReceivedRequest,
} from '../origin/http2-origin.ts';

// GRIP on the WebSockets of origins that speak HTTP/2: extended CONNECT (RFC 8441), and WebSocket-over-HTTP on streams.

const GRIP = { 'sec-websocket-extensions': 'grip' };

interface Stage {
  readonly origin: Http2Origin;
  readonly lab: GatewayLab;
  connect(protocols?: string[]): WebSocket;
}

async function stage(t: TestContext, websocket: 'native' | 'over_http'): Promise<Stage> {
  const origin = await openHttp2Origin(t, { settings: { enableConnectProtocol: true } });
  const lab = await openHttp2Lab(t, origin, {
    route: { grip: { websocket } },
    limits: { webSocketCloseTimeoutMs: 200 },
  });
  return {
    origin,
    lab,
    connect(protocols = []) {
      const client = new WebSocket(`ws://127.0.0.1:${lab.listener.port}/chat`, protocols);
      t.after(() => client.terminate());
      return client;
    },
  };
}

/** The origin's end of a WebSocket: the library's, on a stream instead of a socket, as its own server makes it. */
function socketOn(stream: ServerHttp2Stream): WebSocket {
  type Inner = WebSocket & { setSocket(duplex: Duplex, head: Buffer, options: object): void };
  const socket = new WebSocket(null as unknown as string, undefined, {}) as Inner;
  const options = { allowSynchronousEvents: true, maxPayload: 1 << 24, skipUTF8Validation: false };
  socket.setSocket(stream, Buffer.alloc(0), options);
  return socket;
}

async function open(at: Stage): Promise<{ client: WebSocket; origin: WebSocket; request: ReceivedRequest }> {
  const client = at.connect(['chat']);
  const request = await at.origin.request();
  request.stream.respond({ ':status': 200, 'sec-websocket-protocol': 'chat', ...GRIP });
  const origin = socketOn(request.stream);
  await once(client, 'open');
  return { client, origin, request };
}

async function message(socket: WebSocket): Promise<string> {
  return String((await once(socket, 'message'))[0]);
}

async function publishText(lab: GatewayLab, channel: string, content: string): Promise<void> {
  await publish(lab.hub, ...eventsOf(item({ channel, 'ws-message': { content } })));
}

test('a native origin is offered grip by extended CONNECT, and speaks to its client with the prefix', async (t) => {
  const at = await stage(t, 'native');
  const { client, origin, request } = await open(at);
  assert.equal(request.headers[':method'], 'CONNECT');
  assert.equal(request.headers['sec-websocket-extensions'], 'grip');
  assert.match(String(request.headers['grip-feature']), /link:next/);
  assert.deepEqual([client.protocol, client.extensions], ['chat', '']);
  const [hello] = await Promise.all([message(origin), client.send('hello')]);
  assert.equal(hello, 'hello');
  origin.send('not for the client');
  origin.send('m:hi');
  assert.equal(await message(client), 'hi');
});

test('its client is subscribed to channels, and stays when the origin detaches', async (t) => {
  const at = await stage(t, 'native');
  const { client, origin, request } = await open(at);
  origin.send('c:{"type":"subscribe","channel":"news"}');
  origin.send('m:subscribed');
  assert.equal(await message(client), 'subscribed');
  const [one] = await Promise.all([message(client), publishText(at.lab, 'news', 'one')]);
  assert.equal(one, 'one');
  origin.send('c:{"type":"detach"}');
  assert.equal((await once(origin, 'close'))[0], 1000);
  await until(() => request.isClosed);
  const [two] = await Promise.all([message(client), publishText(at.lab, 'news', 'two')]);
  assert.equal(two, 'two');
});

test('both ends hear with which code and reason the other closes, and no stream stays open', async (t) => {
  const at = await stage(t, 'native');
  const first = await open(at);
  first.client.close(4001, 'bye');
  const [code, reason] = await once(first.origin, 'close');
  assert.deepEqual([code, String(reason)], [4001, 'bye']);
  const second = await open(at);
  second.origin.close(4002, 'enough');
  const [[back, why]] = await Promise.all([once(second.client, 'close'), once(second.origin, 'close')]);
  assert.deepEqual([back, String(why)], [4002, 'enough']);
  await until(() => first.request.isClosed && second.request.isClosed);
  assert.equal(at.origin.openSessions, 1);
});

test('each end learns that the other is lost', async (t) => {
  const at = await stage(t, 'native');
  const lost = await open(at);
  lost.client.terminate();
  assert.equal((await once(lost.origin, 'close'))[0], 1006);
  await until(() => lost.request.isClosed);
  const left = await open(at);
  left.request.stream.close(8);
  const [code, reason] = await once(left.client, 'close');
  assert.deepEqual([code, String(reason)], [1013, 'upstream_reset']);
  const cut = await open(at);
  for (const session of at.origin.sessions) session.destroy();
  assert.equal((await once(cut.client, 'close'))[0], 1013);
});

test('an origin that does not answer a close frame is let go of', async (t) => {
  const at = await stage(t, 'native');
  const client = at.connect();
  const request = (await at.origin.request()).read();
  request.stream.respond({ ':status': 200, ...GRIP });
  await once(client, 'open');
  client.close();
  await once(client, 'close');
  await until(() => {
    at.lab.clock.advance(50);
    return request.isClosed;
  });
});

test('whoever does not read slows the other end down, and everything comes', async (t) => {
  const at = await stage(t, 'native');
  const { client, origin } = await open(at);
  const total = 100;
  for (const [from, to, prefix] of [
    [client, origin, ''],
    [origin, client, 'm:'],
  ] as const) {
    let received = 0;
    const done = new Promise<void>((resolve) => {
      to.on('message', () => {
        if (++received === total) resolve();
      });
    });
    to.pause();
    const payload = Buffer.concat([Buffer.from(prefix), Buffer.alloc(256 * 1024)]);
    for (let i = 0; i < total; i++) from.send(payload);
    await new Promise(setImmediate);
    assert.ok(from.bufferedAmount > 0);
    to.resume();
    await done;
  }
});

test('an origin that answers requests has its events on streams', async (t) => {
  const at = await stage(t, 'over_http');
  const client = at.connect();
  const events = { 'content-type': 'application/websocket-events' };
  const opening = (await at.origin.request()).read();
  await opening.bodyUntil('OPEN\r\n');
  assert.equal(opening.headers[':method'], 'POST');
  const subscribe = 'c:{"type":"subscribe","channel":"news"}';
  opening.answer(`OPEN\r\nTEXT ${subscribe.length.toString(16)}\r\n${subscribe}\r\n`, { ...events, ...GRIP });
  await once(client, 'open');
  client.send('hello');
  const told = (await at.origin.request()).read();
  await told.bodyUntil('TEXT 5\r\nhello\r\n');
  told.answer('TEXT 4\r\nm:hi\r\n', events);
  assert.equal(await message(client), 'hi');
  const [one] = await Promise.all([message(client), publishText(at.lab, 'news', 'one')]);
  assert.equal(one, 'one');
  const closed = once(client, 'close');
  client.close(4003, 'x');
  const closing = (await at.origin.request()).read();
  await closing.bodyUntil('CLOSE 3\r\n');
  closing.answer('', events);
  await closed;
  assert.equal(at.origin.openSessions, 1);
});
