import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import test from 'node:test';
import type { ByteChannel, HttpExchange } from '../../src/listeners/index.ts';
import { chunk, LAST_CHUNK } from '../../src/wire/http1/index.ts';
import { openLab, RecordingOwner, until } from './lab.ts';

const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
const SSE = { 'content-type': 'text/event-stream' };

test('a stream is its head, then what its owner writes, then the end of the connection', async (t) => {
  const owner = new RecordingOwner();
  const lab = await openLab(t, (exchange) => {
    const channel = exchange.stream(200, SSE, owner, 'chunked');
    assert.equal(channel.write(chunk(Buffer.from('one'))), true);
    setImmediate(() => channel.end(Buffer.concat([chunk(Buffer.from('two')), LAST_CHUNK])));
  });
  const client = await lab.connect();
  client.send(GET);
  assert.equal(
    await client.ended(),
    'HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n' +
      'content-type: text/event-stream\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n',
  );
  await until(() => owner.told.length > 0);
  assert.deepEqual(owner.told, ['closed']);
  assert.equal(lab.metric('tidegate_http_requests_total{GET,2xx}'), 1);
});

test('a stream for HTTP/1.0 ends with its connection; chunks are refused to it', async (t) => {
  const owner = new RecordingOwner();
  const lab = await openLab(t, (exchange) => {
    if (exchange.request.path === '/chunked') exchange.stream(200, SSE, owner, 'chunked');
    else exchange.stream(200, SSE, owner, 'close').end(Buffer.from('all'));
  });
  const client = await lab.connect();
  client.send('GET / HTTP/1.0\r\n\r\n');
  const answer = await client.ended();
  assert.doesNotMatch(answer, /Transfer-Encoding/);
  assert.match(answer, /\r\n\r\nall$/);
  const other = await lab.connect();
  other.send('GET /chunked HTTP/1.0\r\n\r\n');
  assert.match(await other.ended(), /^HTTP\/1\.1 500 /);
});

test('HEAD for a stream gets the head alone, and the owner hears that it is over', async (t) => {
  const owner = new RecordingOwner();
  const lab = await openLab(t, (exchange) => {
    exchange.stream(200, SSE, owner, 'chunked').write(Buffer.from('not sent'));
  });
  const client = await lab.connect();
  client.send('HEAD / HTTP/1.1\r\nHost: x\r\n\r\n');
  assert.match(await client.ended(), /event-stream\r\n\r\n$/);
  assert.deepEqual(owner.told, ['closed']);
});

test('a client that leaves a stream, or half-closes it, is told to the owner once', async (t) => {
  for (const leave of ['reset', 'end'] as const) {
    const owner = new RecordingOwner();
    const lab = await openLab(t, (exchange) => void exchange.stream(200, SSE, owner, 'chunked'));
    const client = await lab.connect();
    client.send(GET);
    await client.take('\r\n\r\n');
    if (leave === 'reset') client.socket.resetAndDestroy();
    else client.socket.end();
    await until(() => lab.metric('tidegate_http_connections_open') === 0);
    await client.closed();
    assert.deepEqual(owner.told, ['closed']);
  }
});

test('what a client sends into a stream is dropped, however much it is', async (t) => {
  const owner = new RecordingOwner();
  let channel: ByteChannel | null = null;
  const lab = await openLab(t, (exchange) => {
    channel = exchange.stream(200, SSE, owner, 'chunked');
  });
  const client = await lab.connect();
  client.send(GET + GET);
  await client.take('\r\n\r\n');
  client.send('x'.repeat(5_000_000));
  await until(() => client.socket.writableLength === 0);
  channel!.write(Buffer.from('alive'));
  await client.take('alive');
  assert.deepEqual(owner.told, []);
});

test('a channel says when the client does not keep pace, and once when it does again', async (t) => {
  const owner = new RecordingOwner();
  let channel: ByteChannel | null = null;
  const lab = await openLab(t, (exchange) => {
    channel = exchange.stream(200, SSE, owner, 'close');
  });
  const client = await lab.connect();
  client.send(GET);
  await client.take('\r\n\r\n');
  client.socket.pause();
  const bytes = Buffer.alloc(60_000, 'x');
  let written = 1;
  while (channel!.write(bytes)) written++;
  assert.equal(channel!.write(bytes), false);
  client.socket.resume();
  await until(() => owner.told.length > 0);
  await until(() => client.received.length === (written + 1) * bytes.length);
  assert.deepEqual(owner.told, ['drained']);
  assert.equal(channel!.write(bytes), true);
});

test('a write that is larger than the high-water mark and flushed at once keeps pace', async (t) => {
  const owner = new RecordingOwner();
  let channel: ByteChannel | null = null;
  const lab = await openLab(t, (exchange) => {
    channel = exchange.stream(200, SSE, owner, 'close');
  });
  const client = await lab.connect();
  client.send(GET);
  await client.take('\r\n\r\n');
  assert.equal(channel!.write(Buffer.alloc(100_000, 'x')), true);
  await until(() => client.received.length === 100_000);
  assert.deepEqual(owner.told, []);
});

test('a channel that was destroyed drops its connection at once, and takes no more', async (t) => {
  const owner = new RecordingOwner();
  let channel: ByteChannel | null = null;
  const lab = await openLab(t, (exchange) => {
    channel = exchange.stream(200, SSE, owner, 'close');
  });
  const client = await lab.connect();
  client.send(GET);
  await client.take('\r\n\r\n');
  channel!.destroy();
  assert.equal(channel!.write(Buffer.from('late')), false);
  channel!.end(Buffer.from('late'));
  await client.ended();
  assert.equal(client.received, '');
  assert.deepEqual(owner.told, ['closed']);
});

test('a client that never closes after the end of a stream is dropped', async (t) => {
  const owner = new RecordingOwner();
  const lab = await openLab(t, (exchange) => {
    exchange.upgrade({ upgrade: 'x' }, owner).end(Buffer.from('bye'));
  });
  const client = await lab.connect();
  client.send('GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n');
  await client.take('bye');
  await until(() => client.isEnded);
  assert.deepEqual(owner.told, []);
  lab.clock.advance(lab.limits.httpLingerTimeoutMs + 2000);
  await until(() => owner.told.length === 1);
  assert.deepEqual(owner.told, ['closed']);
});

test('an upgrade hands over what the client sent ahead, in order, and everything after it', async (t) => {
  const owner = new RecordingOwner();
  let channel: ByteChannel | null = null;
  const lab = await openLab(t, (exchange) => {
    channel = exchange.upgrade({ upgrade: 'echo' }, owner);
    channel.write(Buffer.from('<hello>'));
    assert.deepEqual(owner.told, []);
  });
  const client = await lab.connect();
  client.send('GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nahead');
  assert.equal(
    await client.take('<hello>'),
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nupgrade: echo\r\n\r\n<hello>',
  );
  client.send('after');
  await until(() => owner.told.length === 2);
  client.socket.end();
  await until(() => owner.told.length === 3);
  assert.deepEqual(owner.told, ['received ahead', 'received after', 'receivedEnd']);
  channel!.end(Buffer.from('bye'));
  assert.equal(await client.ended(), 'bye');
  await until(() => owner.told.length === 4);
  assert.equal(owner.told[3], 'closed');
});

test('an upgraded connection can be paused', async (t) => {
  const owner = new RecordingOwner();
  let channel: ByteChannel | null = null;
  const lab = await openLab(t, (exchange) => {
    channel = exchange.upgrade({ upgrade: 'x' }, owner);
    channel.pause();
  });
  const client = await lab.connect();
  const request = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n';
  client.send(request);
  await client.take('\r\n\r\n');
  client.send('later');
  await until(() => lab.metric('tidegate_http_received_bytes') > request.length);
  assert.deepEqual(owner.told, []);
  channel!.resume();
  await until(() => owner.told.length === 1);
});

test('a request with a body cannot be upgraded, nor can one of HTTP/1.0', async (t) => {
  const lab = await openLab(t, (exchange) => void exchange.upgrade({ upgrade: 'x' }, new RecordingOwner()));
  for (const request of [
    'POST / HTTP/1.1\r\nHost: x\r\nUpgrade: x\r\nContent-Length: 2\r\n\r\nok',
    'GET / HTTP/1.0\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
  ]) {
    const client = await lab.connect();
    client.send(request);
    assert.match(await client.take('}'), /^HTTP\/1\.1 400 .*upgrade_invalid/s);
  }
});

test('a stream that is begun for a client that has left is closed from the start', async (t) => {
  const owner = new RecordingOwner();
  let held: HttpExchange | null = null;
  const lab = await openLab(t, (exchange) => {
    held = exchange;
  });
  const client = await lab.connect();
  client.send(GET);
  await until(() => held !== null);
  client.socket.resetAndDestroy();
  await until(() => lab.metric('tidegate_http_connections_open') === 0);
  const channel = held!.stream(200, SSE, owner, 'chunked');
  assert.deepEqual(owner.told, []);
  assert.equal(channel.write(Buffer.from('x')), false);
  channel.end();
  await until(() => owner.told.length > 0);
  assert.deepEqual(owner.told, ['closed']);
});

test('a conversation writes its answer while the body still arrives, and then closes', async (t) => {
  const owner = new RecordingOwner();
  const lab = await openLab(t, (exchange) => {
    const channel = exchange.converse(200, {}, owner, 'chunked');
    exchange.request.body.receive(
      {
        data: (slice) => channel.write(chunk(Buffer.from(slice))),
        end: () => channel.end(LAST_CHUNK),
        failed: (error) => channel.end(Buffer.from(error.code)),
      },
      100,
    );
  });
  const client = await lab.connect();
  client.send('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
  for (const part of ['one', 'two']) {
    client.send(chunk(Buffer.from(part)));
    await client.take(`3\r\n${part}\r\n`);
  }
  client.send(LAST_CHUNK);
  assert.equal(await client.ended(), '0\r\n\r\n');
  await until(() => owner.told.length > 0);
  assert.deepEqual(owner.told, ['closed']);

  const stalled = await lab.connect();
  stalled.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n');
  await stalled.take('\r\n\r\n');
  lab.clock.advance(lab.limits.httpBodyIdleTimeoutMs + 3000);
  assert.equal(await stalled.ended(), 'http_request_timeout');
});

test('a client that leaves a conversation fails its body and closes its channel', async (t) => {
  const owner = new RecordingOwner();
  const lab = await openLab(t, (exchange) => {
    exchange.converse(200, {}, owner, 'chunked');
    const { told } = owner;
    const receiver = { data() {}, end() {}, failed: (error: { code: string }) => void told.push(error.code) };
    exchange.request.body.receive(receiver, 100);
  });
  const client = await lab.connect();
  client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n');
  await client.take('\r\n\r\n');
  client.socket.resetAndDestroy();
  await until(() => owner.told.length === 2);
  assert.deepEqual(owner.told, ['http_malformed', 'closed']);
});
