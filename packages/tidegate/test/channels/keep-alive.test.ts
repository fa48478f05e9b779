import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clock, eachTestHasAHub, hub, log, send } from '../support/hub-fixture.ts';
import { parseLines } from '../support/line-encoder.ts';
import { TestSubscriber, testHub } from '../support/test-hub.ts';

// What silent channels cost and tell.

eachTestHasAHub();

test('a silent channel is kept alive, with the cursor when it moved', async () => {
  const subscriber = new TestSubscriber(hub, 'chat');
  await clock.settle();
  clock.advance(60_000);
  await send('noise', 'x');
  clock.advance(60_000);
  const cursors = subscriber.lines.flatMap((line) => (line.kind === 'keep-alive' ? [line.cursor] : []));
  assert.ok(cursors.length >= 2);
  assert.ok(cursors[0].endsWith('~0'));
  assert.ok(cursors.some((cursor) => cursor.endsWith('~1')));
  assert.ok(cursors.includes(''), 'a position that did not move is not repeated');
});

test('a busy channel needs no keep-alive', async () => {
  const subscriber = new TestSubscriber(hub, 'chat');
  await clock.settle();
  for (let i = 0; i < 60; i++) {
    await send('chat', `m${i}`);
    clock.advance(1000);
  }
  assert.ok(subscriber.lines.every((line) => line.kind === 'message'));
});

test('a channel that is silent for long keeps no tail, if nobody waits for it', async () => {
  const slow = new TestSubscriber(hub, 'chat');
  new TestSubscriber(hub, 'chat');
  await clock.settle();
  let reads = 0;
  const { read } = log;
  log.read = (request) => {
    reads++;
    return read.call(log, request);
  };
  const readsOfNewcomer = async (): Promise<number> => {
    const before = reads;
    const newcomer = new TestSubscriber(hub, 'chat', 'earliest');
    await clock.settle();
    assert.deepEqual(newcomer.data, ['a']);
    newcomer.subscription.close();
    return reads - before;
  };
  slow.room = false;
  await send('chat', 'a');
  assert.equal(await readsOfNewcomer(), 0);
  clock.advance(100_000);
  assert.equal(await readsOfNewcomer(), 0, 'somebody waits');
  slow.subscription.close();
  clock.advance(100_000);
  assert.equal(await readsOfNewcomer(), 1);
});

test('whoever joins a silent channel with an older cursor is told the present one', async () => {
  const first = new TestSubscriber(hub, 'chat');
  const cursor = first.subscription.cursor();
  await clock.settle();
  await send('noise', 'x');
  clock.advance(100_000);
  assert.ok(first.lines[0].cursor.endsWith('~1'));
  const second = new TestSubscriber(hub, 'chat', cursor);
  await clock.settle();
  clock.advance(100_000);
  assert.ok(second.lines[0].cursor.endsWith('~1'));
});

test('a silent subscriber is kept alive once in each interval, and half an interval late at most', async () => {
  for (const count of [1, 3, 700]) {
    const limits = { keepAliveIntervalMs: 25_000 };
    const own = testHub(log, clock, limits);
    const timesOf: number[][] = [];
    for (let i = 0; i < count; i++) {
      const subscriber = new TestSubscriber(own, `quiet${i % 350}`);
      if (i % 50 !== 0) continue;
      const times: number[] = [];
      timesOf.push(times);
      subscriber.write = (bytes) => {
        assert.equal(parseLines(bytes)[0].kind, 'keep-alive');
        times.push(clock.nowMs());
        return true;
      };
    }
    await clock.settle();
    clock.advance(400_000);
    for (const times of timesOf) {
      const pauses = times.slice(1).map((time, i) => time - times[i]);
      assert.ok(pauses.length > 8, `${count} subscribers: ${times.length} keep-alives`);
      for (const pause of pauses) assert.ok(pause >= 25_000 && pause <= 38_000, `${count}: ${pause} ms`);
    }
    own.drain();
    own.close();
  }
});

test('a keep-alive never takes a client back behind a message that came while others were kept alive', async () => {
  const subscribers = Array.from({ length: 200 }, () => new TestSubscriber(hub, 'chat'));
  await clock.settle();
  await send('noise', 'x');
  while (subscribers.every(({ lines }) => lines.length === 0)) clock.advance(100);
  assert.ok(
    subscribers.some(({ lines }) => lines.length === 0),
    'all were kept alive at once',
  );
  await send('chat', 'a');
  clock.advance(60_000);
  for (const { lines } of subscribers) {
    const offsets = lines.flatMap(({ cursor }) => (cursor === '' ? [] : [Number(cursor.split('~')[3])]));
    assert.deepEqual(
      offsets,
      [...offsets].sort((one, other) => one - other),
    );
  }
});
