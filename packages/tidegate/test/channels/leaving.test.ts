import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MetricSpec, noMetrics } from '../../src/kernel/index.ts';
import { clock, eachTestHasAHub, hub, log, send } from '../support/hub-fixture.ts';
import { event, TestSubscriber, testHub } from '../support/test-hub.ts';

// Subscribers may leave at any time, also in the midst of a delivery.

eachTestHasAHub();

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

test('an audience whose last member leaves while it is served is given up', async () => {
  const gauges = new Map<string, () => number>();
  const metrics = {
    ...noMetrics,
    observedGauge: ({ name }: MetricSpec, read: () => number) => {
      gauges.set(name, read);
    },
  };
  const observed = testHub(log, clock, {}, {}, { metrics });
  const subscriber = new TestSubscriber(observed, 'chat');
  const { write } = subscriber;
  subscriber.write = (bytes) => {
    subscriber.subscription.close();
    return write.call(subscriber, bytes);
  };
  await clock.settle();
  assert.equal(gauges.get('tidegate_audiences')?.(), 1);
  await send('chat', 'a');
  assert.equal(gauges.get('tidegate_audiences')?.(), 0);
  observed.drain();
  observed.close();
});

test('one who leaves while others are served keeps the position after what it was handed', async () => {
  const small = testHub(log, clock, { flushBytesMax: 1024 });
  const one = new TestSubscriber(small, 'chat');
  const other = new TestSubscriber(small, 'other');
  await clock.settle();
  // Each ends the other when both were served some of the run, and itself a little later.
  for (const [subscriber, victim] of [
    [one, other],
    [other, one],
  ]) {
    const { write } = subscriber;
    subscriber.write = (bytes) => {
      const full = write.call(subscriber, bytes);
      if (subscriber.writes === 2) victim.subscription.close();
      if (subscriber.writes === 3) subscriber.subscription.close();
      return full;
    };
  }
  small.publish(
    Array.from({ length: 40 }, (_, i) => event(i % 2 === 0 ? 'chat' : 'other', `m${i}${'x'.repeat(300)}`)),
    'test',
    () => {},
  );
  await clock.settle();
  for (const [subscriber, channel] of [
    [one, 'chat'],
    [other, 'other'],
  ] as const) {
    const resumed = new TestSubscriber(small, channel, subscriber.subscription.cursor());
    await clock.settle();
    assert.equal(new Set([...subscriber.data, ...resumed.data]).size, 20, channel);
    assert.equal(subscriber.data.length + resumed.data.length, 20, channel);
  }
  small.drain();
  small.close();
});

test('of those who are ended while one of them is served, each keeps the position after what it was handed', async () => {
  for (let killer = 0; killer < 6; killer++) {
    const channel = `chat${killer}`;
    const subscribers = Array.from({ length: 6 }, () => new TestSubscriber(hub, channel));
    await clock.settle();
    const { write } = subscribers[killer];
    subscribers[killer].write = (bytes) => {
      const full = write.call(subscribers[killer], bytes);
      for (const subscriber of subscribers) subscriber.subscription.close();
      return full;
    };
    await send(channel, 'a', 'b');
    await send(channel, 'c');
    for (const subscriber of subscribers) {
      const resumed = new TestSubscriber(hub, channel, subscriber.subscription.cursor());
      await clock.settle();
      assert.deepEqual([...subscriber.data, ...resumed.data], ['a', 'b', 'c']);
      resumed.subscription.close();
    }
  }
});

test('what nobody needs any more is let go of: audiences, their place in the dispatch, and who was behind', async () => {
  const gauges = new Map<string, () => number>();
  const metrics = {
    ...noMetrics,
    observedGauge: ({ name }: MetricSpec, read: () => number) => {
      gauges.set(name, read);
    },
  };
  const observed = testHub(log, clock, {}, {}, { metrics });
  const gauge = (name: string): number | undefined => gauges.get(`tidegate_${name}`)?.();
  assert.throws(() => new TestSubscriber(observed, 'chat', 'default~x~0~999999999999999999'));
  assert.equal(gauge('audiences'), 0);
  const one = new TestSubscriber(observed, ['chat', '+']);
  const other = new TestSubscriber(observed, ['+', 'chat', 'chat']);
  assert.equal(gauge('audiences'), 1);
  await clock.settle();
  one.room = false;
  await send('chat', 'a');
  assert.equal(gauge('subscriptions_behind'), 1);
  one.subscription.close();
  assert.equal(gauge('subscriptions_behind'), 0);
  other.subscription.close();
  assert.equal(gauge('audiences'), 0);
  const { read } = log;
  log.read = () => assert.fail('nobody wants what is read');
  await send('chat', 'b');
  log.read = read;
  observed.drain();
  observed.close();
});
