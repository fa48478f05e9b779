import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Publication } from './publication.ts';
import { Subscriber } from './subscriber.ts';

const PUBLISHED: readonly Publication[] = [
  { channel: 'stocks/A', data: '1' },
  { channel: 'stocks/B', data: '2' },
  { channel: 'stocks/A', data: '3' },
  { channel: 'quakes/X', data: '4' },
];

/** A subscriber of `pattern` that received those of `PUBLISHED` whose numbers are given, in this order. */
function subscriberThatReceived(pattern: string, numbers: readonly number[]): Subscriber {
  const subscriber = new Subscriber({ client: 'npm ws', pattern, joins: 'before' }, PUBLISHED);
  for (const number of numbers) {
    subscriber.record.delivered({ cursor: `cursor-${number}`, ...PUBLISHED[number] });
  }
  return subscriber;
}

test('a subscriber that received exactly what was published on its channels has no fault', () => {
  assert.equal(subscriberThatReceived('stocks/#', [0, 1, 2]).findFault('of the topic'), null);
  assert.equal(subscriberThatReceived('stocks/A', [0, 2]).findFault('of the topic'), null);
});

test('a missing, a strange, a repeated and a swapped message are faults', () => {
  const faultOf = (numbers: readonly number[]): string | null =>
    subscriberThatReceived('stocks/#', numbers).findFault('of the topic');
  assert.match(faultOf([0, 1]) ?? '', /2 messages instead of 3/);
  assert.match(faultOf([0, 1, 2, 3]) ?? '', /4 messages instead of 3/);
  assert.match(faultOf([0, 1, 3]) ?? '', /message 2 is 4 instead of 3/);
  assert.match(faultOf([0, 1, 1, 2]) ?? '', /1 messages came twice/);
  assert.match(faultOf([1, 0, 2]) ?? '', /message 0 is 2 instead of 1/);
});

test('where only the order within a channel counts, a swap within one is a fault and one across is not', () => {
  const faultOf = (numbers: readonly number[]): string | null =>
    subscriberThatReceived('stocks/#', numbers).findFault('of each channel');
  assert.equal(faultOf([1, 0, 2]), null);
  assert.match(faultOf([2, 0, 1]) ?? '', /message 0 is 3 instead of 1/);
});

test('a gap is a fault, whatever else was received', () => {
  const subscriber = subscriberThatReceived('stocks/A', [0, 2]);
  subscriber.record.enveloped('{"gap":{"reason":"below_retention","cursor":"x"}}');
  assert.match(subscriber.findFault('of the topic') ?? '', /gap/);
});
