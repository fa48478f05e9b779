import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { constants } from 'node:http2';
import { describe, test } from 'node:test';
import { TidegateError } from '../../src/kernel/index.ts';
import { withCrossOrigin } from '../../src/listeners/index.ts';
import type { HttpExchange, HttpHandler } from '../../src/listeners/port.ts';
import { NO_OPENSSL } from '../support/certificates.ts';
import {
  ask,
  DATA,
  END_HEADERS,
  fieldBlock,
  frame,
  HEADERS,
  openSecureLab,
  openSession,
  RawHttp2Client,
  RST_STREAM,
  requestFields,
} from './http2-lab.ts';
import { advanceUntil, collect, RecordingOwner, until } from './lab.ts';

const fine: HttpHandler = (exchange) => exchange.respond(200, {}, 'fine');
const code = (body: string): string => (JSON.parse(body) as { code: string }).code;

describe('A request over HTTP/2', { skip: NO_OPENSSL }, () => {
  test('reaches the same handlers, with an authority that reads as Host', async (t) => {
    let seen: unknown;
    const lab = await openSecureLab(t, (exchange) => {
      const { request } = exchange;
      seen = [
        [request.method, request.target, request.path, [...request.query]],
        [request.scheme, request.majorVersion, request.minorVersion, request.remoteAddress],
        [request.headers.get('host'), request.headers.all('x-many'), request.body.lengthBytes],
        request.clientCertificate,
      ];
      exchange.respond(200, { 'x-answer': ['a', 'b'], 'content-type': 'text/plain' }, 'grüß dich');
    });
    const session = await openSession(t, lab);
    const answer = await ask(session, { ':path': '/a%20b?c=d', 'x-many': ['1', '2'] }).answer();
    assert.deepEqual(seen, [
      ['GET', '/a%20b?c=d', '/a%20b', [['c', 'd']]],
      ['https', 2, 0, '127.0.0.1'],
      [`localhost:${lab.listener.port}`, ['1', '2'], 0],
      null,
    ]);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['content-length'], '11');
    assert.equal(answer.headers['x-answer'], 'a, b');
    assert.match(String(answer.headers.date), / GMT$/);
    assert.equal(Buffer.from(answer.body, 'latin1').toString(), 'grüß dich');
    assert.equal(lab.metric('tidegate_http_requests_total{GET,2xx}'), 1);
    assert.equal(lab.metric('tidegate_tls_handshakes_total{h2}'), 1);
  });

  test('shares its connection with others, which are answered in any order', async (t) => {
    const held: HttpExchange[] = [];
    const lab = await openSecureLab(t, (exchange) => held.push(exchange));
    const session = await openSession(t, lab);
    const asked = ['/1', '/2', '/3'].map((path) => ask(session, { ':path': path }));
    await until(() => held.length === 3);
    for (const exchange of held.reverse()) exchange.respond(200, {}, exchange.request.path);
    const bodies = await Promise.all(asked.map(async (one) => (await one.answer()).body));
    assert.deepEqual(bodies, ['/1', '/2', '/3']);
    assert.equal(lab.metric('tidegate_http_connections_open'), 1);
  });

  test('has a body, which is received, paused and resumed', async (t) => {
    const lab = await openSecureLab(t, (exchange) => {
      collect(exchange, (body) =>
        exchange.respond(200, {}, `${exchange.request.body.lengthBytes} ${body.length}`),
      );
      exchange.request.body.pause();
      setImmediate(() => exchange.request.body.resume());
    });
    const session = await openSession(t, lab);
    const bytes = Buffer.alloc(300_000, 'x');
    assert.equal((await ask(session, { ':method': 'POST' }, bytes).answer()).body, 'null 300000');
    const told = ask(session, { ':method': 'POST', 'content-length': '300000' }, bytes);
    assert.equal((await told.answer()).body, '300000 300000');
    assert.equal((await ask(session, { ':method': 'POST' }, '').answer()).body, 'null 0');
  });

  test('is answered early if its body is too large, said or not', async (t) => {
    const lab = await openSecureLab(t, (exchange) =>
      collect(exchange, () => assert.fail('it was taken'), 1000),
    );
    const session = await openSession(t, lab);
    const said = ask(session, { ':method': 'POST', 'content-length': '5000' }, Buffer.alloc(5000));
    assert.equal(code((await said.answer()).body), 'body_too_large');
    const unsaid = await ask(session, { ':method': 'POST' }, Buffer.alloc(500_000)).answer();
    assert.equal(unsaid.status, 413);
    const next = ask(session, { ':method': 'POST' }, Buffer.alloc(500_000));
    assert.equal((await next.answer()).status, 413, 'the connection is as good as before');
    assert.ok(!session.destroyed);
  });

  test('that was answered before its end is asked for no more (RFC 9113, section 8.1)', async (t) => {
    const lab = await openSecureLab(t, (exchange) =>
      collect(exchange, () => assert.fail('it was taken'), 10),
    );
    const client = await RawHttp2Client.open(t, lab);
    const fields = requestFields().map(
      ([name, value]) => [name, name === ':method' ? 'POST' : value] as const,
    );
    client.send(frame(HEADERS, END_HEADERS, 1, fieldBlock(fields)), frame(DATA, 0, 1, Buffer.alloc(20)));
    const { payload } = await client.frame(RST_STREAM, 1);
    assert.equal(payload.readUInt32BE(0), constants.NGHTTP2_NO_ERROR);
    const answered = client.frames.filter(({ stream }) => stream === 1).map(({ type }) => type);
    assert.deepEqual([answered[0], answered.at(-2), answered.at(-1)], [HEADERS, DATA, RST_STREAM]);
  });

  test('whose body stops arriving is answered with 408', async (t) => {
    const lab = await openSecureLab(t, (exchange) => collect(exchange, () => assert.fail('it was taken')));
    const session = await openSession(t, lab);
    const asked = ask(session, { ':method': 'POST', 'content-length': '10' }, null);
    const stream = session.request({ ':method': 'POST', ':path': '/', 'content-length': '10' });
    stream.on('error', () => {});
    const response = once(stream, 'response');
    stream.write('abc');
    await until(() => lab.metric('tidegate_http_received_bytes') > 0);
    // The first is malformed: it says ten bytes and ends without any (RFC 9113, section 8.1.1).
    await until(() => asked.isClosed);
    assert.equal(asked.stream.rstCode, constants.NGHTTP2_PROTOCOL_ERROR);
    let status = 0;
    response.then(([headers]) => {
      status = headers[':status'];
    });
    await advanceUntil(lab.clock, lab.limits.httpBodyIdleTimeoutMs, () => status !== 0);
    assert.equal(status, 408);
  });

  test('that waits for 100 is told to go on once its body is wanted (RFC 9110, section 10.1.1)', async (t) => {
    const lab = await openSecureLab(t, (exchange) =>
      collect(exchange, (body) => exchange.respond(200, {}, body)),
    );
    const session = await openSession(t, lab);
    const asked = ask(session, { ':method': 'POST', expect: '100-continue' }, null);
    assert.equal((await asked.answer()).status, 200, 'without a body there is nothing to wait for');
    const stream = session.request({ ':method': 'POST', ':path': '/', expect: '100-continue' });
    await once(stream, 'continue');
    stream.end('went on');
    const [bytes] = await once(stream, 'data');
    assert.equal(String(bytes), 'went on');
    const other = await ask(session, { expect: 'more' }).answer();
    assert.deepEqual([other.status, code(other.body)], [417, 'http_expectation_failed']);
  });

  test('by HEAD gets the head alone', async (t) => {
    const lab = await openSecureLab(t, (exchange) => {
      if (exchange.request.path === '/stream')
        exchange.stream(200, { 'x-s': '1' }, new RecordingOwner(), 'close');
      else exchange.respond(200, {}, 'four');
    });
    const session = await openSession(t, lab);
    const whole = await ask(session, { ':method': 'HEAD' }).answer();
    assert.deepEqual([whole.status, whole.headers['content-length'], whole.body], [200, '4', '']);
    const stream = await ask(session, { ':method': 'HEAD', ':path': '/stream' }).answer();
    assert.deepEqual([stream.status, stream.headers['x-s'], stream.body], [200, '1', '']);
  });

  test('with a large answer gets all of it', async (t) => {
    const body = Buffer.alloc(3_000_000, 'y');
    const lab = await openSecureLab(t, (exchange) => exchange.respond(200, {}, body));
    const session = await openSession(t, lab);
    assert.equal((await ask(session).answer()).body.length, body.length);
  });

  test('that breaks the rules of HTTP/1 too is refused with the same codes', async (t) => {
    const lab = await openSecureLab(t, () => assert.fail('it was taken'), {
      httpHeadBytesMax: 4096,
      httpTargetBytesMax: 1024,
      httpHeadersMax: 20,
    });
    const session = await openSession(t, lab);
    const refused = async (headers: Record<string, string | string[]>) => {
      const asked = ask(session, headers);
      const { status, body } = await asked.answer();
      return asked.headers === null ? `reset ${asked.stream.rstCode}` : `${status} ${code(body)}`;
    };
    assert.equal(await refused({ ':path': `/${'x'.repeat(1024)}` }), '414 http_target_too_long');
    assert.equal(await refused({ ':path': '/a|b#c' }), '400 http_malformed');
    assert.equal(await refused({ ':authority': 'localhost', host: 'other.example' }), '400 http_ambiguous');
    assert.equal(await refused({ ':authority': 'a,b' }), '400 http_malformed');
    assert.equal(await refused({ 'x-large': 'x'.repeat(4096) }), '431 http_headers_too_large');
    const many = Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`x-${index}`, '1']));
    assert.equal(await refused(many), '431 http_headers_too_large');
    assert.equal(lab.metric('tidegate_http_requests_total{other,4xx}'), 6);
  });

  test('that fails in its handler is answered with 500, and the connection goes on', async (t) => {
    const lab = await openSecureLab(t, (exchange) => {
      if (exchange.request.path === '/early') throw new Error('early');
      collect(exchange, () => {
        throw new TidegateError('log_disk_full');
      });
    });
    const session = await openSession(t, lab);
    assert.equal((await ask(session, { ':path': '/early' }).answer()).status, 500);
    assert.equal((await ask(session, { ':method': 'POST' }, 'x').answer()).status, 507);
    assert.equal(lab.logged.filter(({ level }) => level === 'error').length, 2);
  });

  test('that is taken back tells who was to answer it', async (t) => {
    const told: string[] = [];
    const lab = await openSecureLab(t, (exchange) => {
      exchange.onAbandoned(() => told.push('abandoned'));
      exchange.request.body.receive(
        {
          data: () => told.push('data'),
          end: () => told.push('end'),
          failed: (error) => told.push(error.code),
        },
        1000,
      );
    });
    // Node's client ends a body before it takes the request back.
    const client = await RawHttp2Client.open(t, lab);
    const fields = requestFields().map(
      ([name, value]) => [name, name === ':method' ? 'POST' : value] as const,
    );
    client.send(frame(HEADERS, END_HEADERS, 1, fieldBlock(fields)), frame(DATA, 0, 1, Buffer.from('some')));
    await until(() => told.length === 1);
    client.send(frame(RST_STREAM, 0, 1, Buffer.from([0, 0, 0, constants.NGHTTP2_CANCEL])));
    await until(() => told.length === 3);
    assert.deepEqual(told.sort(), ['abandoned', 'data', 'http_malformed']);
  });

  test('has no upgrade', async (t) => {
    const lab = await openSecureLab(t, (exchange) => {
      exchange.upgrade({ upgrade: 'x' }, new RecordingOwner());
    });
    const session = await openSession(t, lab);
    const { status, body } = await ask(session).answer();
    assert.deepEqual([status, code(body)], [400, 'upgrade_invalid']);
  });

  test('of a page of the server itself is let in by any name, and of others only if listed', async (t) => {
    const lab = await openSecureLab(t, withCrossOrigin(fine, { origins: ['https://app.example'] }));
    const session = await openSession(t, lab);
    const status = async (authority: string, origin: string | null) =>
      (await ask(session, { ':authority': authority, ...(origin === null ? {} : { origin }) }).answer())
        .status;
    assert.equal(await status('push.example', null), 200);
    assert.equal(await status('push.example', 'https://push.example'), 200);
    assert.equal(await status('push.example:443', 'https://push.example'), 200);
    assert.equal(await status('push.example', 'https://app.example'), 200);
    assert.equal(await status('push.example', 'http://push.example'), 403);
    assert.equal(await status('push.example', 'https://evil.example'), 403);
    assert.equal(await status('localhost', 'https://evil.example'), 403);
  });
});
