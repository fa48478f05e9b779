import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { WebSocket } from 'ws';
import { eventsOf } from '../../../src/gateway/grip/item-events.ts';
import type { RouteOptions } from '../../../src/gateway/options.ts';
import type { Limits } from '../../../src/kernel/index.ts';
import { type RawClient, until } from '../../listeners/lab.ts';
import { publish } from '../../support/test-hub.ts';
import { item } from '../grip/items.ts';
import { type GatewayLab, openGatewayLab } from '../lab.ts';

// Sessions on the way through the gateway: how they are found in requests, and what the origin is told of them.

interface Asked {
  readonly url: string;
  readonly session: string | undefined;
  readonly lasts: readonly string[];
  readonly feature: string;
  readonly body: string;
}

interface Stage extends GatewayLab {
  readonly asked: Asked[];
  /** What the origin answers at a path, if not `ok`. */
  readonly pages: Record<string, (response: ServerResponse) => void>;
  /** Sends a request, and returns what the origin got. */
  ask(path: string, body: string, fields?: string): Promise<Asked>;
}

async function open(
  t: TestContext,
  grip: RouteOptions['grip'] = { session: true },
  limits: Partial<Limits> = {},
): Promise<Stage> {
  const asked: Asked[] = [];
  const pages: Stage['pages'] = {};
  const origin = createServer((request, response) => {
    let body = '';
    request.on('data', (slice) => {
      body += slice;
    });
    request.on('end', () => {
      const { url = '', headers, headersDistinct } = request;
      const session = headers['grip-session-id'] as string | undefined;
      const lasts = headersDistinct['grip-last'] ?? [];
      asked.push({ url, session, lasts, feature: String(headers['grip-feature']), body });
      const page = pages[url];
      if (page === undefined) response.end('ok');
      else page(response);
    });
  });
  origin.listen(0, '127.0.0.1');
  await once(origin, 'listening');
  t.after(() => {
    origin.closeAllConnections();
    origin.close();
  });
  const url = `http://127.0.0.1:${(origin.address() as AddressInfo).port}`;
  const lab = await openGatewayLab(t, {
    routes: {
      all: { match: { path: '/*' }, upstream: 'app', grip },
      other: { match: { path: '/other/*' }, upstream: 'other', grip },
    },
    upstreams: { app: { targets: [{ url }] }, other: { targets: [{ url }] } },
    limits,
  });
  const ask = async (path: string, body: string, fields = ''): Promise<Asked> => {
    const before = asked.length;
    const client = await lab.connect();
    client.send(
      `POST ${path} HTTP/1.1\r\nHost: A.example:80\r\n${fields}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
    await client.take('ok');
    assert.equal(asked.length, before + 1);
    return asked[before];
  };
  return { ...lab, asked, pages, ask };
}

const SESSION = {
  'Grip-Channel': 'news',
  'Grip-Session-Id': 's1',
  'Grip-Session-Detect': [
    'path-prefix=/back; sid-ptr=/sid',
    'path-prefix=/form; sid-ptr=/sid; json-param=json',
  ],
};

/** A client that is held in this mode, with a session. */
async function held(
  stage: Stage,
  mode: 'stream' | 'response',
  fields: Record<string, string | string[]> = {},
): Promise<RawClient> {
  const before = stage.hub.count('news');
  stage.pages['/events'] = (response) =>
    response.writeHead(200, { 'Grip-Hold': mode, ...SESSION, ...fields }).end('held ');
  const client = await stage.connect();
  client.send('GET /events HTTP/1.1\r\nHost: a.example\r\n\r\n');
  await until(() => stage.hub.count('news') === before + 1);
  for (let turns = 0; turns < 5; turns++) await new Promise(setImmediate);
  return client;
}

async function send(stage: Stage, id: string, others: Record<string, unknown> = {}): Promise<void> {
  const content = `<${id}>`;
  const forms = { 'http-stream': { content }, 'http-response': { body: content }, 'ws-message': { content } };
  await publish(stage.hub, ...eventsOf(item({ channel: 'news', id, ...forms, ...others })));
}

const told = ({ session, lasts }: Asked): unknown[] => [session, ...lasts];

test('a client that comes back with its session has the origin told what it had', async (t) => {
  const stage = await open(t);
  const client = await held(stage, 'stream');
  await send(stage, '1');
  await send(stage, '2');
  await client.take('<2>');
  assert.deepEqual(told(await stage.ask('/back', '{"sid":"s1"}')), ['s1', 'news; last-id=2']);
  client.socket.destroy();
  await until(() => stage.hub.count('news') === 0);
  await send(stage, '3');
  const back = await stage.ask('/back/again?x=1', '{"sid":"s1","x":1}');
  assert.deepEqual(told(back), ['s1', 'news; last-id=2']);
  assert.equal(back.body, '{"sid":"s1","x":1}');
  assert.match(back.feature, /^status, session, link:next/);
  assert.equal(stage.metric('tidegate_grip_sessions_detected_total{known}'), 2);
  assert.equal(stage.metric('tidegate_grip_sessions'), 1);
});

test('sessions are found in forms, and one that nobody has made is told without what it has', async (t) => {
  const stage = await open(t);
  await held(stage, 'stream');
  const form = `a=b&json=${encodeURIComponent('{"sid":"s9"}')}`;
  assert.deepEqual(told(await stage.ask('/form', form)), ['s9']);
  assert.equal(stage.metric('tidegate_grip_sessions_detected_total{unknown}'), 1);
});

test('nothing is told where no session is to be looked for, or none is found', async (t) => {
  const stage = await open(t, { session: true }, { gripSessionBodyBytesMax: 1024 });
  await held(stage, 'stream');
  const sid = '{"sid":"s1"}';
  assert.deepEqual(told(await stage.ask('/elsewhere', sid)), [undefined], 'another path');
  assert.deepEqual(told(await stage.ask('/other/back', sid)), [undefined], 'another origin');
  assert.deepEqual(told(await stage.ask('/back', '{"sid":7}')), [undefined], 'no text');
  assert.deepEqual(told(await stage.ask('/back', sid, 'Grip-Session-Id: s1\r\n')), ['s1'], 'its own field');
  const client = await stage.connect();
  client.send(`POST /back HTTP/1.1\r\nHost: b.example\r\nContent-Length: ${sid.length}\r\n\r\n${sid}`);
  await client.take('ok');
  assert.deepEqual(told(stage.asked.at(-1) as Asked), [undefined], 'another host');
  const large = `{"sid":"s1","x":"${'y'.repeat(200_000)}"}`;
  const passed = await stage.ask('/back', large);
  assert.deepEqual([...told(passed), passed.body === large], [undefined, true], 'too large');
});

test('a body is looked at however it comes, and reaches the origin whole', async (t) => {
  const stage = await open(t);
  await held(stage, 'stream');
  const client = await stage.connect();
  client.send(
    'POST /back HTTP/1.1\r\nHost: a.example\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n',
  );
  await client.take('100 Continue');
  client.send('7\r\n{"sid":\r\n');
  await new Promise(setImmediate);
  assert.equal(stage.asked.length, 1);
  client.send('5\r\n"s1"}\r\n0\r\n\r\n');
  await client.take('ok');
  const { body, session } = stage.asked[1];
  assert.deepEqual([body, session], ['{"sid":"s1"}', 's1']);
});

test('a client that leaves, or breaks its body, before its session is known leaves nothing behind', async (t) => {
  const stage = await open(t);
  await held(stage, 'stream');
  const leaving = await stage.connect();
  leaving.send('POST /back HTTP/1.1\r\nHost: a.example\r\nContent-Length: 100\r\n\r\n{');
  await until(() => stage.metric('tidegate_http_connections_open') === 2);
  leaving.socket.destroy();
  const breaking = await stage.connect();
  breaking.send('POST /back HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n');
  assert.match(await breaking.ended(), /^HTTP\/1\.1 400 /);
  await until(() => stage.metric('tidegate_http_connections_open') === 1);
  assert.equal(stage.asked.length, 1);
});

test('what a client was not sent is not told', async (t) => {
  const stage = await open(t, { session: true }, { flushBytesMax: 1024 });
  const client = await held(stage, 'stream', {
    'Grip-Channel': 'news; prev-id=0',
    'Grip-Last': 'old; last-id=7',
  });
  await send(stage, '1');
  await client.take('<1>');
  client.socket.pause();
  const content = 'x'.repeat(1_000_000);
  for (let id = 2; id <= 40; id++) await send(stage, String(id), { 'http-stream': { content } });
  const [session, old, news] = told(await stage.ask('/back', '{"sid":"s1"}'));
  assert.deepEqual([session, old], ['s1', 'old; last-id=7']);
  const last = Number(/last-id=(\d+)$/.exec(String(news))?.[1]);
  assert.ok(last >= 1 && last < 40, String(news));
  client.socket.destroy();
});

test('a long-poll has what it was answered with, and what its instruction says that it has', async (t) => {
  const stage = await open(t);
  await send(stage, '1');
  const first = await held(stage, 'response', { 'Grip-Channel': 'news; prev-id=1' });
  assert.deepEqual(told(await stage.ask('/back', '{"sid":"s1"}')), ['s1', 'news; last-id=1']);
  await send(stage, '2', { 'http-response': undefined });
  await send(stage, '3');
  await first.take('<3>');
  await send(stage, '4');
  assert.deepEqual(told(await stage.ask('/back', '{"sid":"s1"}')), ['s1', 'news; last-id=3']);
});

test('an answer that is not held says where sessions are, and makes them', async (t) => {
  const stage = await open(t);
  stage.pages['/begin'] = (response) =>
    response.writeHead(200, { ...SESSION, 'Grip-Last': 'a; last-id=1' }).end('ok');
  await stage.ask('/begin', 'x');
  assert.deepEqual(told(await stage.ask('/back', '{"sid":"s1"}')), ['s1', 'a; last-id=1']);
});

test('a route without sessions neither looks for them nor speaks of them', async (t) => {
  const stage = await open(t, {});
  await held(stage, 'stream');
  const back = await stage.ask('/back', '{"sid":"s1"}');
  assert.deepEqual(told(back), [undefined]);
  assert.match(back.feature, /^status, link:next/);
  assert.equal(stage.metric('tidegate_grip_sessions'), 0);
});

test('a WebSocket has what it was sent since its origin has named the session, with what it came with', async (t) => {
  const stage = await open(t, { session: true, websocket: 'over_http' });
  const events = { 'Content-Type': 'application/websocket-events', 'Sec-WebSocket-Extensions': 'grip' };
  const control = (message: object): string => {
    const text = `c:${JSON.stringify(message)}`;
    return `TEXT ${text.length.toString(16)}\r\n${text}\r\n`;
  };
  stage.pages['/begin'] = (response) =>
    response.writeHead(200, { ...SESSION, 'Grip-Session-Id': 'other' }).end('ok');
  await stage.ask('/begin', 'x');
  stage.pages['/socket'] = (response) =>
    response
      .writeHead(200, events)
      .end(
        `OPEN\r\n${control({ type: 'subscribe', channel: 'news' })}${control({ type: 'session', id: 'w1' })}`,
      );
  const client = new WebSocket(`ws://127.0.0.1:${stage.listener.port}/socket`, {
    headers: { host: 'a.example' },
  });
  t.after(() => client.terminate());
  await once(client, 'open');
  for (const id of ['1', '2']) {
    const [[data]] = await Promise.all([once(client, 'message'), send(stage, id)]);
    assert.equal(String(data), `<${id}>`);
  }
  assert.deepEqual(told(await stage.ask('/back', '{"sid":"w1"}')), ['w1', 'news; last-id=2']);
});
