import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { afterEach, beforeEach, test } from 'node:test';
import type { Hub, PublishReceipt } from '../../src/channels/index.ts';
import {
  noMetrics,
  resolveLimits,
  seededRandom,
  silentLogger,
  TidegateError,
} from '../../src/kernel/index.ts';
import { encodeHeaders, type Log, openMemoryLog, RECORD_CONTROL } from '../../src/log/index.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { event, publish, TestSubscriber, testHub, topicSpec } from '../support/test-hub.ts';

let clock: ManualClock;
let log: Log;
let hub: Hub;

beforeEach(async () => {
  clock = new ManualClock();
  log = openMemoryLog({
    clock,
    random: seededRandom(1),
    logger: silentLogger,
    metrics: noMetrics,
    limits: resolveLimits(),
  });
  await clock.run(log.createTopic(topicSpec('default')));
  await clock.run(log.createTopic(topicSpec('orders')));
  await clock.run(log.createTopic(topicSpec('wide', { partitions: 4 })));
  hub = testHub(log, clock);
});

afterEach(async () => {
  hub.drain();
  hub.close();
  await clock.run(log.close());
});

async function send(channel: string, ...data: string[]): Promise<PublishReceipt[]> {
  const answer = publish(hub, ...data.map((one) => event(channel, one)));
  await clock.settle();
  return (await answer).map((outcome) => {
    assert.ok(!(outcome instanceof TidegateError), String(outcome));
    return outcome;
  });
}

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

for (const [from, expected] of [
  ['latest', []],
  ['earliest', ['a', 'b', 'c']],
  ['-2', ['b', 'c']],
  ['-0', []],
  ['-99', ['a', 'b', 'c']],
] as const) {
  test(`from=${from} begins at ${expected.length === 0 ? 'the end' : expected[0]}`, async () => {
    await send('chat', 'a');
    await send('noise', 'x', 'y');
    await send('chat', 'b', 'c');
    await send('noise', 'z');
    const subscriber = new TestSubscriber(hub, 'chat', from);
    await clock.settle();
    assert.deepEqual(subscriber.data, expected);
    assert.equal(subscriber.caughtUpCalls, 1);
    await send('chat', 'd');
    assert.deepEqual(subscriber.data, [...expected, 'd']);
    assert.equal(subscriber.caughtUpCalls, 1);
  });
}

test('from=-N counts the last N over several channels, by time', async () => {
  for (const [index, channel] of ['orders/1', 'wide/1', 'orders/2', 'wide/2', 'chat'].entries()) {
    await send(channel, `m${index}`);
    clock.advance(10);
  }
  const subscriber = new TestSubscriber(hub, ['orders/#', 'wide/#', 'chat'], '-3');
  await clock.settle();
  assert.deepEqual(subscriber.data.sort(), ['m2', 'm3', 'm4']);
});

test('from=-N of a single channel or of all channels finds its place without reading what is there', async () => {
  for (let i = 0; i < 20; i++) await send(i % 2 === 0 ? 'chat' : 'noise', `m${i}`);
  let reads = 0;
  const { read } = log;
  log.read = (request) => {
    reads++;
    return read.call(log, request);
  };
  const one = new TestSubscriber(hub, 'chat', '-3');
  const many = new TestSubscriber(hub, 'chat', '-999999999');
  const topic = new TestSubscriber(hub, 'orders/#', '-999999999');
  assert.equal(reads, 0);
  await clock.settle();
  assert.deepEqual([one.data, many.data.length, topic.data], [['m14', 'm16', 'm18'], 10, []]);
});

test('from=-N with a pattern counts only what the pattern matches', async () => {
  for (let i = 0; i < 20; i++) await send(`orders/${i}/${i % 10 === 0 ? 'status' : 'items'}`, `m${i}`);
  const subscriber = new TestSubscriber(hub, 'orders/+/status', '-2');
  await clock.settle();
  assert.deepEqual(subscriber.data, ['m0', 'm10']);
});

test('a time begins at the first message that is not older', async () => {
  await send('chat', 'old');
  clock.advance(60_000);
  const time = new Date(clock.nowMs()).toISOString();
  await send('chat', 'new');
  const subscriber = new TestSubscriber(hub, 'chat', time);
  await clock.settle();
  assert.deepEqual(subscriber.data, ['new']);
});

test('a receipt carries the cursor after the message, and resuming from it misses and repeats nothing', async () => {
  const [, second] = await send('chat', 'a', 'b', 'c');
  const subscriber = new TestSubscriber(hub, 'chat', second.cursor);
  await clock.settle();
  assert.deepEqual(subscriber.data, ['c']);
  assert.deepEqual(subscriber.gaps, []);
});

test('every message carries a cursor to resume from, also where a pattern spans partitions and topics', async () => {
  const patterns = ['#', 'wide/#', '+/1'];
  for (const pattern of patterns) {
    const channels = ['wide/1', 'wide/2', 'orders/1', 'wide/3', 'chat', 'wide/1', 'orders/2', 'chat'];
    const subscriber = new TestSubscriber(hub, pattern);
    await clock.settle();
    for (const [index, channel] of channels.entries()) await send(channel, `${pattern}${index}`);
    const { lines, data } = subscriber;
    assert.ok(data.length > 0);
    for (const [index, line] of lines.entries()) {
      const resumed = new TestSubscriber(hub, pattern, line.cursor);
      await clock.settle();
      assert.deepEqual(resumed.data.sort(), data.slice(index + 1).sort(), `${pattern} from ${line.cursor}`);
      resumed.subscription.close();
    }
    subscriber.subscription.close();
  }
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

test('topics of the server itself are matched by no pattern', async () => {
  await clock.run(log.createTopic(topicSpec('_resources')));
  const subscriber = new TestSubscriber(hub, ['#', '+/x'], 'earliest');
  log.append(
    [
      {
        topic: '_resources',
        records: [{ key: 'x', data: Buffer.from('secret'), headers: null, flags: 0, identity: null }],
      },
    ],
    () => {},
  );
  await clock.settle();
  assert.deepEqual(subscriber.lines, []);
});

test('default cannot be addressed by name', async () => {
  await send('default/x', 'keyed by the whole name');
  const whole = new TestSubscriber(hub, 'default/x', 'earliest');
  const inner = new TestSubscriber(hub, 'x', 'earliest');
  await clock.settle();
  assert.deepEqual([whole.data, inner.data], [['keyed by the whole name'], []]);
});

test('a channel that a prefix stores has no second name below the topic', async () => {
  const prefixed = testHub(log, clock, {}, { orders: ['recovery:'] });
  const answer = publish(prefixed, event('orders/recovery:x', 'a'), event('orders/x', 'b'));
  await clock.settle();
  const [refused, stored] = await answer;
  assert.equal(refused instanceof TidegateError && refused.code, 'channel_invalid');
  assert.ok('cursor' in stored);
  assert.throws(() => new TestSubscriber(prefixed, 'orders/recovery:x'), { code: 'channel_invalid' });
  prefixed.drain();
  prefixed.close();
});

test('a topic stores the channels of the prefixes that it declares', async () => {
  const prefixed = testHub(log, clock, {}, { orders: ['recovery:'] });
  const subscriber = new TestSubscriber(prefixed, ['recovery:x', 'recovery:+']);
  const byPattern = new TestSubscriber(prefixed, '+');
  await clock.settle();
  const answer = publish(prefixed, event('recovery:x', 'a'));
  await clock.settle();
  const [receipt] = await answer;
  assert.ok('cursor' in receipt && receipt.cursor.startsWith('orders~'));
  assert.deepEqual([subscriber.data, byPattern.data], [['a'], ['a']]);
  prefixed.drain();
  prefixed.close();
});

test('a full transport gets nothing until it drains, then everything in order', async () => {
  const slow = new TestSubscriber(hub, 'chat');
  const quick = new TestSubscriber(hub, 'chat');
  await clock.settle();
  slow.room = false;
  await send('chat', 'a');
  for (let i = 0; i < 50; i++) await send('chat', `m${i}`);
  assert.deepEqual(slow.data, ['a']);
  assert.equal(slow.writes, 1);
  slow.drain();
  await clock.settle();
  assert.deepEqual(slow.data, quick.data);
  await send('chat', 'z');
  assert.equal(slow.data.at(-1), 'z');
  assert.equal(slow.data.length, 52);
});

test('the slow read on in larger steps than they were sent', async () => {
  const slow = new TestSubscriber(hub, 'chat');
  await clock.settle();
  slow.room = false;
  for (let i = 0; i < 100; i++) await send('chat', `m${i}`);
  slow.drain();
  await clock.settle();
  assert.equal(slow.data.length, 100);
  assert.ok(slow.writes < 60, `${slow.writes} writes`);
});

test('policy close ends a subscriber that is further behind than the tail', async () => {
  const small = testHub(log, clock, { tailBytesMax: 65_536, flushBytesMax: 1024 });
  const slow = new TestSubscriber(small, 'chat', 'latest', 'close');
  const quick = new TestSubscriber(small, 'chat', 'latest', 'close');
  await clock.settle();
  slow.room = false;
  for (let i = 0; i < 200; i++) {
    small.publish([event('chat', `m${i}${'x'.repeat(1000)}`)], 'test', () => {});
    await clock.settle();
  }
  slow.drain();
  await clock.settle();
  assert.equal(slow.endReason, 'too_slow');
  assert.equal(quick.endReason, null);
  assert.equal(quick.data.length, 200);
  small.drain();
  small.close();
});

test('policy drop skips to the latest of each channel and says so', async () => {
  const one = new TestSubscriber(hub, 'orders/1', 'latest', 'drop');
  const all = new TestSubscriber(hub, 'orders/#', 'latest', 'drop');
  await clock.settle();
  one.room = false;
  all.room = false;
  for (let i = 0; i < 30; i++) await send(`orders/${i % 3}`, `m${i}`);
  one.drain();
  all.drain();
  await clock.settle();
  assert.deepEqual(one.data, ['m1', 'm28']);
  assert.deepEqual(one.gaps, ['conflated']);
  assert.deepEqual(all.data, ['m0', 'm27', 'm28', 'm29']);
  await send('orders/1', 'next');
  assert.deepEqual([one.data.at(-1), all.data.at(-1)], ['next', 'next']);
});

test('a cursor below retention is told as a gap with the first position there is', async () => {
  const tiny = openMemoryLog({
    clock,
    random: seededRandom(2),
    logger: silentLogger,
    metrics: noMetrics,
    limits: resolveLimits({ memoryPartitionBytesMax: 65_536 }),
  });
  await clock.run(tiny.createTopic(topicSpec('default')));
  const small = testHub(tiny, clock);
  const [first] = await (async () => {
    const answer = publish(small, event('chat', 'first'));
    await clock.settle();
    return answer;
  })();
  for (let i = 0; i < 300; i++) {
    small.publish([event('chat', `m${i}${'x'.repeat(1000)}`)], 'test', () => {});
    await clock.settle();
  }
  assert.ok('cursor' in first);
  const subscriber = new TestSubscriber(small, 'chat', first.cursor);
  await clock.settle();
  assert.deepEqual(subscriber.gaps, ['below_retention']);
  assert.equal(subscriber.lines[0].kind, 'gap');
  assert.ok(subscriber.data.length > 0);
  const again = new TestSubscriber(small, 'chat', subscriber.lines[0].cursor);
  await clock.settle();
  assert.deepEqual(again.gaps, []);
  assert.deepEqual(again.data, subscriber.data);
  const ending = new TestSubscriber(small, 'chat', first.cursor, 'resume', true);
  await clock.settle();
  assert.equal(ending.endReason, 'gap');
  assert.equal(ending.subscription.cursor(), subscriber.lines[0].cursor);
  small.drain();
  small.close();
  await clock.run(tiny.close());
});

test('a cursor of another epoch is told as a gap', async () => {
  const [receipt] = await send('orders/1', 'a');
  await clock.run(log.deleteTopic('orders'));
  await clock.run(log.createTopic(topicSpec('orders')));
  hub.drain();
  hub.close();
  hub = testHub(log, clock);
  await send('orders/1', 'b');
  const subscriber = new TestSubscriber(hub, 'orders/1', receipt.cursor);
  await clock.settle();
  assert.deepEqual([subscriber.gaps, subscriber.data], [['other_epoch'], ['b']]);
});

test('a cursor beyond the end is told as a gap', async () => {
  const [receipt] = await send('orders/1', 'a');
  const cursor = receipt.cursor.replace(/\d+$/, '1000');
  const subscriber = new TestSubscriber(hub, 'orders/1', cursor);
  await clock.settle();
  assert.deepEqual([subscriber.gaps, subscriber.data], [['beyond_end'], ['a']]);
});

test('a cursor of a channel that is stored elsewhere is told as a gap', async () => {
  const [receipt] = await send('orders/1', 'a');
  await send('chat', 'x');
  const subscriber = new TestSubscriber(hub, 'chat', receipt.cursor);
  await clock.settle();
  assert.deepEqual([subscriber.gaps, subscriber.data], [['other_channel'], ['x']]);
});

test('declaring a topic later is a barrier: resuming reads default up to it and the topic from there on', async () => {
  const [first] = await send('games/1', 'a', 'b');
  await send('games/2', 'other');
  await clock.run(log.createTopic(topicSpec('games')));
  hub.drain();
  hub.close();
  hub = testHub(log, clock);
  const [third] = await send('games/1', 'c', 'd');
  assert.ok(third.cursor.startsWith('games~'));
  for (const [from, expected] of [
    ['earliest', ['a', 'b', 'c', 'd']],
    [first.cursor, ['b', 'c', 'd']],
    [third.cursor, ['d']],
    ['-3', ['b', 'c', 'd']],
    ['-1', ['d']],
  ] as const) {
    const subscriber = new TestSubscriber(hub, 'games/1', from);
    await clock.settle();
    assert.deepEqual([subscriber.data, subscriber.gaps], [expected, []], from);
    for (const [index, line] of subscriber.lines.entries()) {
      const resumed = new TestSubscriber(hub, 'games/1', line.cursor);
      await clock.settle();
      assert.deepEqual(resumed.data, expected.slice(index + 1), line.cursor);
    }
  }
  const all = new TestSubscriber(hub, 'games/#', 'earliest');
  await clock.settle();
  assert.doesNotMatch(all.subscription.cursor(), /default/, 'what is done with need not be named');
  assert.deepEqual(all.data.sort(), ['a', 'b', 'c', 'd', 'other']);
});

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

test('a closed subscription gets nothing more and keeps its cursor', async () => {
  const subscriber = new TestSubscriber(hub, 'chat');
  await clock.settle();
  const [receipt] = await send('chat', 'a');
  subscriber.subscription.close();
  await send('chat', 'b');
  assert.deepEqual(subscriber.data, ['a']);
  assert.equal(subscriber.subscription.cursor(), receipt.cursor);
});

test('a subscriber that leaves while others are being served disturbs nobody', async () => {
  const subscribers = Array.from({ length: 10 }, () => new TestSubscriber(hub, 'chat'));
  await clock.settle();
  for (const [index, subscriber] of subscribers.entries()) {
    const { write } = subscriber;
    subscriber.write = (bytes) => {
      // Each takes its neighbours with it, of whom some were served and some were not.
      if (index % 4 === 1)
        for (const other of [index - 1, index, index + 1]) subscribers[other]?.subscription.close();
      return write.call(subscriber, bytes);
    };
  }
  await send('chat', 'a');
  const closed = subscribers.filter((_, index) => index % 4 !== 3);
  const before = closed.map(({ writes }) => writes);
  await send('chat', 'b');
  assert.deepEqual(
    closed.map(({ writes }) => writes),
    before,
  );
  for (const index of [3, 7]) assert.deepEqual(subscribers[index].data, ['a', 'b']);
  for (const subscriber of subscribers) assert.equal(new Set(subscriber.data).size, subscriber.data.length);
});

test('draining ends every subscription and refuses new ones', async () => {
  const subscriber = new TestSubscriber(hub, 'chat');
  await clock.settle();
  hub.drain();
  assert.equal(subscriber.endReason, 'draining');
  assert.throws(() => new TestSubscriber(hub, 'chat'), { code: 'draining' });
});

test('limits.subscriptionPartitionsMax bounds what one subscription reads', async () => {
  const tight = testHub(log, clock, { subscriptionPartitionsMax: 3 });
  assert.throws(() => new TestSubscriber(tight, 'wide/#'), { code: 'subscription_too_wide' });
  assert.doesNotThrow(() => new TestSubscriber(tight, 'wide/1'));
  tight.drain();
  tight.close();
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
