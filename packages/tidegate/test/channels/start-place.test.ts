import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noMetrics, resolveLimits, seededRandom, silentLogger } from '../../src/kernel/index.ts';
import { openMemoryLog } from '../../src/log/index.ts';
import { clock, eachTestHasAHub, hub, log, send, startHubAnew } from '../support/hub-fixture.ts';
import { event, publish, TestSubscriber, testHub, topicSpec } from '../support/test-hub.ts';

// Where subscriptions begin, and what their cursors lead back to.

eachTestHasAHub({ limits: { memoryPartitionBytesMax: 65_536 } });

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

test('an offset begins where a cursor with it would, and needs no name of a topic', async () => {
  await send('chat', 'a', 'b', 'c');
  const { epoch } = log.topics.get('default') ?? {};
  assert.ok(epoch !== undefined);
  for (const [offset, known, expected, gaps] of [
    [1, epoch, ['b', 'c'], []],
    [1, '', ['b', 'c'], []],
    [3, epoch, [], []],
    [1, 'other', ['a', 'b', 'c'], ['other_epoch']],
    [4, epoch, ['a', 'b', 'c'], ['beyond_end']],
  ] as const) {
    const subscriber = new TestSubscriber(hub, 'chat', { kind: 'offset', epoch: known, offset });
    await clock.settle();
    assert.deepEqual([subscriber.data, subscriber.gaps], [expected, gaps], `${offset} of "${known}"`);
  }
});

test('an offset of what reads several partitions is a gap', async () => {
  await send('wide/1', 'a');
  const subscriber = new TestSubscriber(hub, 'wide/#', { kind: 'offset', epoch: '', offset: 0 });
  await clock.settle();
  assert.deepEqual([subscriber.data, subscriber.gaps], [[], ['other_channel']]);
});

test('the last N can be counted back from an offset', async () => {
  await send('chat', 'a', 'b');
  await send('noise', 'x');
  await send('chat', 'c', 'd');
  const subscriber = new TestSubscriber(hub, 'chat', { kind: 'last', count: 2, before: 4 });
  await clock.settle();
  assert.deepEqual(subscriber.data, ['b', 'c', 'd']);
});

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
  const ending = new TestSubscriber(small, 'chat', first.cursor, 'resume', { gapEnds: true });
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
  startHubAnew();
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

test('from=latest during a delivery is after it', async () => {
  const first = new TestSubscriber(hub, 'chat');
  await clock.settle();
  const { write } = first;
  const late: TestSubscriber[] = [];
  first.write = (bytes) => {
    if (late.length === 0) late.push(new TestSubscriber(hub, 'chat'));
    return write.call(first, bytes);
  };
  await send('chat', 'a');
  await send('chat', 'b');
  assert.deepEqual(late[0].data, ['b']);
});
