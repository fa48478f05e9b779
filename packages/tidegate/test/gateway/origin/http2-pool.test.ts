import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import {
  END_HEADERS,
  END_STREAM,
  fieldBlock,
  frame,
  GOAWAY,
  HEADERS,
  PING,
  RST_STREAM,
  SETTINGS,
  setting,
} from '../../listeners/http2-lab.ts';
import { advanceUntil, problemCode, type RawClient, until } from '../../listeners/lab.ts';
import {
  openHttp2Lab,
  openHttp2Origin,
  openRawHttp2Origin,
  type RawHttp2Connection,
} from './http2-origin.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n';
const MAX_CONCURRENT_STREAMS = 3;
const NO_ERROR = 0;
const REFUSED_STREAM = 7;

/** A whole answer without a body, whose name says who gave it. */
const answer = (stream: number, name: string): Buffer =>
  frame(
    HEADERS,
    END_HEADERS | END_STREAM,
    stream,
    fieldBlock([
      [':status', '200'],
      ['x-name', name],
    ]),
  );

function uint32s(...values: readonly number[]): Buffer {
  const payload = Buffer.alloc(values.length * 4);
  for (const [at, value] of values.entries()) payload.writeUInt32BE(value, at * 4);
  return payload;
}

const goaway = (lastStream: number, code: number): Buffer => frame(GOAWAY, 0, 0, uint32s(lastStream, code));

/** Takes a whole answer of this name. */
async function take(client: RawClient, name: string): Promise<void> {
  assert.match(await client.take('\r\n\r\n'), new RegExp(`\\r\\nx-name: ${name}\\r\\n`));
}

async function requests(connection: RawHttp2Connection, count: number): Promise<readonly number[]> {
  await until(
    () => connection.streams.length >= count,
    () => `${count} requests among ${connection.streams}`,
  );
  return connection.streams;
}

test('requests beyond what an origin takes at a time go over a further connection, and beyond those wait', async (t) => {
  const origin = await openHttp2Origin(t, { settings: { maxConcurrentStreams: 2 } });
  const { connect } = await openHttp2Lab(t, origin, { upstream: { connectionsMax: 2 } });
  const clients = await Promise.all(Array.from({ length: 5 }, () => connect()));
  for (const client of clients) client.send(GET);
  await until(() => origin.requests.length === 4);
  assert.equal(origin.sessions.length, 2);
  const of = (session: unknown): number =>
    origin.requests.filter((one) => one.stream.session === session).length;
  assert.deepEqual(origin.sessions.map(of), [2, 2]);
  origin.requests[0].answer('one');
  await until(() => origin.requests.length === 5);
  assert.equal(origin.sessions.length, 2);
  for (const request of origin.requests.slice(1)) request.answer('more');
  for (const client of clients) await until(() => /one|more/.test(client.received));
});

test('no connection takes more requests than limits.upstreamHttp2StreamsMax', async (t) => {
  const origin = await openHttp2Origin(t, { settings: { maxConcurrentStreams: 100 } });
  const { connect } = await openHttp2Lab(t, origin, { limits: { upstreamHttp2StreamsMax: 1 } });
  const clients = await Promise.all([connect(), connect()]);
  for (const client of clients) client.send(GET);
  await until(() => origin.requests.length === 2);
  assert.equal(origin.sessions.length, 2);
});

test('who waits for a place is bounded by limits.upstreamWaitingMax', async (t) => {
  const origin = await openHttp2Origin(t, { settings: { maxConcurrentStreams: 1 } });
  const { connect } = await openHttp2Lab(t, origin, {
    upstream: { connectionsMax: 1 },
    limits: { upstreamWaitingMax: 1 },
  });
  const [served, waiting, refused] = await Promise.all([connect(), connect(), connect()]);
  served.send(GET);
  const first = await origin.request();
  waiting.send(GET);
  // The order of the two is that of their arrival at the gateway.
  await until(() => served.socket.writableLength + waiting.socket.writableLength === 0);
  refused.send(GET);
  await until(() => /bulkhead_full/.test(waiting.received + refused.received));
  first.answer('one');
  await served.take('one');
  (await origin.request()).answer('two');
  await until(() => /two/.test(waiting.received + refused.received));
});

test('an origin that takes no requests for now is not asked over ever more connections', async (t) => {
  const origin = await openRawHttp2Origin(t, setting(MAX_CONCURRENT_STREAMS, 0));
  const { connect } = await openHttp2Lab(t, origin);
  const client = await connect();
  client.send(GET);
  const connection = await origin.connection();
  await connection.frame(SETTINGS);
  connection.send(frame(SETTINGS, 0, 0, setting(MAX_CONCURRENT_STREAMS, 1)));
  const [stream] = await requests(connection, 1);
  connection.send(answer(stream, 'late'));
  await take(client, 'late');
  assert.equal(origin.connections.length, 1);
});

test('after GOAWAY the requests under way finish, and further ones go over another connection', async (t) => {
  const origin = await openRawHttp2Origin(t);
  const { connect } = await openHttp2Lab(t, origin);
  const first = await connect();
  first.send(GET);
  const leaving = await origin.asked();
  const [stream] = leaving.streams;
  leaving.send(goaway(stream, NO_ERROR), frame(PING, 0, 0, Buffer.alloc(8)));
  await leaving.frame(PING);
  const second = await connect();
  second.send(GET);
  const next = await origin.asked();
  next.send(answer(next.streams[0], 'next'));
  await take(second, 'next');
  assert.equal(leaving.isClosed, false);
  leaving.send(answer(stream, 'leaving'));
  await take(first, 'leaving');
  await until(() => leaving.isClosed);
  assert.equal(leaving.streams.length, 1);
});

for (const code of [NO_ERROR, 2]) {
  test(`what the origin had not looked at before GOAWAY with ${code} is asked again, whatever it is`, async (t) => {
    const origin = await openRawHttp2Origin(t);
    const { connect } = await openHttp2Lab(t, origin);
    const client = await connect();
    client.send(POST);
    const leaving = await origin.asked();
    leaving.send(goaway(0, code));
    const next = await origin.asked();
    next.send(answer(next.streams[0], 'again'));
    await take(client, 'again');
    await until(() => leaving.isClosed);
  });
}

test('what the origin may have looked at before it failed is not asked again', async (t) => {
  const origin = await openRawHttp2Origin(t);
  const { connect } = await openHttp2Lab(t, origin);
  const client = await connect();
  client.send(POST);
  const leaving = await origin.asked();
  leaving.send(goaway(leaving.streams[0], 2));
  assert.equal(problemCode(await client.take('}')), 'upstream_reset');
  assert.equal(origin.connections.length, 1);
});

test('a stream that the origin refuses is asked for again once', async (t) => {
  const origin = await openRawHttp2Origin(t);
  const { connect } = await openHttp2Lab(t, origin);
  const client = await connect();
  client.send(POST);
  const connection = await origin.asked();
  const refuse = (stream: number): void =>
    connection.send(frame(RST_STREAM, 0, stream, uint32s(REFUSED_STREAM)));
  refuse(connection.streams[0]);
  const [, again] = await requests(connection, 2);
  connection.send(answer(again, 'again'));
  await take(client, 'again');
  client.send(POST);
  const [, , third] = await requests(connection, 3);
  refuse(third);
  const [, , , fourth] = await requests(connection, 4);
  refuse(fourth);
  assert.equal(problemCode(await client.take('}')), 'upstream_reset');
  assert.equal(connection.streams.length, 4);
});

test('a request on a connection that had been idle, and ends without a byte, is made again on another if it may be', async (t) => {
  const origin = await openRawHttp2Origin(t);
  const { connect } = await openHttp2Lab(t, origin);
  const client = await connect();
  client.send(GET);
  const idle = await origin.asked();
  idle.send(answer(idle.streams[0], 'one'));
  await take(client, 'one');
  client.send(GET);
  await requests(idle, 2);
  idle.socket.destroy();
  const next = await origin.asked();
  next.send(answer(next.streams[0], 'two'));
  await take(client, 'two');
  client.send(POST);
  await requests(next, 2);
  next.socket.destroy();
  assert.equal(problemCode(await client.take('}')), 'upstream_reset');
  assert.equal(origin.connections.length, 2);
});

test('an idle connection is closed with GOAWAY after limits.upstreamIdleTimeoutMs, and one in use is not', async (t) => {
  const origin = await openRawHttp2Origin(t);
  const { connect, clock, limits } = await openHttp2Lab(t, origin, {
    limits: { upstreamIdleTimeoutMs: 3000 },
  });
  const client = await connect();
  client.send(GET);
  const connection = await origin.asked();
  for (let elapsed = 0; elapsed < limits.upstreamIdleTimeoutMs * 2; elapsed += 500) clock.advance(500);
  assert.equal(connection.isClosed, false);
  connection.send(answer(connection.streams[0], 'one'));
  await take(client, 'one');
  await advanceUntil(clock, 500, () => connection.isClosed);
  const { payload } = await connection.frame(GOAWAY);
  assert.equal(payload.readUInt32BE(4), NO_ERROR);
});

test('an origin of which nothing is heard is asked for life, and its connection given up if it says nothing', async (t) => {
  const origin = await openRawHttp2Origin(t);
  const { connect, clock } = await openHttp2Lab(t, origin, {
    route: { timeouts: { firstByte: '20s' } },
    limits: { upstreamHttp2PingIntervalMs: 3000, upstreamHttp2PingTimeoutMs: 2000 },
  });
  const client = await connect();
  client.send(GET);
  const connection = await origin.asked();
  await advanceUntil(clock, 500, () => connection.frames.some(({ type }) => type === PING));
  const { payload } = await connection.frame(PING);
  connection.send(frame(PING, 1, 0, payload));
  await advanceUntil(clock, 500, () => connection.frames.filter(({ type }) => type === PING).length === 2);
  await advanceUntil(clock, 500, () => connection.isClosed);
  assert.equal(problemCode(await client.take('}')), 'upstream_reset');
});

test('after a request in vain no other one begins on its connection, until the origin has answered a PING', async (t) => {
  const origin = await openRawHttp2Origin(t);
  const { connect, clock } = await openHttp2Lab(t, origin, { route: { timeouts: { firstByte: '3s' } } });
  const client = await connect();
  client.send(GET);
  const silent = await origin.asked();
  silent.send(answer(silent.streams[0], 'first'));
  await take(client, 'first');
  client.send(GET);
  await requests(silent, 2);
  await advanceUntil(clock, 500, () => client.received.includes('}'));
  assert.equal(problemCode(await client.take('}')), 'upstream_timeout');
  const { payload } = await silent.frame(PING);
  client.send(GET);
  const other = await origin.asked();
  assert.equal(silent.streams.length, 2);
  other.send(answer(other.streams[0], 'other'));
  await take(client, 'other');
  silent.send(frame(PING, 1, 0, payload));
  // What comes behind the answer shows that it was read.
  silent.send(frame(PING, 0, 0, Buffer.alloc(8)));
  await until(() => silent.frames.filter(({ type }) => type === PING).length === 2);
  client.send(GET);
  const [, , stream] = await requests(silent, 3);
  silent.send(answer(stream, 'well'));
  await take(client, 'well');
});

test('health checks go over the connection that requests go over', async (t) => {
  const origin = await openHttp2Origin(t);
  const { connect, clock } = await openHttp2Lab(t, origin, {
    upstream: { health: { path: '/health', interval: '1s', unhealthyAfter: 1, healthyAfter: 1 } },
  });
  const client = await connect();
  client.send(GET);
  (await origin.request()).answer('one');
  await client.take('one');
  await advanceUntil(clock, 200, () => origin.requests.length === 2);
  const check = await origin.request();
  assert.equal(check.headers[':path'], '/health');
  check.answer('bad', { ':status': '500' });
  await until(() => check.isClosed);
  await until(() => {
    client.send(GET);
    return client.received.includes('upstream_unavailable') || origin.requests.length > 2;
  });
  assert.match(client.received, /upstream_unavailable/);
  assert.equal(origin.sessions.length, 1);
});

test('a gateway that ends closes its idle connections, and those in use after their requests', async (t) => {
  const origin = await openHttp2Origin(t);
  const { connect, gateway } = await openHttp2Lab(t, origin);
  const client = await connect();
  client.send(GET);
  const request = await origin.request();
  gateway.close();
  request.answer('one');
  await client.take('one');
  await until(() => origin.openSessions === 0);
});
