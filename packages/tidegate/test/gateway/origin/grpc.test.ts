import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import type { ClientHttp2Session, IncomingHttpHeaders } from 'node:http2';
import { describe, type TestContext, test } from 'node:test';
import { Asked, openSession } from '../../listeners/http2-lab.ts';
import { until } from '../../listeners/lab.ts';
import { Certificates, NO_OPENSSL } from '../../support/certificates.ts';
import { type Http2Origin, openHttp2Lab, openHttp2Origin, type ReceivedRequest } from './http2-origin.ts';

/** A message with its prefix: not compressed, and its length. */
function message(text: string): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(Buffer.byteLength(text), 1);
  return Buffer.concat([prefix, Buffer.from(text, 'latin1')]);
}

const text = (bytes: string): string => bytes.slice(5);

/** A client's call, with the fields that gRPC sends. */
class Call extends Asked {
  trailers: IncomingHttpHeaders | null = null;
  isEndedByHead = false;

  constructor(session: ClientHttp2Session, path: string, extra: Readonly<Record<string, string>> = {}) {
    super(
      session.request({
        ':method': 'POST',
        ':path': path,
        'content-type': 'application/grpc+proto',
        te: 'trailers',
        'grpc-timeout': '1S',
        ...extra,
      }),
    );
    this.stream.on('trailers', (trailers) => {
      this.trailers = trailers;
    });
  }
}

interface GrpcLab {
  readonly origin: Http2Origin;
  readonly session: ClientHttp2Session;
}

async function openGrpcLab(t: TestContext, transport: 'tls' | 'cleartext'): Promise<GrpcLab> {
  const certificates = await Certificates.create(t);
  await certificates.make('server', { names: ['DNS:localhost', 'IP:127.0.0.1'] });
  const [certificate, key] = [certificates.certificate('server'), certificates.key('server')];
  const files = { cert: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') };
  const origin = await openHttp2Origin(t, {}, transport === 'tls' ? files : null);
  const lab = await openHttp2Lab(t, origin, {
    tls: { certificates: [certificates.files('server')], minVersion: 'TLSv1.2', clients: null },
    ...(transport === 'tls' ? { upstream: { tls: { ca: certificate } } } : {}),
  });
  return { origin, session: await openSession(t, lab) };
}

function status(request: ReceivedRequest, code: string, detail: string): void {
  request.stream.once('wantTrailers', () =>
    request.stream.sendTrailers({ 'grpc-status': code, 'grpc-message': detail, 'x-bin': ['a', 'b'] }),
  );
  request.stream.end();
}

const HEAD = { ':status': 200, 'content-type': 'application/grpc+proto' };

for (const transport of ['tls', 'cleartext'] as const) {
  describe(`gRPC through the gateway, to an origin over ${transport}`, { skip: NO_OPENSSL }, () => {
    test('makes a unary call, whose status is in the trailers', async (t) => {
      const { origin, session } = await openGrpcLab(t, transport);
      const call = new Call(session, '/greeter/Hello');
      call.stream.end(message('who'));
      const request = (await origin.request()).read();
      assert.equal(request.headers[':path'], '/greeter/Hello');
      assert.equal(request.headers.te, 'trailers');
      assert.equal(request.headers['content-type'], 'application/grpc+proto');
      assert.equal(request.headers['grpc-timeout'], '1S');
      await until(() => request.isEnded);
      assert.equal(text(request.body), 'who');
      request.stream.respond(HEAD, { waitForTrailers: true });
      request.stream.write(message('you'));
      status(request, '0', 'fine');
      const answer = await call.answer();
      assert.equal(answer.status, 200);
      assert.equal(text(answer.body), 'you');
      assert.equal(call.trailers?.['grpc-status'], '0');
      assert.equal(call.trailers?.['grpc-message'], 'fine');
      assert.equal(call.trailers?.['x-bin'], 'a, b');
    });

    test('streams both ways at once, message by message', async (t) => {
      const { origin, session } = await openGrpcLab(t, transport);
      const call = new Call(session, '/chat/Talk');
      call.stream.write(message('one'));
      const request = (await origin.request()).read();
      request.stream.respond(HEAD, { waitForTrailers: true });
      for (const word of ['one', 'two', 'three']) {
        if (word !== 'one') call.stream.write(message(word));
        await request.bodyUntil(word);
        request.stream.write(message(`you said ${word}`));
        await call.until(`you said ${word}`);
      }
      call.stream.end();
      await until(() => request.isEnded);
      status(request, '0', '');
      await call.answer();
      assert.equal(call.trailers?.['grpc-status'], '0');
    });

    test('fails with a status in the head alone, or in trailers behind messages', async (t) => {
      const { origin, session } = await openGrpcLab(t, transport);
      const refused = new Call(session, '/a/B');
      refused.stream.end(message('x'));
      const request = await origin.request();
      request.stream.respond(
        { ...HEAD, 'grpc-status': '12', 'grpc-message': 'no such thing' },
        { endStream: true },
      );
      const answer = await refused.answer();
      assert.equal(answer.headers['grpc-status'], '12');
      assert.equal(answer.body, '');
      const failing = new Call(session, '/a/C');
      failing.stream.end(message('x'));
      const half = await origin.request();
      half.stream.respond(HEAD, { waitForTrailers: true });
      half.stream.write(message('half'));
      status(half, '13', 'broken');
      assert.equal(text((await failing.answer()).body), 'half');
      assert.equal(failing.trailers?.['grpc-status'], '13');
    });

    test('tells either side that the other one has given up', async (t) => {
      const { origin, session } = await openGrpcLab(t, transport);
      const leaving = new Call(session, '/a/B');
      leaving.stream.write(message('x'));
      const left = (await origin.request()).read();
      left.stream.respond(HEAD, { waitForTrailers: true });
      left.stream.write(message('y'));
      await leaving.until('y');
      const staying = new Call(session, '/a/C');
      staying.stream.end(message('x'));
      const dying = await origin.request();
      dying.stream.respond(HEAD, { waitForTrailers: true });
      dying.stream.write(message('half'));
      await staying.until('half');
      dying.stream.close(2);
      await until(() => staying.isClosed);
      assert.notEqual(staying.stream.rstCode, 0);
      assert.equal(staying.trailers, null);
      assert.equal(left.isClosed, false, 'another call on the same connections');
      leaving.stream.write(message('more'));
      await left.bodyUntil('more');
    });
  });
}
