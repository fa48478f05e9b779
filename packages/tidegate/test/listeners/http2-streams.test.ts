import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { constants } from 'node:http2';
import { describe, test } from 'node:test';
import type { ByteChannel, HttpExchange, HttpHandler, RelayedBody } from '../../src/listeners/port.ts';
import { NO_OPENSSL } from '../support/certificates.ts';
import { ask, openSecureLab, openSession } from './http2-lab.ts';
import { advanceUntil, RecordingOwner, until } from './lab.ts';

const fine: HttpHandler = (exchange) => exchange.respond(200, {}, 'fine');
const code = (body: string): string => (JSON.parse(body) as { code: string }).code;

describe('A stream over HTTP/2', { skip: NO_OPENSSL }, () => {
  test('carries bare bytes until either side ends it', async (t) => {
    const channels: ByteChannel[] = [];
    const owners: RecordingOwner[] = [];
    const lab = await openSecureLab(t, (exchange) => {
      owners.push(new RecordingOwner());
      const headers = { 'content-type': 'text/event-stream' };
      channels.push(exchange.stream(200, headers, owners[owners.length - 1], 'close'));
    });
    const session = await openSession(t, lab);
    const [first, second] = [ask(session), ask(session)];
    await until(() => channels.length === 2);
    assert.equal(channels[0].write(Buffer.from('one')), true);
    await first.until('one');
    assert.equal(first.headers?.['content-type'], 'text/event-stream');
    assert.equal(first.headers?.connection, undefined);
    assert.equal(first.headers?.['transfer-encoding'], undefined);
    channels[0].end(Buffer.from(' and last'));
    assert.equal((await first.answer()).body, 'one and last');
    assert.equal(first.stream.rstCode, constants.NGHTTP2_NO_ERROR);
    second.stream.close(constants.NGHTTP2_CANCEL);
    await until(() => owners.every(({ told }) => told.length > 0));
    assert.deepEqual(
      owners.map(({ told }) => told),
      [['closed'], ['closed']],
    );
    assert.equal(channels[1].write(Buffer.from('late')), false);
    channels[1].end(Buffer.from('later'));
  });

  test('whose relayed body breaks off is reset, also if everything before has been sent', async (t) => {
    const relays: RelayedBody[] = [];
    const owner = new RecordingOwner();
    const lab = await openSecureLab(t, (exchange) => {
      relays.push(exchange.relay({ status: 200, reason: '', fields: [], bodyBytes: null }, owner));
      relays[0].write(Buffer.from('begun'));
    });
    const asked = ask(await openSession(t, lab));
    await asked.until('begun');
    relays[0].abort();
    await until(() => asked.isClosed);
    assert.notEqual(asked.stream.rstCode, constants.NGHTTP2_NO_ERROR);
  });

  test('that the server drops is reset, and only it', async (t) => {
    const channels: ByteChannel[] = [];
    const owner = new RecordingOwner();
    const lab = await openSecureLab(
      t,
      (exchange) => void channels.push(exchange.stream(200, {}, owner, 'close')),
    );
    const session = await openSession(t, lab);
    const [first, second] = [ask(session), ask(session)];
    await until(() => channels.length === 2);
    channels[0].write(Buffer.from('begun'));
    await until(() => `${first.received}${second.received}` === 'begun');
    const dropped = first.received === '' ? second : first;
    channels[0].destroy();
    await until(() => first.isClosed || second.isClosed);
    assert.deepEqual(owner.told, ['closed']);
    // Without an error, what has come would look complete.
    assert.notEqual(dropped.stream.rstCode, constants.NGHTTP2_NO_ERROR);
    dropped.received = '';
    channels[1].write(Buffer.from('goes on'));
    await until(() => `${first.received}${second.received}` === 'goes on');
  });

  test('that its client does not read says so, while others on the connection go on', async (t) => {
    const channels = new Map<string, ByteChannel>();
    const owners = new Map<string, RecordingOwner>();
    const lab = await openSecureLab(t, (exchange) => {
      const owner = new RecordingOwner();
      owners.set(exchange.request.path, owner);
      channels.set(exchange.request.path, exchange.stream(200, {}, owner, 'close'));
    });
    const session = await openSession(t, lab);
    const stalled = session.request({ ':path': '/stalled' });
    stalled.on('error', () => {});
    stalled.pause();
    const live = ask(session, { ':path': '/live' });
    await until(() => channels.size === 2);
    const flush = Buffer.alloc(64 * 1024, 'z');
    // The client's window takes one flush at least; what it does not take fills the stream.
    let written = 0;
    while (written < 100 && channels.get('/stalled')?.write(flush) === true) {
      written++;
      await new Promise((resolve) => session.ping(resolve));
    }
    assert.ok(written < 100, 'the stream never said that it is full');
    for (let round = 0; round < 50; round++) {
      channels.get('/live')?.write(Buffer.from(`[${round}]`));
      await live.until(`[${round}]`);
    }
    const wasTold = owners.get('/stalled')?.told.filter((what) => what === 'drained').length ?? 0;
    stalled.on('data', () => {});
    stalled.resume();
    await until(() => (owners.get('/stalled')?.told.length ?? 0) > wasTold);
    assert.equal(owners.get('/stalled')?.told.at(-1), 'drained');
    assert.deepEqual(owners.get('/live')?.told, []);
  });

  test('goes on both ways beside the body of its request', async (t) => {
    const lab = await openSecureLab(t, (exchange) => {
      const channel = exchange.converse(200, {}, new RecordingOwner(), 'close');
      exchange.request.body.receive(
        {
          data: (slice) => void channel.write(Buffer.from(`<${slice}>`)),
          end: () => channel.end(Buffer.from('end')),
          failed: (error) => assert.fail(error),
        },
        1000,
      );
    });
    const session = await openSession(t, lab);
    const asked = ask(session, { ':method': 'POST' }, null);
    assert.equal((await asked.answer()).body, 'end');
    const stream = session.request({ ':method': 'POST', ':path': '/' });
    stream.setEncoding('utf8');
    let received = '';
    stream.on('data', (text: string) => {
      received += text;
    });
    stream.write('one');
    await until(() => received === '<one>');
    stream.write('two');
    await until(() => received === '<one><two>');
    stream.end();
    await once(stream, 'close');
    assert.equal(received, '<one><two>end');
  });

  test('counts towards the limit of connections', async (t) => {
    const lab = await openSecureLab(
      t,
      (exchange) => void exchange.stream(200, {}, new RecordingOwner(), 'close'),
      { connectionsMax: 2 },
    );
    const session = await openSession(t, lab);
    const held = [ask(session), ask(session)];
    await until(() => held.every(({ headers }) => headers !== null));
    const third = await ask(session).answer();
    assert.deepEqual([third.status, code(third.body)], [503, 'connections_exhausted']);
    held[0].stream.close(constants.NGHTTP2_CANCEL);
    await until(() => held[0].isClosed);
    await new Promise((resolve) => session.ping(resolve));
    const fourth = ask(session);
    await until(() => fourth.headers !== null);
    assert.equal(fourth.headers?.[':status'], 200);
  });
});

describe('A connection of HTTP/2', { skip: NO_OPENSSL }, () => {
  test('that is not used is closed after the keep-alive timeout', async (t) => {
    const lab = await openSecureLab(t, fine);
    const session = await openSession(t, lab);
    await ask(session).answer();
    lab.clock.advance(lab.limits.httpKeepAliveTimeoutMs / 2);
    assert.equal((await ask(session).answer()).status, 200);
    let told: number | null = null;
    session.on('goaway', (goawayCode: number) => {
      told = goawayCode;
    });
    await advanceUntil(lab.clock, lab.limits.httpLingerTimeoutMs / 2, () => told !== null);
    assert.equal(told, constants.NGHTTP2_NO_ERROR);
    await advanceUntil(
      lab.clock,
      lab.limits.httpLingerTimeoutMs,
      () => lab.metric('tidegate_http_connections_open') === 0,
    );
  });

  test('drains: no new streams, those under way are finished, those that go on are told', async (t) => {
    const held: HttpExchange[] = [];
    const owner = new RecordingOwner();
    const channels: ByteChannel[] = [];
    const lab = await openSecureLab(t, (exchange) => {
      if (exchange.request.path === '/stream') channels.push(exchange.stream(200, {}, owner, 'close'));
      else held.push(exchange);
    });
    const session = await openSession(t, lab);
    const idle = await openSession(t, lab);
    const stream = ask(session, { ':path': '/stream' });
    const request = ask(session);
    await until(() => held.length === 1 && channels.length === 1);
    const told = once(session, 'goaway');
    const drained = lab.listener.drain(60_000);
    assert.equal((await told)[0], constants.NGHTTP2_NO_ERROR);
    assert.deepEqual(owner.told, ['draining']);
    channels[0].end(Buffer.from('reconnect'));
    held[0].respond(200, {}, 'finished');
    assert.equal((await request.answer()).body, 'finished');
    assert.equal((await stream.answer()).body, 'reconnect');
    await drained;
    await until(() => session.destroyed && idle.destroyed);
  });

  test('is dropped at the end of the time for draining', async (t) => {
    const owner = new RecordingOwner();
    const lab = await openSecureLab(t, (exchange) => void exchange.stream(200, {}, owner, 'close'));
    const session = await openSession(t, lab);
    const stream = ask(session);
    await until(() => stream.headers !== null);
    const drained = lab.listener.drain(5000);
    lab.clock.advance(5000);
    await drained;
    await until(() => owner.told.length === 2);
    assert.deepEqual(owner.told, ['draining', 'closed']);
    await until(() => stream.isClosed);
  });
});
