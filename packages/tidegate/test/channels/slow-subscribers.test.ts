import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clock, eachTestHasAHub, hub, log, send } from '../support/hub-fixture.ts';
import { event, TestSubscriber, testHub } from '../support/test-hub.ts';

// What becomes of subscribers that do not keep pace.

eachTestHasAHub({ limits: { memoryPartitionBytesMax: 65_536 } });

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

test('what retention takes before it was handed over is told to those who keep pace', async () => {
  const subscriber = new TestSubscriber(hub, 'chat');
  await clock.settle();
  // More in one turn than the partition keeps.
  await send('chat', ...Array.from({ length: 300 }, (_, i) => `m${i}${'x'.repeat(1000)}`));
  assert.ok(subscriber.data.length < 300);
  assert.deepEqual(subscriber.gaps, ['below_retention']);
  assert.equal(subscriber.lines[0].kind, 'gap');
});

for (const policy of ['close', 'drop'] as const) {
  test(`policy ${policy} does nothing to a subscriber that missed nothing while its transport was full`, async () => {
    const subscriber = new TestSubscriber(hub, 'chat', 'latest', policy);
    await clock.settle();
    subscriber.room = false;
    await send('chat', 'a');
    await send('noise', 'x');
    await send('noise', 'y');
    subscriber.drain();
    await send('chat', 'b');
    assert.equal(subscriber.endReason, null);
    assert.deepEqual([subscriber.data, subscriber.gaps], [['a', 'b'], []]);
  });
}

test('policy close leaves alone who is behind by what the tail holds, whatever else the partition holds', async () => {
  const small = testHub(log, clock, { flushBytesMax: 1024 });
  const subscriber = new TestSubscriber(small, 'chat', 'latest', 'close');
  await clock.settle();
  const large = 'x'.repeat(2000);
  for (const later of [[], ['b'], ['c', large, 'd']]) {
    subscriber.room = false;
    // A message that is a flush by itself, and one that is of no interest behind it, in one turn.
    small.publish([event('chat', large), event('noise', 'x')], 'test', () => {});
    await clock.settle();
    for (const data of later) {
      small.publish([event('noise', 'x')], 'test', () => {});
      await clock.settle();
      small.publish([event('chat', data)], 'test', () => {});
      await clock.settle();
    }
    subscriber.drain();
    await clock.settle();
    assert.equal(subscriber.endReason, null);
    assert.deepEqual(subscriber.data.splice(-later.length, later.length), later);
  }
  small.drain();
  small.close();
});

test('a transport that drains although it was not full changes nothing', async () => {
  const subscriber = new TestSubscriber(hub, 'chat', 'earliest', 'drop');
  subscriber.drain();
  await send('chat', 'a');
  subscriber.drain();
  await send('chat', 'b');
  subscriber.subscription.close();
  subscriber.drain();
  await send('chat', 'c');
  assert.deepEqual([subscriber.data, subscriber.gaps], [['a', 'b'], []]);
});

test('whoever falls behind again with the policy drop is told again', async () => {
  const subscriber = new TestSubscriber(hub, 'chat', 'latest', 'drop');
  await clock.settle();
  for (const turn of [1, 2]) {
    subscriber.room = false;
    for (const data of ['a', 'b', 'c']) await send('chat', `${data}${turn}`);
    subscriber.drain();
    await clock.settle();
  }
  assert.deepEqual(subscriber.data, ['a1', 'c1', 'a2', 'c2']);
  assert.deepEqual(subscriber.gaps, ['conflated', 'conflated']);
});

test('many quiet tails do not take the room of a busy one', async () => {
  const tight = testHub(log, clock, { tailBytesMax: 65_536, tailsBytesMax: 65_536, flushBytesMax: 1024 });
  for (let i = 0; i < 30; i++) {
    new TestSubscriber(tight, `quiet${i}`);
    await clock.settle();
    tight.publish([event(`quiet${i}`, 'x'.repeat(3000))], 'test', () => {});
    await clock.settle();
  }
  const slow = new TestSubscriber(tight, 'busy', 'latest', 'close');
  await clock.settle();
  slow.room = false;
  for (let i = 0; i < 20; i++) {
    tight.publish([event('busy', `m${i}`)], 'test', () => {});
    await clock.settle();
  }
  slow.drain();
  await clock.settle();
  assert.equal(slow.endReason, null);
  assert.equal(slow.data.length, 20);
  tight.drain();
  tight.close();
});

test('catching up goes on in the next turn when the time of one is used', async () => {
  const small = testHub(log, clock, { flushBytesMax: 1024, catchUpTurnMs: 10 });
  await send('chat', ...Array.from({ length: 30 }, (_, i) => `m${i}${'x'.repeat(1100)}`));
  const subscriber = new TestSubscriber(small, 'chat', 'earliest');
  const { write } = subscriber;
  subscriber.write = (bytes) => {
    clock.advance(5);
    return write.call(subscriber, bytes);
  };
  await clock.settle();
  assert.equal(subscriber.data.length, 30);
  small.drain();
  small.close();
});
