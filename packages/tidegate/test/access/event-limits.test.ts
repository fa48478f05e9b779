import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TidegateError } from '../../src/kernel/index.ts';
import { clock, hub } from '../support/hub-fixture.ts';
import { event, publish, TestSubscriber } from '../support/test-hub.ts';
import { keyOf } from './access-fixture.ts';
import { channelsOf, eachTestHasLimits, gateWith, hits, key, outcomes } from './limits-fixture.ts';

eachTestHasLimits();

test('publishesPerSecondMax: of a batch, what is above the rate is refused, and told when to come again', async () => {
  const gate = gateWith({ a: key('one', { publishesPerSecondMax: 4 }) });
  const channels = await channelsOf(gate, 'one');
  assert.deepEqual(await outcomes(channels, '1', '2', '3'), ['stored', 'stored', 'stored']);
  const answer = publish(channels, event('a', '4'), event('a', '5'), event('a', '6'));
  await clock.settle();
  const [fourth, fifth, sixth] = await answer;
  assert.ok(!(fourth instanceof TidegateError));
  assert.ok(fifth instanceof TidegateError && sixth instanceof TidegateError);
  assert.deepEqual([fifth.code, fifth.retryAfterMs], ['rate_exceeded', 250]);
  assert.deepEqual(hits, { publish_rate: 2 });
  clock.advance(249);
  assert.deepEqual(await outcomes(channels, '5'), ['rate_exceeded']);
  clock.advance(1);
  assert.deepEqual(await outcomes(channels, '5', '6'), ['stored', 'rate_exceeded']);
  const reader = new TestSubscriber(hub, 'a', 'earliest');
  await clock.settle();
  assert.deepEqual(reader.data, ['1', '2', '3', '4', '5']);
});

test('messageBytesMax: what is too large is refused by itself, and does not count as published', async () => {
  const gate = gateWith({ a: key('one', { messageBytesMax: 3, publishesPerSecondMax: 2 }) });
  const channels = await channelsOf(gate, 'one');
  assert.deepEqual(await outcomes(channels, 'abc', 'abcd', 'ab'), ['stored', 'body_too_large', 'stored']);
  assert.deepEqual(hits, { message_bytes: 1 });
});

test('what is not allowed does not count as published', async () => {
  const gate = gateWith({ a: { ...keyOf('one', { b: ['publish'] }), limits: { publishesPerSecondMax: 1 } } });
  const channels = await channelsOf(gate, 'one');
  assert.deepEqual(await outcomes(channels, '1', '2'), ['access_denied', 'access_denied']);
  const answer = publish(channels, event('b', '3'));
  await clock.settle();
  assert.ok(!((await answer)[0] instanceof TidegateError));
});
