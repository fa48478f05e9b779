import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { constants } from 'node:http2';
import { describe, type TestContext, test } from 'node:test';
import { type GatewayLab, openGatewayLab, openOrigin, type ScriptedOrigin } from '../gateway/lab.ts';
import { Certificates, NO_OPENSSL } from '../support/certificates.ts';
import {
  Asked,
  ask,
  DATA,
  END_HEADERS,
  END_STREAM,
  fieldBlock,
  frame,
  HEADERS,
  openSession,
  RawHttp2Client,
  RST_STREAM,
  requestFields,
} from './http2-lab.ts';
import { advanceUntil, until } from './lab.ts';

/** A gateway with HTTP/2 towards clients, whose every request goes to one scripted origin of HTTP/1.1. */
async function openRelayLab(t: TestContext): Promise<GatewayLab & { readonly origin: ScriptedOrigin }> {
  const certificates = await Certificates.create(t);
  await certificates.make('server', { names: ['DNS:localhost'] });
  const origin = await openOrigin(t);
  const lab = await openGatewayLab(t, {
    routes: { all: { match: { path: '/*' }, upstream: 'app' } },
    upstreams: { app: { targets: [{ url: origin.url }] } },
    tls: { certificates: [certificates.files('server')], minVersion: 'TLSv1.2', clients: null },
  });
  return { ...lab, origin };
}

const POST = { ':method': 'POST' };

describe('An HTTP/2 client of an HTTP/1.1 origin', { skip: NO_OPENSSL }, () => {
  test('has its request and its answer passed on', async (t) => {
    const lab = await openRelayLab(t);
    const session = await openSession(t, lab);
    const asked = ask(session, { ':path': '/a?b=c', ':authority': 'example.com', 'x-mine': '1' });
    const connection = await lab.origin.connection();
    const head = await connection.request();
    assert.ok(head.startsWith('GET /a?b=c HTTP/1.1\r\nHost: example.com\r\n'), head);
    assert.match(head, /\r\nx-mine: 1\r\n/);
    assert.match(head, /\r\nVia: 2\.0 tidegate-/);
    connection.answer(
      'hello',
      'Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nKeep-Alive: timeout=5\r\nX-Reply: yes\r\n',
    );
    const { status, headers, body } = await asked.answer();
    assert.equal(status, 200);
    assert.equal(body, 'hello');
    assert.deepEqual(headers['set-cookie'], ['a=1', 'b=2']);
    assert.equal(headers['x-reply'], 'yes');
    assert.equal(headers['content-length'], '5');
    assert.equal(headers['keep-alive'], undefined);
  });

  test('has the crumbs of its cookies joined (RFC 9113, section 8.2.3)', async (t) => {
    const lab = await openRelayLab(t);
    const client = await RawHttp2Client.open(t, lab);
    const fields = [...requestFields(), ['cookie', 'a=1'], ['x', 'y'], ['cookie', 'b=2']] as const;
    client.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, fieldBlock(fields as never)));
    const head = await (await lab.origin.connection()).request();
    assert.match(head, /\r\ncookie: a=1; b=2\r\n/);
    assert.equal(head.match(/cookie/gi)?.length, 1);
  });

  test('gets a field twice that should stand once, as the origin sent it', async (t) => {
    const lab = await openRelayLab(t);
    const session = await openSession(t, lab, {}, { strictSingleValueFields: false });
    const asked = ask(session);
    const connection = await lab.origin.connection();
    await connection.request();
    connection.answer('hello', 'ETag: "a"\r\nETag: "b"\r\nContent-Type: a/b\r\nContent-Type: c/d\r\n');
    const { status, body } = await asked.answer();
    assert.equal(status, 200);
    assert.equal(body, 'hello');
  });

  test('does not get fields that HTTP/2 has none of', async (t) => {
    const lab = await openRelayLab(t);
    const session = await openSession(t, lab);
    const asked = ask(session);
    const connection = await lab.origin.connection();
    await connection.request();
    connection.answer('hello', 'HTTP2-Settings: AAA\r\nProxy-Connection: close\r\nUpgrade: h2c\r\n');
    const { status, headers } = await asked.answer();
    assert.equal(status, 200);
    for (const name of ['http2-settings', 'proxy-connection', 'upgrade'])
      assert.equal(headers[name], undefined);
  });

  test('has bodies pass as they come, in both directions', async (t) => {
    const lab = await openRelayLab(t);
    const session = await openSession(t, lab);
    const stream = session.request({ ':path': '/', ...POST });
    const asked = new Asked(stream);
    stream.write('abc');
    const connection = await lab.origin.connection();
    assert.match(await connection.request(), /\r\nTransfer-Encoding: chunked\r\n/);
    await connection.take('3\r\nabc\r\n');
    connection.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nuvw\r\n');
    await asked.until('uvw');
    stream.end('def');
    await connection.take('3\r\ndef\r\n0\r\n\r\n');
    connection.send('3\r\nxyz\r\n0\r\n\r\n');
    assert.equal((await asked.answer()).body, 'uvwxyz');
    const known = ask(session, { ...POST, 'content-length': '3' }, 'abc');
    assert.match(await connection.request(), /\r\nContent-Length: 3\r\n/);
    await connection.take('abc');
    connection.answer('done');
    assert.equal((await known.answer()).body, 'done');
  });

  test('has trailers pass, in both directions', async (t) => {
    const lab = await openRelayLab(t);
    const session = await openSession(t, lab);
    const stream = session.request({ ':path': '/', ...POST, te: 'trailers' }, { waitForTrailers: true });
    const asked = new Asked(stream);
    let mark: unknown;
    stream.on('trailers', (fields) => {
      mark = fields['x-mark'];
    });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '12' }));
    stream.end('abc');
    const connection = await lab.origin.connection();
    assert.match(await connection.request(), /\r\nTE: trailers\r\n/);
    await connection.take('0\r\nx-sum: 12\r\n\r\n');
    connection.send(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nuvw\r\n0\r\nX-Mark: done\r\n\r\n',
    );
    assert.equal((await asked.answer()).body, 'uvw');
    assert.equal(mark, 'done');
  });

  test('may not decide on framing or credentials in its trailers', async (t) => {
    const lab = await openRelayLab(t);
    const session = await openSession(t, lab);
    const stream = session.request({ ':path': '/', ...POST }, { waitForTrailers: true });
    const asked = new Asked(stream);
    stream.on('wantTrailers', () => stream.sendTrailers({ authorization: 'Bearer x' }));
    stream.end('abc');
    const connection = await lab.origin.connection();
    await connection.take('3\r\nabc\r\n');
    assert.equal((await asked.answer()).status, 400);
    await until(() => connection.isClosed || connection.isEnded);
    assert.doesNotMatch(connection.received, /0\r\n|Bearer/);
  });

  test('gets the head of HEAD, 204 and 304 without a body', async (t) => {
    const lab = await openRelayLab(t);
    const session = await openSession(t, lab);
    const head = ask(session, { ':method': 'HEAD' });
    const connection = await lab.origin.connection();
    await connection.request();
    connection.send('HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n');
    const answered = await head.answer();
    assert.equal(answered.headers['content-length'], '1234');
    assert.equal(answered.body, '');
    for (const status of [204, 304]) {
      const asked = ask(session);
      await connection.request();
      connection.send(`HTTP/1.1 ${status} X\r\n\r\n`);
      const answer = await asked.answer();
      assert.equal(answer.status, status);
      assert.equal(answer.body, '');
      assert.equal(answer.headers['content-length'], undefined);
    }
  });

  test('hears of interim answers', async (t) => {
    const lab = await openRelayLab(t);
    const session = await openSession(t, lab);
    const asked = ask(session);
    let link: unknown;
    asked.stream.on('headers', (fields) => {
      link = fields.link;
    });
    const connection = await lab.origin.connection();
    await connection.request();
    connection.send('HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n');
    await until(() => link !== undefined);
    assert.equal(link, '</a.css>');
    connection.answer('done');
    assert.equal((await asked.answer()).body, 'done');
  });

  test('has its stream reset where the origin cuts off its answer (RFC 9113, section 8.1.1)', async (t) => {
    const lab = await openRelayLab(t);
    const client = await RawHttp2Client.open(t, lab);
    for (const [at, framing] of ['Content-Length: 10', 'Transfer-Encoding: chunked'].entries()) {
      const stream = at * 2 + 1;
      client.send(frame(HEADERS, END_HEADERS | END_STREAM, stream, fieldBlock(requestFields())));
      const connection = await lab.origin.connection();
      await connection.request();
      connection.send(`HTTP/1.1 200 OK\r\n${framing}\r\n\r\n4\r\nhalf\r\n`);
      await client.frame(DATA, stream);
      connection.socket.destroy();
      const { payload } = await client.frame(RST_STREAM, stream);
      assert.equal(payload.readUInt32BE(0), constants.NGHTTP2_INTERNAL_ERROR);
      assert.ok(client.frames.every((one) => one.stream !== stream || (one.flags & END_STREAM) === 0));
    }
    assert.equal(client.isClosed, false, 'its other requests go on');
  });

  test('that takes its request back has the connection to the origin closed, and its others go on', async (t) => {
    const lab = await openRelayLab(t);
    const session = await openSession(t, lab);
    const asked = ask(session);
    const waiting = await lab.origin.connection();
    await waiting.request();
    asked.stream.close(constants.NGHTTP2_CANCEL);
    await until(() => waiting.isClosed || waiting.isEnded);
    const other = ask(session);
    const answering = await lab.origin.connection();
    await answering.request();
    answering.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
    await other.until('half');
    other.stream.close(constants.NGHTTP2_CANCEL);
    await until(() => answering.isClosed || answering.isEnded);
    const last = ask(session);
    const connection = await lab.origin.connection();
    await connection.request();
    connection.answer('fine');
    assert.equal((await last.answer()).body, 'fine');
  });

  test('that takes its request back without an error, while its body waits for the origin, breaks nothing', async (t) => {
    const lab = await openRelayLab(t);
    const session = await openSession(t, lab);
    const stream = session.request({ ':path': '/', ...POST });
    stream.on('error', () => {});
    const connection = await lab.origin.connection();
    await connection.request();
    connection.socket.pause();
    // Node's client takes no answers any more once it holds ten megabytes.
    stream.write(Buffer.alloc(9_000_000, 'x'));
    const sent = (): number => session.socket.bytesWritten;
    for (let last = -1; last !== sent(); await new Promise((resolve) => setTimeout(resolve, 100)))
      last = sent();
    stream.close(constants.NGHTTP2_NO_ERROR);
    // The answer to a PING shows that the reset has been read. The stream is not gone, as some of the body is still in it.
    await new Promise((resolve) => session.ping(resolve));
    connection.send('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\ntoo late');
    await until(() => connection.socket.destroyed || connection.socket.writableLength === 0);
    const next = ask(session);
    const other = await lab.origin.connection();
    await other.request();
    other.answer('fine');
    assert.equal((await next.answer()).body, 'fine');
  });

  test('that does not read holds back its origin, and none of its other requests', async (t) => {
    const lab = await openRelayLab(t);
    const session = await openSession(t, lab);
    const slow = session.request({ ':path': '/' });
    slow.on('error', () => {});
    const large = await lab.origin.connection();
    await large.request();
    const total = 64 * 1024 * 1024;
    large.send(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`);
    large.socket.write(Buffer.alloc(total, 'x'));
    let last = -1;
    // Once nothing moves any more, the kernels are full and the gateway waits.
    for (; last !== large.socket.writableLength; await new Promise((resolve) => setTimeout(resolve, 100)))
      last = large.socket.writableLength;
    assert.ok(last > 0, 'the gateway has taken all of it');
    const quick = ask(session);
    const other = await lab.origin.connection();
    await other.request();
    other.answer('quick');
    assert.equal((await quick.answer()).body, 'quick');
    let received = 0;
    slow.on('data', (bytes: Buffer) => {
      received += bytes.length;
    });
    await until(() => received === total);
  });

  test('whose window stays shut loses its stream after limits.http2StallTimeoutMs', async (t) => {
    const lab = await openRelayLab(t);
    const session = await openSession(t, lab);
    const stalled = session.request({ ':path': '/' });
    stalled.on('error', () => {});
    const connection = await lab.origin.connection();
    await connection.request();
    connection.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    const slice = Buffer.alloc(65_536, 'x');
    for (let at = 0; at < 16; at++) {
      connection.send('10000\r\n');
      connection.send(slice);
      connection.send('\r\n');
    }
    await advanceUntil(lab.clock, 1000, () => connection.isClosed || connection.isEnded);
    await until(() => stalled.closed);
    const next = ask(session);
    const other = await lab.origin.connection();
    await other.request();
    other.answer('fine');
    assert.equal((await next.answer()).body, 'fine');
  });

  test('is not read faster than the origin takes', async (t) => {
    const lab = await openRelayLab(t);
    const session = await openSession(t, lab);
    const stream = session.request({ ':path': '/', ...POST });
    const asked = new Asked(stream);
    const connection = await lab.origin.connection();
    await connection.request();
    connection.socket.pause();
    const total = 64 * 1024 * 1024;
    stream.end(Buffer.alloc(total, 'x'));
    const sent = (): number => session.socket.bytesWritten;
    let last = -1;
    for (; last !== sent(); await new Promise((resolve) => setTimeout(resolve, 100))) last = sent();
    assert.ok(last < total, 'the gateway has taken all of it');
    let received = 0;
    connection.socket.removeAllListeners('data');
    connection.socket.on('data', (bytes) => {
      received += bytes.length;
    });
    connection.socket.resume();
    await until(() => received > total);
    connection.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone');
    assert.equal((await asked.answer()).body, 'done');
  });
});
