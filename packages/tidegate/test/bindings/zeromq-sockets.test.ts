import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import * as zeromq from 'zeromq';
import { loadZeromqSockets, type Zeromq } from '../../src/bindings/zeromq-sockets.ts';
import { type MessageSockets, silentLogger, TidegateError } from '../../src/kernel/index.ts';
import { until } from '../listeners/lab.ts';

const HERE = { host: '127.0.0.1', port: 0, frameBytesMax: 1_000, pendingBytesMax: 100_000, queuedMax: 100 };

const load = (): Promise<MessageSockets> => loadZeromqSockets(silentLogger);

/** A client of the library, closed after the test. */
function client<Socket extends zeromq.Socket>(t: TestContext, socket: Socket, port: number): Socket {
  socket.linger = 0;
  socket.connect(`tcp://127.0.0.1:${port}`);
  t.after(() => socket.close());
  return socket;
}

const texts = (frames: readonly Buffer[]): string[] => frames.map((frame) => frame.toString());

test('without the package the error says what to install', async () => {
  const missing = Object.assign(new Error("Cannot find package 'zeromq'"), { code: 'ERR_MODULE_NOT_FOUND' });
  await assert.rejects(
    loadZeromqSockets(silentLogger, () => Promise.reject<Zeromq>(missing)),
    (error) =>
      error instanceof TidegateError &&
      error.code === 'zmq_missing' &&
      /npm install zeromq/.test(error.entry.hint) &&
      error.cause === missing,
  );
});

test('a port that somebody else has is told with its address', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  const sockets = await load();
  await assert.rejects(
    sockets.publisher({ ...HERE, port }),
    (error) =>
      error instanceof TidegateError &&
      error.code === 'listen_failed' &&
      error.detail === `127.0.0.1:${port}: another program uses it.`,
  );
});

test('a socket may be bound to an address of IPv6', async (t) => {
  const socket = await (await load()).publisher({ ...HERE, host: '::1' });
  t.after(() => socket.close());
  assert.ok(socket.port > 0);
});

test('no more messages are read than may be under way', async (t) => {
  const taken: string[] = [];
  const open: (() => void)[] = [];
  const socket = await (await load()).pull({
    ...HERE,
    pendingMax: 2,
    take(frames, done) {
      taken.push(...texts(frames));
      open.push(done);
    },
  });
  t.after(() => socket.close());
  const push = client(t, new zeromq.Push(), socket.port);
  for (const text of ['a', 'b', 'c', 'd']) await push.send(text);
  await until(() => taken.length === 2);
  // What could be read has arrived: another socket's message, sent later, has made its way meanwhile.
  await push.send('e');
  for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate);
  assert.deepEqual(taken, ['a', 'b']);
  open[1]();
  await until(() => taken.length === 3);
  open[0]();
  open[2]();
  await until(() => taken.length === 5);
  assert.deepEqual(taken, ['a', 'b', 'c', 'd', 'e']);
});

test('no more bytes are read than may be under way, but for the last message', async (t) => {
  const taken: number[] = [];
  const open: (() => void)[] = [];
  const socket = await (await load()).pull({
    ...HERE,
    pendingMax: 100,
    pendingBytesMax: 150,
    take(frames, done) {
      taken.push(frames[0].length);
      open.push(done);
    },
  });
  t.after(() => socket.close());
  const push = client(t, new zeromq.Push(), socket.port);
  for (const length of [100, 101, 102, 103]) await push.send(Buffer.alloc(length));
  await until(() => taken.length === 2);
  for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate);
  assert.deepEqual(taken, [100, 101]);
  open[1]();
  await until(() => taken.length === 3);
  for (const done of [open[0], open[2]]) done();
  await until(() => taken.length === 4);
});

test('a small message that is done with makes no room while a large one is under way', async (t) => {
  const taken: number[] = [];
  const open: (() => void)[] = [];
  const socket = await (await load()).pull({
    ...HERE,
    pendingMax: 100,
    pendingBytesMax: 150,
    take(frames, done) {
      taken.push(frames[0].length);
      open.push(done);
    },
  });
  t.after(() => socket.close());
  const push = client(t, new zeromq.Push(), socket.port);
  for (const length of [10, 200, 201]) await push.send(Buffer.alloc(length));
  await until(() => taken.length === 2);
  open[0]();
  for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate);
  assert.deepEqual(taken, [10, 200]);
  open[1]();
  await until(() => taken.length === 3);
});

test('a frame that is too large ends the connection of its sender, and nobody else is affected', async (t) => {
  const taken: string[] = [];
  const socket = await (await load()).pull({
    ...HERE,
    pendingMax: 10,
    take(frames, done) {
      taken.push(...texts(frames));
      done();
    },
  });
  t.after(() => socket.close());
  const large = client(t, new zeromq.Push(), socket.port);
  const other = client(t, new zeromq.Push(), socket.port);
  const gone = large.events.receive();
  await large.send(Buffer.alloc(1_001));
  for (let event = await gone; event.type !== 'disconnect'; ) event = await large.events.receive();
  await other.send('small');
  await until(() => taken.length === 1);
  assert.deepEqual(taken, ['small']);
});

test('a web page that has a browser post to the port sends nothing', async (t) => {
  const taken: string[] = [];
  const socket = await (await load()).pull({
    ...HERE,
    pendingMax: 10,
    take(frames, done) {
      taken.push(...texts(frames));
      done();
    },
  });
  t.after(() => socket.close());
  const posted = connect(socket.port, '127.0.0.1');
  posted.on('error', () => {});
  let isClosed = false;
  posted.on('close', () => {
    isClosed = true;
  });
  // In the unversioned framing of ZMTP 1.0 the letter P is the length of what follows, and the body begins with a message.
  const head = 'POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'.padEnd('P'.charCodeAt(0) + 1, 'x');
  posted.write(`${head}\x09\0smuggled`);
  await until(() => isClosed || taken.length > 0);
  const push = client(t, new zeromq.Push(), socket.port);
  await push.send('honest');
  await until(() => taken.length > 0);
  assert.deepEqual(taken, ['honest']);
});

test('publishers hear which prefixes are subscribed to', async (t) => {
  const taken: string[][] = [];
  const socket = await (await load()).subscriber({
    ...HERE,
    pendingMax: 10,
    take(frames, done) {
      taken.push(texts(frames));
      done();
    },
  });
  t.after(() => socket.close());
  const publisher = client(t, new zeromq.XPublisher(), socket.port);
  socket.subscribe('orders');
  assert.deepEqual(texts(await publisher.receive()), ['\x01orders']);
  await publisher.send(['news', 'not wanted']);
  await publisher.send(['orders', 'wanted']);
  await until(() => taken.length === 1);
  socket.unsubscribe('orders');
  assert.deepEqual(texts(await publisher.receive()), ['\x00orders']);
  assert.deepEqual(taken, [['orders', 'wanted']]);
});

test('what is subscribed to after the end is not heard of', async () => {
  const socket = await (await load()).subscriber({ ...HERE, pendingMax: 10, take: (_, done) => done() });
  socket.subscribe('orders');
  socket.close();
  socket.unsubscribe('orders');
  socket.subscribe('news');
});

test('several peers are answered at a time, each its own question', async (t) => {
  const answers = new Map<string, (answer: Buffer) => void>();
  const socket = await (await load()).replier({
    ...HERE,
    pendingMax: 10,
    reply: (frames, answer) => answers.set(texts(frames).join(), answer),
  });
  t.after(() => socket.close());
  const first = client(t, new zeromq.Request(), socket.port);
  const second = client(t, new zeromq.Request(), socket.port);
  await first.send('one');
  await second.send('two');
  await until(() => answers.size === 2);
  answers.get('two')?.(Buffer.from('2'));
  assert.deepEqual(texts(await second.receive()), ['2']);
  answers.get('one')?.(Buffer.from('1'));
  assert.deepEqual(texts(await first.receive()), ['1']);
});

test('of messages for subscribers no more wait than may', async (t) => {
  const socket = await (await load()).publisher({ ...HERE, queuedMax: 3 });
  t.after(() => socket.close());
  // The first is on its way at once; nothing else is sent before this has returned.
  const taken = Array.from({ length: 6 }, (_, i) => socket.send(Buffer.from(String(i))));
  assert.deepEqual(taken, [true, true, true, true, false, false]);
});

test('what is sent after the end is not taken', async () => {
  const socket = await (await load()).publisher(HERE);
  socket.close();
  assert.equal(socket.send(Buffer.from('late')), false);
});
