import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { TidegateError } from '../../src/kernel/index.ts';
import { clock, eachTestHasAHub, hub, log, send, startHubAnew } from '../support/hub-fixture.ts';
import { event, publish, TestSubscriber, testHub, topicSpec } from '../support/test-hub.ts';

// Which topics a subscription reads, and what becomes of it when they change.

eachTestHasAHub();

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

test('declaring a topic later is a barrier: resuming reads default up to it and the topic from there on', async () => {
  const [first] = await send('games/1', 'a', 'b');
  await send('games/2', 'other');
  await clock.run(log.createTopic(topicSpec('games')));
  startHubAnew();
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

test('limits.subscriptionPartitionsMax bounds what one subscription reads', async () => {
  const tight = testHub(log, clock, { subscriptionPartitionsMax: 3 });
  assert.throws(() => new TestSubscriber(tight, 'wide/#'), { code: 'subscription_too_wide' });
  assert.doesNotThrow(() => new TestSubscriber(tight, 'wide/1'));
  tight.drain();
  tight.close();
});

test('a subscription of several channels reads what default holds of one that got its own topic later', async () => {
  await send('games/1', 'a');
  await send('chat', 'b');
  await clock.run(log.createTopic(topicSpec('games')));
  startHubAnew();
  await send('games/1', 'c');
  await send('chat', 'd');
  for (const channels of [
    ['chat', 'games/1'],
    ['chat', 'games/+'],
    ['chat', '+', 'games/#'],
  ]) {
    const subscriber = new TestSubscriber(hub, channels, 'earliest');
    await clock.settle();
    assert.deepEqual(subscriber.data.sort(), ['a', 'b', 'c', 'd'], channels.join());
    subscriber.subscription.close();
  }
});

test('whoever subscribes right after a topic came reads it', async () => {
  new TestSubscriber(hub, 'games/1');
  await clock.settle();
  await clock.run(log.createTopic(topicSpec('games')));
  const next = new TestSubscriber(hub, 'games/1');
  await send('games/1', 'a');
  assert.deepEqual([next.data, next.endReason], [['a'], null]);
});

test('when a topic comes, whoever reads its channels is ended and resumes there; others are left alone', async () => {
  const games = new TestSubscriber(hub, 'games/1');
  const all = new TestSubscriber(hub, '#');
  const chat = new TestSubscriber(hub, 'chat');
  await clock.settle();
  await send('games/1', 'a');
  await clock.run(log.createTopic(topicSpec('games')));
  await send('games/1', 'b');
  await send('chat', 'c');
  assert.deepEqual(
    [games.endReason, all.endReason, chat.endReason],
    ['topics_changed', 'topics_changed', null],
  );
  for (const [before, channel, expected] of [
    [games, 'games/1', ['a', 'b']],
    [all, '#', ['a', 'b', 'c']],
  ] as const) {
    const resumed = new TestSubscriber(hub, channel, before.subscription.cursor());
    await clock.settle();
    assert.deepEqual([[...before.data, ...resumed.data].sort(), resumed.gaps], [expected, []], channel);
  }
  assert.deepEqual(chat.data, ['c']);
});

test('when a topic is deleted and created anew, its subscribers are ended, and those who come back get what is new', async () => {
  await clock.run(log.createTopic(topicSpec('games')));
  startHubAnew();
  const slow = new TestSubscriber(hub, 'games/1');
  const live = new TestSubscriber(hub, 'games/1');
  await clock.settle();
  slow.room = false;
  await send('games/1', 'a');
  await clock.run(log.deleteTopic('games'));
  await clock.run(log.createTopic(topicSpec('games')));
  slow.drain();
  await send('games/1', 'b');
  assert.deepEqual([slow.endReason, live.endReason], ['topics_changed', 'topics_changed']);
  assert.deepEqual([slow.data, live.data], [['a'], ['a']]);
  const resumed = new TestSubscriber(hub, 'games/1', live.subscription.cursor());
  const fresh = new TestSubscriber(hub, 'games/1');
  await clock.settle();
  await send('games/1', 'c');
  assert.deepEqual([resumed.gaps, resumed.data, fresh.data], [['other_epoch'], ['b', 'c'], ['c']]);
});
