import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import type { FrameEncoder } from '../../src/channels/index.ts';
import { noMetrics, resolveLimits, seededRandom, silentLogger } from '../../src/kernel/index.ts';
import { openMemoryLog } from '../../src/log/index.ts';
import { clock, eachTestHasAHub, hub, log, send } from '../support/hub-fixture.ts';
import { lineEncoder } from '../support/line-encoder.ts';
import { event, TestSubscriber, testHub, topicSpec } from '../support/test-hub.ts';

// What one sink or encoder does wrong costs that subscriber or that message, and nobody else.

eachTestHasAHub({ limits: { memoryPartitionBytesMax: 65_536 }, logger: silentLogger });

/** A line encoder that throws at messages with the data `poison`. */
function pickyEncoder(): FrameEncoder {
  const lines = lineEncoder('picky');
  return {
    ...lines,
    message(message, out) {
      lines.message(message, out);
      const data = Buffer.from(message.bytes.subarray(message.dataStart, message.dataEnd)).toString();
      if (data === 'poison') throw new Error('poison');
    },
  };
}

class PickySubscriber extends TestSubscriber {
  static override readonly encoder = pickyEncoder;
}

test('a message that cannot be encoded is told as a gap, live and from the log, and holds up nobody', async () => {
  const picky = new PickySubscriber(hub, 'chat');
  const other = new TestSubscriber(hub, 'chat');
  await clock.settle();
  await send('chat', 'a', 'poison', 'b');
  await send('chat', 'c');
  assert.deepEqual(picky.data, ['a', 'b', 'c']);
  assert.deepEqual(picky.gaps, ['damaged']);
  assert.deepEqual(other.data, ['a', 'poison', 'b', 'c']);
  const late = new PickySubscriber(hub, 'chat', 'earliest');
  await clock.settle();
  assert.deepEqual(late.data, ['a', 'b', 'c']);
  assert.deepEqual(late.gaps, ['damaged']);
  assert.deepEqual(
    late.lines.map(({ cursor }) => cursor).sort(),
    picky.lines.map(({ cursor }) => cursor).sort(),
  );
});

test('a message that cannot be encoded repeats nothing that its turn brought before, and loses nothing for the slow', async () => {
  const small = testHub(log, clock, { flushBytesMax: 1024 }, {}, { logger: silentLogger });
  const quick = new PickySubscriber(small, 'chat');
  const slow = new PickySubscriber(small, 'chat');
  await clock.settle();
  const large = 'x'.repeat(2000);
  slow.room = false;
  for (const turn of [['a'], [large, 'poison', 'b'], ['c']]) {
    small.publish(
      turn.map((data) => event('chat', data)),
      'test',
      () => {},
    );
    await clock.settle();
  }
  slow.drain();
  await clock.settle();
  for (const subscriber of [quick, slow]) {
    assert.deepEqual(subscriber.data, ['a', large, 'b', 'c']);
    assert.deepEqual(subscriber.gaps, ['damaged']);
  }
  small.drain();
  small.close();
});

test('a subscriber that a gap ends is not handed the gap with what others read before it', async () => {
  await send('chat', 'a', 'poison', 'b');
  for (let i = 0; i < 2; i++) {
    new PickySubscriber(hub, 'chat', 'earliest');
    await clock.settle();
  }
  const ending = new PickySubscriber(hub, 'chat', 'earliest', 'resume', { gapEnds: true });
  await clock.settle();
  assert.deepEqual([ending.data, ending.gaps, ending.endReason], [['a'], [], 'gap']);
  const resumed = new PickySubscriber(hub, 'chat', ending.subscription.cursor(), 'resume', { gapEnds: true });
  await clock.settle();
  assert.deepEqual([resumed.data, resumed.endReason], [['b'], null]);
});

for (const damaged of [0, 1, 2]) {
  test(`damage is told in its place, live and from the log, and ends those whom a gap ends: message ${damaged} of 3`, async () => {
    // So small that each message has a batch of its own, and all are one flush.
    const own = openMemoryLog({
      clock,
      random: seededRandom(1),
      logger: silentLogger,
      metrics: noMetrics,
      limits: resolveLimits({ batchStoredBytesMax: 4096 }),
    });
    await clock.run(own.createTopic(topicSpec('default')));
    const { read } = own;
    own.read = (request) => {
      const result = read.call(own, request);
      const batches = result.batches.filter(({ baseOffset }) => baseOffset !== damaged);
      const isHit = request.from <= damaged && result.next > damaged;
      return { ...result, batches, damaged: isHit ? [{ from: damaged, to: damaged + 1 }] : [] };
    };
    const first = testHub(own, clock);
    const live = new TestSubscriber(first, 'chat');
    const ending = new TestSubscriber(first, 'chat', 'latest', 'resume', { gapEnds: true });
    await clock.settle();
    const texts = ['a', 'b', 'c'].map((name) => name + 'x'.repeat(3000));
    first.publish(
      texts.map((text) => event('chat', text)),
      'test',
      () => {},
    );
    await clock.settle();
    // One that has no tail yet.
    const second = testHub(own, clock);
    const late = new TestSubscriber(second, 'chat', 'earliest');
    await clock.settle();
    for (const { lines } of [live, late]) {
      assert.deepEqual(
        lines.map((line) => (line.kind === 'message' ? line.data : line.kind)),
        texts.map((text, index) => (index === damaged ? 'gap' : text)),
      );
      assert.deepEqual(
        lines.map(({ cursor }) => cursor.split('~')[3]),
        ['1', '2', '3'],
      );
    }
    assert.deepEqual([ending.data, ending.endReason], [texts.slice(0, damaged), 'gap']);
    assert.equal(ending.subscription.cursor(), live.lines[damaged].cursor);
    for (const one of [first, second]) {
      one.drain();
      one.close();
    }
    await clock.run(own.close());
  });
}

test('batches that begin before what is read are handed over from there on', async () => {
  const { read } = log;
  log.read = (request) => read.call(log, { ...request, from: 0, bytesMax: 1 << 30 });
  const live = new TestSubscriber(hub, 'chat');
  await clock.settle();
  await send('chat', 'a', 'b');
  await send('chat', 'c');
  assert.deepEqual(live.data, ['a', 'b', 'c']);
});

test('a sink that throws is ended, and everybody else is served', async () => {
  const subscribers = Array.from({ length: 5 }, () => new TestSubscriber(hub, 'chat'));
  await clock.settle();
  subscribers[2].write = () => {
    throw new Error('broken');
  };
  const other = new TestSubscriber(hub, 'elsewhere');
  await clock.settle();
  await send('chat', 'a');
  await send('chat', 'b');
  await send('elsewhere', 'c');
  for (const index of [0, 1, 3, 4]) assert.deepEqual(subscribers[index].data, ['a', 'b']);
  assert.deepEqual(other.data, ['c']);
  assert.equal(subscribers[2].endReason, 'failed');
});

test('a sink that throws while it catches up is ended, and the others catch up', async () => {
  await send('chat', 'a');
  const broken = ['write', 'caughtUp'].map((method) => {
    const subscriber = new TestSubscriber(hub, 'chat', 'earliest');
    Object.assign(subscriber, {
      [method]: () => {
        throw new Error('broken');
      },
    });
    return subscriber;
  });
  const sound = new TestSubscriber(hub, 'chat', 'earliest');
  await clock.settle();
  assert.deepEqual(sound.data, ['a']);
  assert.deepEqual(
    broken.map(({ endReason }) => endReason),
    ['failed', 'failed'],
  );
});

test('a sink that throws at its end does not keep others from theirs', () => {
  const subscribers = Array.from({ length: 3 }, () => new TestSubscriber(hub, 'chat'));
  subscribers[0].ended = () => {
    throw new Error('broken');
  };
  hub.drain();
  assert.deepEqual(
    subscribers.slice(1).map(({ endReason }) => endReason),
    ['draining', 'draining'],
  );
});
