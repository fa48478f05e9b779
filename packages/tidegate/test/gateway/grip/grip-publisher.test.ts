import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventPublisher } from '../../../src/channels/index.ts';
import { GripPublisher, type ItemReceipt } from '../../../src/gateway/grip/grip-publisher.ts';
import { noMetrics, resolveLimits, TidegateError } from '../../../src/kernel/index.ts';
import type { PublishItem } from '../../../src/wire/grip/index.ts';
import { clock, eachTestHasAHub, hub } from '../../support/hub-fixture.ts';
import { TestSubscriber } from '../../support/test-hub.ts';
import { item, streamItem } from './items.ts';

eachTestHasAHub();

const newPublisher = (): GripPublisher =>
  new GripPublisher({ receivers: hub, clock, limits: resolveLimits(), metrics: noMetrics });

/** Publishes items; the outcomes fill in when they are there. */
function publish(
  publisher: GripPublisher,
  items: readonly PublishItem[],
  by: EventPublisher = hub,
): (ItemReceipt | TidegateError)[] {
  const outcomes: (ItemReceipt | TidegateError)[] = [];
  publisher.publish(items, by, (told) => outcomes.push(...told));
  return outcomes;
}

/** A publisher that counts the calls. */
function counted(): EventPublisher & { calls: number } {
  const counting = {
    calls: 0,
    publish(...call: Parameters<EventPublisher['publish']>) {
      counting.calls++;
      hub.publish(...call);
    },
  };
  return counting;
}

test('items reach the subscribers of their channels, and the answer says how many there were', async () => {
  const one = new TestSubscriber(hub, 'a');
  new TestSubscriber(hub, 'a');
  await clock.settle();
  const outcomes = publish(newPublisher(), [streamItem('a', 'x', { id: '1' }), streamItem('b', 'y')]);
  await clock.settle();
  assert.deepEqual(one.data, ['x']);
  assert.deepEqual(
    outcomes.map((outcome) => !(outcome instanceof TidegateError) && [outcome.channel, outcome.receivers]),
    [
      ['a', 2],
      ['b', 0],
    ],
  );
  assert.equal('id' in outcomes[0] && outcomes[0].id, '1');
});

test('items that are published together go to the log together', async () => {
  const by = counted();
  publish(newPublisher(), [streamItem('a', 'x'), streamItem('b', 'y'), streamItem('a', 'z')], by);
  await clock.settle();
  assert.equal(by.calls, 1);
});

test('items of one call are stored in the order of their prev-ids', async () => {
  const subscriber = new TestSubscriber(hub, 'a');
  await clock.settle();
  const publisher = newPublisher();
  publish(publisher, [
    streamItem('a', '1', { id: '1' }),
    streamItem('a', '3', { id: '3', 'prev-id': '2' }),
    streamItem('a', '2', { id: '2', 'prev-id': '1' }),
  ]);
  await clock.settle();
  assert.deepEqual(subscriber.data, ['1', '2', '3']);
});

test('an item that waits is answered when it is stored, by whom it was published', async () => {
  const subscriber = new TestSubscriber(hub, 'a');
  await clock.settle();
  const [first, second] = [counted(), counted()];
  const publisher = newPublisher();
  publish(publisher, [streamItem('a', '1', { id: '1' })], first);
  const waiting = publish(publisher, [streamItem('a', '3', { id: '3', 'prev-id': '2' })], second);
  await clock.settle();
  assert.deepEqual(waiting, []);
  publish(publisher, [streamItem('a', '2', { id: '2', 'prev-id': '1' })], first);
  await clock.settle();
  assert.deepEqual(subscriber.data, ['1', '2', '3']);
  assert.equal(waiting.length, 1);
  assert.deepEqual([first.calls, second.calls], [2, 1]);
});

test('no-seq does not wait', async () => {
  const publisher = newPublisher();
  publish(publisher, [streamItem('a', '1', { id: '1' })]);
  const outcomes = publish(publisher, [streamItem('a', '3', { id: '3', 'prev-id': '2', 'no-seq': true })]);
  await clock.settle();
  assert.equal(outcomes.length, 1);
});

test('an id that was published before is a duplicate, is not delivered again and has no receivers', async () => {
  const subscriber = new TestSubscriber(hub, 'a');
  await clock.settle();
  const publisher = newPublisher();
  publish(publisher, [streamItem('a', 'x', { id: '1' })]);
  await clock.settle();
  const again = publish(publisher, [streamItem('a', 'x', { id: '1' }), streamItem('b', 'x', { id: '1' })]);
  await clock.settle();
  assert.deepEqual(subscriber.data, ['x']);
  assert.deepEqual(
    again.map((outcome) => 'duplicate' in outcome && [outcome.duplicate, outcome.receivers]),
    [
      [true, 0],
      [false, 0],
    ],
  );
});

test('an item with content and a signal is answered once, and its repetition is one', async () => {
  const publisher = newPublisher();
  const both = item({
    channel: 'a',
    id: '1',
    'http-stream': { content: 'bye' },
    'ws-message': { action: 'close' },
  });
  const first = publish(publisher, [both]);
  await clock.settle();
  const second = publish(publisher, [both]);
  await clock.settle();
  assert.equal('duplicate' in first[0] && first[0].duplicate, false);
  assert.equal('duplicate' in second[0] && second[0].duplicate, true);
  assert.equal('id' in second[0] && second[0].id, '1');
});

test('an item that is refused does not hold up the others', async () => {
  const outcomes = publish(newPublisher(), [streamItem('a/+', 'x'), streamItem('a', 'y')]);
  await clock.settle();
  assert.deepEqual(
    outcomes.map((outcome) => (outcome instanceof TidegateError ? outcome.code : 'stored')),
    ['channel_not_publishable', 'stored'],
  );
});

test('no items are answered with no outcomes', () => {
  let told: readonly unknown[] | null = null;
  newPublisher().publish([], hub, (outcomes) => {
    told = outcomes;
  });
  assert.deepEqual(told, []);
});

test('when it is closed, what waits is stored', async () => {
  const publisher = newPublisher();
  publish(publisher, [streamItem('a', '1', { id: '1' })]);
  const waiting = publish(publisher, [streamItem('a', '3', { id: '3', 'prev-id': '2' })]);
  publisher.close();
  await clock.settle();
  assert.equal(waiting.length, 1);
});

test('subscriptions of other processes are counted before they have the item, and own ones when it is stored', async () => {
  const asked: (readonly string[])[] = [];
  let answer: (counts: readonly number[]) => void = () => {};
  const order: string[] = [];
  const publisher = new GripPublisher({
    receivers: hub,
    others: {
      count(channels, done) {
        order.push('asked');
        asked.push(channels);
        answer = done;
      },
    },
    published: ({ id }) => order.push(`stored ${id}`),
    clock,
    limits: resolveLimits(),
    metrics: noMetrics,
  });
  const subscriber = new TestSubscriber(hub, 'a');
  await clock.settle();
  const items = [
    streamItem('a', 'x', { id: '1' }),
    streamItem('b', 'y', { id: '2' }),
    streamItem('a', 'z', { id: '3' }),
  ];
  const outcomes = publish(publisher, items);
  await clock.settle();
  // The answer waits for the others; what was stored does not.
  assert.deepEqual([outcomes.length, subscriber.data], [0, ['x', 'z']]);
  subscriber.subscription.close();
  answer([10, 200]);
  assert.deepEqual(asked, [['a', 'b']]);
  assert.deepEqual(order, ['asked', 'stored 1', 'stored 2', 'stored 3']);
  assert.deepEqual(
    outcomes.map((outcome) => !(outcome instanceof TidegateError) && outcome.receivers),
    [11, 200, 11],
  );
  const repeated = publish(publisher, [streamItem('a', 'x', { id: '1' })]);
  await clock.settle();
  answer([10]);
  assert.equal('receivers' in repeated[0] && repeated[0].receivers, 0);
  assert.equal(order.at(-1), 'asked', 'what was published before is not published again');
});
