import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChannelInterest } from '../../../src/gateway/grip-zmq/channel-interest.ts';

function interest() {
  const lines: string[] = [];
  const subject = new ChannelInterest({
    port: 0,
    close() {},
    subscribe: (prefix) => lines.push(`+${prefix}`),
    unsubscribe: (prefix) => lines.push(`-${prefix}`),
  });
  return { subject, take: () => lines.splice(0) };
}

test('a channel is subscribed to for as long as anybody is, in whatever way', () => {
  const { subject, take } = interest();
  subject.began('stream', 'a');
  subject.began('ws', 'a');
  subject.ended('stream', 'a');
  assert.deepEqual(take(), ['+a']);
  subject.ended('ws', 'a');
  assert.deepEqual(take(), ['-a']);
});

test('a channel that begins again while it lingers is not subscribed to twice', () => {
  const { subject, take } = interest();
  subject.began('response', 'a');
  subject.began('response', 'a');
  subject.ended('response', 'a');
  assert.deepEqual(take(), ['+a', '-a']);
});

test('a pattern is subscribed to by what stands before its first wildcard', () => {
  const { subject, take } = interest();
  for (const pattern of ['orders/#', 'orders/+/status', '+/status', '#', 'a+b']) subject.began('ws', pattern);
  // The last two of the wildcards want everything, which is one prefix.
  assert.deepEqual(take(), ['+orders', '+orders/', '+', '+a+b']);
  subject.ended('ws', '#');
  assert.deepEqual(take(), []);
  subject.ended('ws', '+/status');
  assert.deepEqual(take(), ['-']);
});
