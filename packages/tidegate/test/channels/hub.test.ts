import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { TidegateError } from '../../src/kernel/index.ts';
import { encodeHeaders, RECORD_CONTROL } from '../../src/log/index.ts';
import { clock, eachTestHasAHub, hub, log, send } from '../support/hub-fixture.ts';
import { event, publish, TestSubscriber, testHub } from '../support/test-hub.ts';

eachTestHasAHub();

test('a subscriber gets what is published after it came, and nothing from before', async () => {
  await send('chat', 'before');
  const subscriber = new TestSubscriber(hub, 'chat');
  await clock.settle();
  await send('chat', 'a', 'b');
  await send('other', 'x');
  assert.deepEqual(subscriber.data, ['a', 'b']);
});

test('nothing is handed over before subscribe returns', async () => {
  await send('chat', 'a');
  const subscriber = new TestSubscriber(hub, 'chat', 'earliest');
  assert.equal(subscriber.writes, 0);
  await clock.settle();
  assert.deepEqual(subscriber.data, ['a']);
});

test('all that one turn brings goes out in one write', async () => {
  const subscriber = new TestSubscriber(hub, 'chat');
  await clock.settle();
  for (let i = 0; i < 10; i++) hub.publish([event('chat', `m${i}`)], 'test', () => {});
  await clock.settle();
  assert.equal(subscriber.data.length, 10);
  assert.equal(subscriber.writes, 1);
});

test('while the hub rests from handing over, what comes gathers for one write', async () => {
  const subscriber = new TestSubscriber(hub, 'chat');
  const slow = new TestSubscriber(hub, 'chat');
  const { write } = slow;
  slow.write = (bytes) => {
    clock.advance(100);
    return write.call(slow, bytes);
  };
  await clock.settle();
  // One after the other, without a pause: the hub is busy.
  const before = ['1', '2', '3', '4', 'a'];
  for (const text of before) await send('chat', text);
  for (const text of ['b', 'c']) {
    hub.publish([event('chat', text)], 'test', () => {});
    for (let turn = 0; turn < 3; turn++) await clock.tick();
    clock.advance(10);
  }
  assert.deepEqual([subscriber.data, subscriber.writes], [before, 5]);
  clock.advance(80);
  await clock.settle();
  assert.deepEqual([subscriber.data, subscriber.writes], [[...before, 'b', 'c'], 6]);
});

test('subscribers of one channel and encoding are handed the same buffer', async () => {
  const buffers = new Set<Buffer>();
  for (let i = 0; i < 3; i++) {
    const subscriber = new TestSubscriber(hub, 'chat');
    const { write } = subscriber;
    subscriber.write = (bytes) => {
      buffers.add(bytes);
      return write.call(subscriber, bytes);
    };
  }
  await clock.settle();
  await send('chat', 'a', 'b');
  assert.equal(buffers.size, 1);
});

test('a message that several patterns of one subscription match comes once', async () => {
  const subscriber = new TestSubscriber(hub, ['orders/#', '#', 'orders/1', '+/1']);
  await clock.settle();
  await send('orders/1', 'once');
  assert.deepEqual(subscriber.data, ['once']);
});

test('control records act on nobody here and are invisible to history', async () => {
  const subscriber = new TestSubscriber(hub, 'chat');
  await clock.settle();
  log.append(
    [
      {
        topic: 'default',
        records: [
          {
            key: 'chat',
            data: Buffer.from('close'),
            headers: encodeHeaders([]),
            flags: RECORD_CONTROL,
            identity: null,
          },
        ],
      },
    ],
    () => {},
  );
  await clock.settle();
  await send('chat', 'a');
  const late = new TestSubscriber(hub, 'chat', 'earliest');
  await clock.settle();
  assert.deepEqual([subscriber.data, late.data], [['a'], ['a']]);
});

test('draining ends every subscription and refuses new ones', async () => {
  const subscriber = new TestSubscriber(hub, 'chat');
  await clock.settle();
  hub.drain();
  assert.equal(subscriber.endReason, 'draining');
  assert.throws(() => new TestSubscriber(hub, 'chat'), { code: 'draining' });
});

test('one event that is refused does not hold up the others', async () => {
  const answer = publish(
    hub,
    event('chat', 'a'),
    event('a/+/b', 'x'),
    event('_x', 'x'),
    event('orders/1', 'b'),
  );
  await clock.settle();
  const outcomes = await answer;
  assert.deepEqual(
    outcomes.map((outcome) => (outcome instanceof TidegateError ? outcome.code : outcome.channel)),
    ['chat', 'channel_not_publishable', 'channel_reserved', 'orders/1'],
  );
});

test('a retried publish appears once and is answered with the first position', async () => {
  const subscriber = new TestSubscriber(hub, 'chat');
  const [first, second] = await (async () => {
    const answers = Promise.all([
      publish(hub, event('chat', 'a', 'id-1')),
      publish(hub, event('chat', 'a', 'id-1')),
    ]);
    await clock.settle();
    return answers;
  })();
  assert.ok('cursor' in first[0] && 'cursor' in second[0]);
  assert.equal(second[0].cursor, first[0].cursor);
  assert.deepEqual([first[0].duplicate, second[0].duplicate], [false, true]);
  assert.deepEqual(subscriber.data, ['a']);
});

test('the same id on another channel or from another source is another event', async () => {
  const subscriber = new TestSubscriber(hub, '#');
  const answer = publish(hub, event('a', '1', 'id'), event('b', '2', 'id'), {
    ...event('a', '3', 'id'),
    identitySource: 'other',
  });
  await clock.settle();
  await answer;
  assert.deepEqual(subscriber.data.sort(), ['1', '2', '3']);
});

test('limits.messageBytesMax and limits.eventAttributesBytesMax bound one event', async () => {
  const tight = testHub(log, clock, { messageBytesMax: 1024, eventAttributesBytesMax: 256 });
  const answer = publish(tight, event('chat', 'x'.repeat(1025)), {
    ...event('chat', 'x'),
    attributes: [['subject', 'y'.repeat(300)]],
  });
  await clock.settle();
  assert.deepEqual(
    (await answer).map((outcome) => (outcome instanceof TidegateError ? outcome.code : 'stored')),
    ['body_too_large', 'event_invalid'],
  );
  tight.drain();
  tight.close();
});
