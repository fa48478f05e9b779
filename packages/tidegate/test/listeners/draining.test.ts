import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { connect } from 'node:net';
import test from 'node:test';
import type { ByteChannel, HttpExchange } from '../../src/listeners/index.ts';
import { collect, openLab, RecordingOwner, until } from './lab.ts';

const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

test('draining refuses new connections, ends unused ones, and finishes requests under way', async (t) => {
  const held: HttpExchange[] = [];
  const lab = await openLab(t, (exchange) => held.push(exchange));
  const idle = await lab.connect();
  const busy = await lab.connect();
  busy.send(GET);
  await until(() => held.length === 1);

  let isDrained = false;
  const drained = lab.listener.drain(60_000).then(() => {
    isDrained = true;
  });
  assert.equal(await idle.ended(), '');
  const [refused] = await once(connect(lab.listener.port, '127.0.0.1'), 'error');
  assert.equal(refused.code, 'ECONNREFUSED');
  assert.equal(isDrained, false);

  held[0].respond(200, {}, 'finished');
  assert.match(await busy.ended(), /\r\nConnection: close\r\n.*finished$/s);
  await drained;
});

test('a body that is under way when draining begins is received to its end', async (t) => {
  const lab = await openLab(t, (exchange) => collect(exchange, (body) => exchange.respond(200, {}, body)));
  const client = await lab.connect();
  client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab');
  await until(() => lab.metric('tidegate_http_received_bytes') === 49);
  const drained = lab.listener.drain(60_000);
  client.send('cde');
  assert.match(await client.ended(), /\r\nConnection: close\r\n.*abcde$/s);
  await drained;
});

test('a head that is under way when draining begins is still answered', async (t) => {
  const lab = await openLab(t, (exchange) => exchange.respond(204, {}));
  const client = await lab.connect();
  client.send(GET.slice(0, 10));
  await until(() => lab.metric('tidegate_http_received_bytes') === 10);
  const drained = lab.listener.drain(60_000);
  client.send(GET.slice(10));
  assert.match(await client.ended(), /^HTTP\/1\.1 204 .*\r\nConnection: close\r\n/s);
  await drained;
});

test('draining tells every stream and upgrade, which end in their own way', async (t) => {
  const channels: ByteChannel[] = [];
  const owners: RecordingOwner[] = [];
  const lab = await openLab(t, (exchange) => {
    const owner = new RecordingOwner();
    owners.push(owner);
    const isStream = exchange.request.path === '/stream';
    channels.push(
      isStream ? exchange.stream(200, {}, owner, 'close') : exchange.upgrade({ upgrade: 'x' }, owner),
    );
  });
  const stream = await lab.connect();
  stream.send('GET /stream HTTP/1.1\r\nHost: x\r\n\r\n');
  await stream.take('\r\n\r\n');
  const upgraded = await lab.connect();
  upgraded.send('GET /upgrade HTTP/1.1\r\nHost: x\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n');
  await upgraded.take('\r\n\r\n');

  const drained = lab.listener.drain(60_000);
  assert.deepEqual(
    owners.map(({ told }) => told),
    [['draining'], ['draining']],
  );
  for (const channel of channels) channel.end(Buffer.from('reconnect'));
  assert.equal(await stream.ended(), 'reconnect');
  assert.equal(await upgraded.ended(), 'reconnect');
  await drained;
});

test('a stream that begins while draining is told so at once', async (t) => {
  const held: HttpExchange[] = [];
  const lab = await openLab(t, (exchange) => held.push(exchange));
  const client = await lab.connect();
  client.send(GET);
  await until(() => held.length === 1);
  const drained = lab.listener.drain(60_000);
  const owner = new RecordingOwner();
  const channel = held[0].stream(200, {}, owner, 'close');
  await until(() => owner.told.length > 0);
  assert.deepEqual(owner.told, ['draining']);
  channel.end();
  await client.ended();
  await drained;
});

test('at the timeout whatever is left is dropped', async (t) => {
  const owner = new RecordingOwner();
  const lab = await openLab(t, (exchange) => {
    if (exchange.request.path === '/stream') exchange.stream(200, {}, owner, 'close');
  });
  const silent = await lab.connect();
  silent.send(GET);
  const stream = await lab.connect();
  stream.send('GET /stream HTTP/1.1\r\nHost: x\r\n\r\n');
  await stream.take('\r\n\r\n');
  await until(() => lab.metric('tidegate_http_received_bytes') > GET.length * 2);
  const drained = lab.listener.drain(5000);
  lab.clock.advance(5000);
  await drained;
  assert.deepEqual(owner.told, ['draining', 'closed']);
});

test('draining twice gives two promises that both resolve', async (t) => {
  const lab = await openLab(t, () => {});
  const client = await lab.connect();
  client.send(GET);
  await until(() => lab.metric('tidegate_http_received_bytes') > 0);
  const drains = [lab.listener.drain(1000), lab.listener.drain(1000)];
  lab.clock.advance(1000);
  await Promise.all(drains);
});
