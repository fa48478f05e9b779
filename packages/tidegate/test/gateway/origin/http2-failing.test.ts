import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import {
  DATA,
  END_HEADERS,
  END_STREAM,
  fieldBlock,
  frame,
  HEADERS,
  RST_STREAM,
} from '../../listeners/http2-lab.ts';
import { advanceUntil, problemCode, until } from '../../listeners/lab.ts';
import { Certificates, NO_OPENSSL } from '../../support/certificates.ts';
import { openOrigin } from '../lab.ts';
import { openHttp2Lab, openHttp2Origin, openRawHttp2Origin } from './http2-origin.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

type Fields = readonly (readonly [name: string, value: string])[];

const head = (stream: number, fields: Fields, flags = 0): Buffer =>
  frame(HEADERS, END_HEADERS | flags, stream, fieldBlock(fields));
const data = (stream: number, text: string, flags = 0): Buffer =>
  frame(DATA, flags, stream, Buffer.from(text, 'latin1'));

function reset(stream: number, code: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(code);
  return frame(RST_STREAM, 0, stream, payload);
}

for (const [name, code] of [
  ['NO_ERROR', 0],
  ['INTERNAL_ERROR', 2],
  ['CANCEL', 8],
] as const) {
  test(`an answer that is cut off with ${name} is not passed off as complete`, async (t) => {
    const origin = await openRawHttp2Origin(t);
    const { connect, metric } = await openHttp2Lab(t, origin);
    const client = await connect();
    client.send(GET);
    const connection = await origin.asked();
    const [stream] = connection.streams;
    connection.send(head(stream, [[':status', '200']]), data(stream, 'half'), reset(stream, code));
    const answer = await client.ended();
    assert.match(answer, /half/);
    assert.doesNotMatch(answer, /\r\n0\r\n/, 'the end of a chunked body');
    await until(() => connection.streams.length === 1);
    assert.equal(connection.isClosed, false);
    assert.equal(metric('tidegate_http_connections_open'), 0);
  });

  test(`a stream that is reset with ${name} before its head is 502`, async (t) => {
    const origin = await openRawHttp2Origin(t);
    const { connect } = await openHttp2Lab(t, origin);
    const client = await connect();
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n');
    const connection = await origin.asked();
    connection.send(reset(connection.streams[0], code));
    const answer = await client.take('}');
    assert.match(answer, /^HTTP\/1\.1 502 /);
    assert.equal(problemCode(answer), 'upstream_reset');
    assert.match(answer, new RegExp(name));
  });
}

test('an answer that was complete stays so if its stream is reset without an error behind it', async (t) => {
  const origin = await openRawHttp2Origin(t);
  const { connect } = await openHttp2Lab(t, origin);
  const client = await connect();
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc');
  const connection = await origin.asked();
  const [stream] = connection.streams;
  connection.send(
    head(stream, [[':status', '413']]),
    data(stream, 'too large', END_STREAM),
    reset(stream, 0),
  );
  await client.take('too large\r\n0\r\n\r\n');
});

const MALFORMED: Readonly<Record<string, (stream: number) => Buffer>> = {
  'has no status': (stream) => head(stream, [['x', 'y']], END_STREAM),
  'has a status that is no number': (stream) => head(stream, [[':status', 'abc']], END_STREAM),
  'switches protocols': (stream) => head(stream, [[':status', '101']]),
  'ends with an interim head': (stream) => head(stream, [[':status', '103']], END_STREAM),
  'has a field of the connection': (stream) =>
    head(
      stream,
      [
        [':status', '200'],
        ['transfer-encoding', 'chunked'],
      ],
      END_STREAM,
    ),
  'has two lengths': (stream) =>
    head(stream, [
      [':status', '200'],
      ['content-length', '1'],
      ['content-length', '1'],
    ]),
  'has a length that is no number': (stream) =>
    head(stream, [
      [':status', '200'],
      ['content-length', '+1'],
    ]),
  'has a length and no body': (stream) =>
    head(
      stream,
      [
        [':status', '200'],
        ['content-length', '3'],
      ],
      END_STREAM,
    ),
  'has capitals in a name': (stream) =>
    head(
      stream,
      [
        [':status', '200'],
        ['X-Y', 'z'],
      ],
      END_STREAM,
    ),
  'has too large a head': (stream) =>
    head(
      stream,
      [
        [':status', '200'],
        ['x', 'y'.repeat(1100)],
      ],
      END_STREAM,
    ),
  'has far too large a head': (stream) =>
    head(
      stream,
      [
        [':status', '200'],
        ['x', 'y'.repeat(10_000)],
      ],
      END_STREAM,
    ),
  'has too many fields': (stream) =>
    head(
      stream,
      [[':status', '200'], ...Array.from({ length: 11 }, (_, at) => [`x${at}`, ''] as const)],
      END_STREAM,
    ),
  'has far too many fields': (stream) =>
    head(
      stream,
      [[':status', '200'], ...Array.from({ length: 50 }, (_, at) => [`x${at}`, ''] as const)],
      END_STREAM,
    ),
  'has too many interim heads': (stream) =>
    Buffer.concat(Array.from({ length: 17 }, () => head(stream, [[':status', '103']]))),
};

for (const [what, bytes] of Object.entries(MALFORMED)) {
  test(`an answer that ${what} is 502, and nothing of it is passed on`, async (t) => {
    const origin = await openRawHttp2Origin(t);
    const { connect } = await openHttp2Lab(t, origin, {
      limits: { upstreamHeadBytesMax: 1024, upstreamHeadersMax: 10, upstreamInterimMax: 16 },
    });
    const client = await connect();
    client.send(GET);
    const connection = await origin.asked();
    connection.send(bytes(connection.streams[0]));
    await client.take('HTTP/1.1 502 ');
    // The library resets the stream of a head that is far too large in the same way as an origin that has too much to do.
    assert.match(await client.take('}'), /upstream_malformed|ENHANCE_YOUR_CALM/);
  });
}

for (const value of ['a\r\nset-cookie: b=1', 'a\nb', 'a\0b', 'a\x01b']) {
  test(`a value with ${JSON.stringify(value)} never reaches a client`, async (t) => {
    const origin = await openRawHttp2Origin(t);
    const { connect } = await openHttp2Lab(t, origin);
    const client = await connect();
    client.send(GET);
    const connection = await origin.asked();
    const fields: Fields = [
      [':status', '200'],
      ['x-value', value],
    ];
    connection.send(head(connection.streams[0], fields, END_STREAM));
    assert.doesNotMatch(await client.take('\r\n\r\n'), /x-value|set-cookie/);
  });
}

async function askTwo(t: TestContext) {
  const origin = await openRawHttp2Origin(t);
  const { connect } = await openHttp2Lab(t, origin);
  const [client, neighbour] = [await connect(), await connect()];
  neighbour.send(GET);
  const connection = await origin.asked();
  client.send(GET);
  await until(() => connection.streams.length === 2);
  const [other, stream] = connection.streams;
  return { client, neighbour, connection, other, stream };
}

const FIVE_BYTES: Fields = [
  [':status', '200'],
  ['content-length', '5'],
];

test('a body that is shorter than its length is not passed off as complete, and other requests go on', async (t) => {
  const { client, neighbour, connection, other, stream } = await askTwo(t);
  connection.send(head(stream, FIVE_BYTES), data(stream, 'abc', END_STREAM));
  assert.match(await client.ended(), /\r\n\r\nabc$/);
  connection.send(head(other, [[':status', '200']]), data(other, 'fine', END_STREAM));
  await neighbour.take('fine\r\n0\r\n\r\n');
});

test('an origin that sends a longer body than it said loses its connection', async (t) => {
  const { client, neighbour, connection, stream } = await askTwo(t);
  connection.send(head(stream, FIVE_BYTES), data(stream, 'abcdefg', END_STREAM));
  assert.doesNotMatch(await client.ended(), /abcdef/);
  assert.equal(problemCode(await neighbour.take('}')), 'upstream_reset');
  await until(() => connection.isClosed);
});

test('a connection that is lost ends its requests: 502 without a head, cut off behind one', async (t) => {
  const origin = await openRawHttp2Origin(t);
  const { connect } = await openHttp2Lab(t, origin);
  const [answered, asked] = [await connect(), await connect()];
  answered.send(GET);
  const connection = await origin.asked();
  const [stream] = connection.streams;
  connection.send(head(stream, [[':status', '200']]), data(stream, 'half'));
  await answered.take('half');
  asked.send(GET);
  await until(() => connection.streams.length === 2);
  connection.socket.destroy();
  assert.equal(problemCode(await asked.take('}')), 'upstream_reset');
  assert.doesNotMatch(await answered.ended(), /\r\n0\r\n/);
});

test('an origin that answers in HTTP/1.1 where HTTP/2 is spoken is 502, and says why', async (t) => {
  const origin = await openOrigin(t);
  const { connect } = await openHttp2Lab(t, origin);
  const client = await connect();
  client.send(GET);
  const connection = await origin.connection();
  connection.send('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
  const answer = await client.take('}');
  assert.match(answer, /^HTTP\/1\.1 502 /);
  assert.equal(problemCode(answer), 'upstream_unreachable');
  assert.match(answer, /does not speak HTTP\/2/);
  await connection.ended();
});

test('an origin that does not begin to speak is 504 after limits.upstreamConnectTimeoutMs', async (t) => {
  const origin = await openOrigin(t);
  const { connect, clock } = await openHttp2Lab(t, origin, { limits: { upstreamConnectTimeoutMs: 2000 } });
  const client = await connect();
  client.send(GET);
  const connection = await origin.connection();
  await connection.take('SM\r\n\r\n');
  await advanceUntil(clock, 200, () => connection.isClosed || connection.isEnded);
  const answer = await client.take('}');
  assert.match(answer, /^HTTP\/1\.1 504 /);
  assert.equal(problemCode(answer), 'upstream_timeout');
});

test('an origin that says nothing is 504, and its stream is taken back', async (t) => {
  const origin = await openHttp2Origin(t);
  const { connect, clock } = await openHttp2Lab(t, origin, { route: { timeouts: { firstByte: '2s' } } });
  const client = await connect();
  client.send(GET);
  const request = await origin.request();
  await advanceUntil(clock, 100, () => client.received.includes('}'));
  assert.equal(problemCode(await client.take('}')), 'upstream_timeout');
  await until(() => request.isClosed);
  assert.equal(request.stream.rstCode, 8, 'CANCEL');
});

test('an answer that stops arriving is cut off after the idle time of the route', async (t) => {
  const origin = await openHttp2Origin(t);
  const { connect, clock } = await openHttp2Lab(t, origin, { route: { timeouts: { idle: '2s' } } });
  const client = await connect();
  client.send(GET);
  const request = await origin.request();
  request.stream.respond({ ':status': 200 });
  request.stream.write('half');
  await client.take('half');
  await advanceUntil(clock, 100, () => client.isEnded || client.isClosed);
  await until(() => request.isClosed);
});

test('an origin whose window stays shut is 504 once no more of the body goes', async (t) => {
  const origin = await openRawHttp2Origin(t);
  const { connect, clock } = await openHttp2Lab(t, origin, { route: { timeouts: { firstByte: '2s' } } });
  const client = await connect();
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n');
  const connection = await origin.asked();
  const [stream] = connection.streams;
  client.socket.write(Buffer.alloc(1_000_000, 'x'));
  await until(() => connection.dataBytes(stream) === 65_535);
  await advanceUntil(clock, 100, () => client.received.includes('}'));
  assert.match(client.received, /upstream_timeout/);
  const isReset = (): boolean => connection.frames.some(({ type }) => type === RST_STREAM);
  await advanceUntil(clock, 100, isReset);
});

test('a client that leaves within its body has its stream taken back', async (t) => {
  const origin = await openHttp2Origin(t);
  const { connect, clock } = await openHttp2Lab(t, origin);
  const client = await connect();
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc');
  const request = (await origin.request()).read();
  await request.bodyUntil('abc');
  client.socket.destroy();
  await advanceUntil(clock, 20, () => request.isClosed);
  assert.equal(request.stream.rstCode, 8, 'CANCEL');
  assert.equal(origin.openSessions, 1);
});

describe('Over TLS', { skip: NO_OPENSSL }, () => {
  async function certificate(t: TestContext) {
    const certificates = await Certificates.create(t);
    await certificates.make('server', { names: ['DNS:localhost'] });
    const [cert, key] = [certificates.certificate('server'), certificates.key('server')];
    return { file: cert, cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
  }

  test('an origin that agrees to h2 is spoken to so', async (t) => {
    const { file, ...files } = await certificate(t);
    const origin = await openHttp2Origin(t, {}, files);
    const { connect } = await openHttp2Lab(t, origin, { upstream: { tls: { ca: file } } });
    const client = await connect();
    client.send(GET);
    const request = await origin.request();
    assert.equal(request.headers[':scheme'], 'https');
    assert.equal((request.stream.session?.socket as TLSSocket | undefined)?.alpnProtocol, 'h2');
    request.answer('hello');
    await client.take('hello');
  });

  for (const [what, protocols] of [
    ['refuses h2', ['http/1.1']],
    ['knows nothing of ALPN', null],
  ] as const) {
    test(`an origin that ${what} is 502, and says why`, async (t) => {
      const { file, ...files } = await certificate(t);
      const server =
        protocols === null
          ? createTlsServer(files)
          : createHttpsServer({ ...files, ALPNProtocols: [...protocols] });
      server.on('tlsClientError', () => {});
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      t.after(() => server.close());
      const url = `https://localhost:${(server.address() as AddressInfo).port}`;
      const { connect } = await openHttp2Lab(t, { url }, { upstream: { tls: { ca: file } } });
      const client = await connect();
      client.send(GET);
      const answer = await client.take('}');
      assert.match(answer, /^HTTP\/1\.1 502 /);
      assert.equal(problemCode(answer), 'upstream_unreachable');
      assert.match(answer, /does not speak the protocol of its upstream/);
    });
  }
});

for (const framing of ['Content-Length: 10\r\n\r\nabc', 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n']) {
  const [name] = framing.split('\r\n');
  const POST = `POST / HTTP/1.1\r\nHost: a\r\n${framing}`;

  test(`a body (${name}) that its client cuts off never looks complete to the origin`, async (t) => {
    const origin = await openRawHttp2Origin(t);
    const { connect, clock } = await openHttp2Lab(t, origin);
    const client = await connect();
    client.send(POST);
    const connection = await origin.asked();
    const [stream] = connection.streams;
    await connection.frame(DATA, stream);
    client.socket.resetAndDestroy();
    await advanceUntil(clock, 20, () => connection.frames.some(({ type }) => type === RST_STREAM));
    const { payload } = await connection.frame(RST_STREAM, stream);
    assert.equal(payload.readUInt32BE(0), 8, 'CANCEL');
    assert.ok(connection.frames.every(({ type, flags }) => type !== DATA || (flags & END_STREAM) === 0));
  });

  test(`an answer before the end of the body (${name}) is passed on, and the rest is taken back`, async (t) => {
    const origin = await openRawHttp2Origin(t);
    const { connect, clock } = await openHttp2Lab(t, origin);
    const client = await connect();
    client.send(POST);
    const connection = await origin.asked();
    const [stream] = connection.streams;
    await connection.frame(DATA, stream);
    connection.send(head(stream, [[':status', '413']]), data(stream, 'too large', END_STREAM));
    await client.take('too large\r\n0\r\n\r\n');
    await advanceUntil(clock, 20, () => connection.frames.some(({ type }) => type === RST_STREAM));
    assert.ok(connection.frames.every(({ type, flags }) => type !== DATA || (flags & END_STREAM) === 0));
    assert.equal(connection.isClosed, false);
  });
}
