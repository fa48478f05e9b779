import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { after, before, beforeEach, test } from 'node:test';
import { WebSocket } from 'ws';
import type { Gate } from '../../src/access/index.ts';
import { resolveLimits } from '../../src/kernel/index.ts';
import { type EdgeServer, startEdgeServer } from '../edges/edge-server.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { keyOf, testGate } from './access-fixture.ts';

const NOTICE_MS = 10_000;
const LIFE_MS = 60_000;

/** The gate goes by a clock of its own, so that credentials end when a test says so. */
let clock: ManualClock;
let gate: Gate;
let server: EdgeServer;
let expires: string;
before(async () => {
  server = await startEdgeServer({
    access: (channels) => {
      clock = new ManualClock();
      gate = testGate({ channels, clock, limits: resolveLimits({ credentialNoticeMs: NOTICE_MS }) });
      return gate;
    },
  });
});
beforeEach(() => {
  expires = new Date(clock.nowMs() + LIFE_MS).toISOString();
  const key = { ...keyOf('brief', { '#': ['publish', 'subscribe', 'history'] }), expires };
  gate.adopt({
    keys: new Map([[`until-${clock.nowMs()}`, key]]),
    revoked: { tokenIds: new Set(), users: new Map() },
  });
});
after(async () => {
  await server.close();
  gate.close();
});

const url = (channel: string, query = ''): string =>
  `${server.url}/v1/channels/${channel}?access_token=brief${query}`;

async function linesOf(channel: string, accept: string): Promise<() => Promise<string | undefined>> {
  const response = await fetch(url(channel), { headers: { accept } });
  assert.equal(response.status, 200);
  assert.ok(response.body !== null);
  const lines = createInterface({ input: Readable.fromWeb(response.body) })[Symbol.asyncIterator]();
  return async () => (await lines.next()).value;
}

test('an event stream is told by an event of its own name, without an id, and then ended', async () => {
  const next = await linesOf('a', 'text/event-stream');
  assert.match(`${await next()}${await next()}${await next()}`, /^retry: \d+id: \S+$/);
  clock.advance(LIFE_MS - NOTICE_MS + 500);
  assert.equal(await next(), 'event: expiring');
  assert.equal(await next(), `data: {"expiring":{"expires":"${expires}"}}`);
  assert.equal(await next(), '');
  await fetch(url('a'), { method: 'POST', body: 'between' });
  assert.match((await next()) ?? '', /^id: /);
  assert.equal(await next(), 'data: between');
  assert.equal(await next(), '');
  clock.advance(NOTICE_MS);
  assert.equal(await next(), undefined);
});

test('a stream of lines is told by a line, and then ended', async () => {
  const next = await linesOf('b', 'application/x-ndjson');
  clock.advance(LIFE_MS - NOTICE_MS + 500);
  assert.equal(await next(), `{"expiring":{"expires":"${expires}"}}`);
  clock.advance(NOTICE_MS);
  assert.equal(await next(), undefined);
});

for (const [envelope, expected] of [
  ['json', ['expiring', 'message']],
  ['cloudevents', ['expiring', 'message']],
  ['', ['message']],
] as const) {
  const query = envelope === '' ? '' : `&envelope=${envelope}`;
  test(`a WebSocket ${envelope === '' ? 'without an envelope' : `with envelope=${envelope}`} gets ${expected.join(' and ')}`, async () => {
    const socket = new WebSocket(url(`c${envelope}`, query).replace('http', 'ws'));
    const got: string[] = [];
    socket.on('message', (bytes) => {
      const isNotice = String(bytes) === `{"expiring":{"expires":"${expires}"}}`;
      got.push(isNotice ? 'expiring' : 'message');
    });
    await once(socket, 'open');
    clock.advance(LIFE_MS - NOTICE_MS + 500);
    socket.send('after');
    await once(socket, 'message');
    while (got.length < expected.length) await once(socket, 'message');
    assert.deepEqual(got, expected);
    clock.advance(NOTICE_MS);
    const [code] = await once(socket, 'close');
    assert.equal(code, 4401);
    assert.deepEqual(got, expected);
  });
}

test('who has another credential by then goes on from the cursor, and misses nothing', async () => {
  const first = await linesOf('d', 'application/x-ndjson');
  await fetch(url('d'), { method: 'POST', body: '1' });
  const { cursor } = JSON.parse((await first()) ?? '');
  clock.advance(LIFE_MS - NOTICE_MS + 500);
  assert.match((await first()) ?? '', /expiring/);
  await fetch(url('d'), { method: 'POST', body: '2' });
  clock.advance(NOTICE_MS);
  const rules = {
    keys: new Map([['newer', keyOf('newer', { '#': ['subscribe'] })]]),
    revoked: { tokenIds: new Set<string>(), users: new Map() },
  };
  gate.adopt(rules);
  const response = await fetch(
    `${server.url}/v1/channels/d?from=${encodeURIComponent(cursor)}&access_token=newer`,
    {
      headers: { accept: 'application/x-ndjson' },
    },
  );
  assert.ok(response.body !== null);
  const lines = createInterface({ input: Readable.fromWeb(response.body) })[Symbol.asyncIterator]();
  assert.equal(JSON.parse((await lines.next()).value ?? '').data, '2');
});
