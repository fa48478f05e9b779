import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { type Footing, Hub } from '../../src/channels/index.ts';
import { noMetrics, resolveLimits, silentLogger, type TidegateError } from '../../src/kernel/index.ts';
import { clock, eachTestHasAHub, hub, log, send } from '../support/hub-fixture.ts';
import { LaggingLog } from '../support/lagging-log.ts';
import { TestSubscriber, topicSpec } from '../support/test-hub.ts';

// A process that reads another's log, and hears of what is appended a moment later than those who are answered.

eachTestHasAHub();

let followed: LaggingLog;
let worker: Hub;

beforeEach(() => {
  followed = new LaggingLog(log);
  worker = new Hub({
    log: followed,
    publisher: hub,
    clock,
    logger: silentLogger,
    metrics: noMetrics,
    limits: resolveLimits(),
    prefixes: new Map(),
  });
});

/** Subscribes once the worker has reached what that rests on. */
function resume(channel: string, from: Exclude<Footing, 'everything' | null>): () => TestSubscriber | null {
  let subscriber: TestSubscriber | null = null;
  worker.reach(
    [channel],
    () => from,
    () => {
      subscriber = new TestSubscriber(worker, channel, from);
    },
  );
  return () => subscriber;
}

const epochOf = (topic: string): string => log.topics.get(topic)?.epoch ?? '';

for (const [form, fromOf] of [
  ['a cursor', (cursor: string) => ({ kind: 'cursor', cursor }) as const],
  ['an offset', () => ({ kind: 'offset', epoch: epochOf('default'), offset: 2 }) as const],
] as const) {
  test(`${form} that is ahead of what this process has heard leads on from there, without a gap`, async () => {
    const [, { cursor }] = await send('chat', 'a', 'b');
    const subscriber = resume('chat', fromOf(cursor));
    assert.deepEqual([subscriber(), followed.questions], [null, 1]);
    followed.answer();
    await send('chat', 'c');
    followed.hear();
    await clock.settle();
    assert.deepEqual([subscriber()?.data, subscriber()?.gaps], [['c'], []]);
  });
}

test('a cursor of a topic that was made anew, of which this process has not heard, is no gap', async () => {
  await send('orders/1', 'a');
  followed.hear();
  await clock.run(log.deleteTopic('orders'));
  await clock.run(log.createTopic(topicSpec('orders')));
  const [{ cursor }] = await send('orders/1', 'b');
  const subscriber = resume('orders/1', { kind: 'cursor', cursor });
  followed.answer();
  await send('orders/1', 'c');
  followed.hear();
  await clock.settle();
  assert.deepEqual([subscriber()?.data, subscriber()?.gaps], [['c'], []]);
});

test('a cursor of a topic that this process does not know yet is no gap', async () => {
  await clock.run(log.createTopic(topicSpec('news')));
  const [{ cursor }] = await send('news/1', 'a');
  const subscriber = resume('news/1', { kind: 'cursor', cursor });
  assert.equal(subscriber(), null);
  followed.answer();
  await clock.settle();
  assert.deepEqual([subscriber()?.data, subscriber()?.gaps], [[], []]);
});

test('a cursor that lies beyond the end for the owner too is a gap', async () => {
  await send('chat', 'a');
  const cursor = `default~${epochOf('default')}~0~9`;
  const subscriber = resume('chat', { kind: 'cursor', cursor });
  followed.answer();
  await clock.settle();
  assert.deepEqual([subscriber()?.data, subscriber()?.gaps], [['a'], ['beyond_end']]);
});

test('nobody is asked about what is known, or about what is no position', async () => {
  const [{ cursor }] = await send('chat', 'a', 'b');
  followed.hear();
  const known = resume('chat', { kind: 'cursor', cursor });
  await clock.settle();
  assert.deepEqual(known()?.data, ['b']);
  for (const kind of ['latest', 'earliest'] as const) assert.ok(resume('chat', { kind })());
  assert.throws(
    () => resume('chat', { kind: 'cursor', cursor: 'nonsense' }),
    ({ code }: TidegateError) => code === 'position_invalid',
  );
  assert.throws(
    () => resume('chat/#/x', { kind: 'cursor', cursor }),
    ({ code }: TidegateError) => code === 'channel_invalid',
  );
  assert.equal(followed.questions, 0);
});

test('what is stored now is what the owner has acknowledged', async () => {
  await send('chat', 'a');
  let subscriber: TestSubscriber | null = null;
  worker.reach(
    ['chat'],
    () => 'everything',
    () => {
      subscriber = new TestSubscriber(worker, 'chat', 'earliest');
    },
  );
  assert.equal(subscriber, null);
  followed.answer();
  await clock.settle();
  assert.deepEqual((subscriber as TestSubscriber | null)?.data, ['a']);
});

test('the process that owns the log has reached everything, and does not ask by what', () => {
  let calls = 0;
  hub.reach(
    ['chat'],
    () => assert.fail('it is not asked for'),
    () => calls++,
  );
  assert.equal(calls, 1);
});

for (const from of ['latest', 'earliest'] as const) {
  test(`what the owner has dropped while a subscriber from ${from} was about to read it is a gap`, async () => {
    if (from === 'earliest') await send('chat', 'a', 'b', 'c');
    followed.hear();
    const subscriber = new TestSubscriber(worker, 'chat', from);
    if (from === 'latest') await send('chat', 'a', 'b', 'c');
    followed.onRead = () => followed.starts.set('default', 2);
    followed.hear();
    await clock.settle();
    assert.deepEqual([subscriber.data, subscriber.gaps], [['c'], ['below_retention']]);
  });
}
