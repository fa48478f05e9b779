import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FollowedChannels } from '../../../src/gateway/grip-attendance/followed-channels.ts';
import { type Limits, resolveLimits } from '../../../src/kernel/index.ts';
import { ManualClock } from '../../support/manual-clock.ts';

function follow(overrides: Partial<Limits> = {}) {
  const clock = new ManualClock();
  const followed = new FollowedChannels(clock, resolveLimits(overrides));
  const lines: string[] = [];
  followed.tell({
    began: (mode, channel, count) => lines.push(`began ${mode} ${channel} ${count}`),
    goesOn: (mode, channel, count) => lines.push(`goes on ${mode} ${channel} ${count}`),
    ended: (mode, channel) => lines.push(`ended ${mode} ${channel}`),
  });
  return { clock, followed, take: () => lines.splice(0) };
}

test('the first and the last subscriber of a stream are told at once', () => {
  const { followed, take } = follow();
  followed.counted('stream', 'a', 1);
  followed.counted('ws', 'a', 1);
  assert.deepEqual(take(), ['began stream a 1', 'began ws a 1']);
  followed.counted('stream', 'a', 0);
  assert.deepEqual(take(), ['ended stream a']);
  followed.counted('stream', 'a', 0);
  assert.deepEqual(take(), []);
});

test('how many there are is told within two seconds, once for all changes', () => {
  const { followed, take, clock } = follow();
  followed.counted('stream', 'a', 1);
  take();
  followed.counted('stream', 'a', 2);
  followed.counted('stream', 'a', 3);
  assert.deepEqual(take(), []);
  clock.advance(2_000);
  assert.deepEqual(take(), ['goes on stream a 3']);
});

test('what goes on is told anew before it is taken for over', () => {
  const { followed, take, clock } = follow();
  followed.counted('stream', 'a', 1);
  take();
  clock.advance(44_000);
  assert.deepEqual(take(), []);
  clock.advance(3_000);
  assert.deepEqual(take(), ['goes on stream a 1']);
  clock.advance(47_000);
  assert.deepEqual(take(), ['goes on stream a 1']);
});

test('a channel of long-polls lingers for gripLingerMs, and is told to have begun again if somebody comes back', () => {
  const { followed, take, clock } = follow({ gripLingerMs: 60_000 });
  followed.counted('response', 'a', 1);
  followed.counted('response', 'a', 0);
  clock.advance(59_000);
  assert.deepEqual(take(), ['began response a 1']);
  followed.counted('response', 'a', 1);
  assert.deepEqual(take(), ['began response a 1']);
  followed.counted('response', 'a', 0);
  clock.advance(59_000);
  assert.deepEqual(take(), []);
  clock.advance(3_000);
  assert.deepEqual(take(), ['ended response a']);
});

test('without gripLingerMs a channel ends with its last long-poll', () => {
  const { followed, take } = follow({ gripLingerMs: 0 });
  followed.counted('response', 'a', 1);
  followed.counted('response', 'a', 0);
  assert.deepEqual(take(), ['began response a 1', 'ended response a']);
});

test('no more than gripLingeringMax channels linger', () => {
  const { followed, take, clock } = follow({ gripLingeringMax: 1 });
  for (const channel of ['a', 'b']) {
    followed.counted('response', channel, 1);
    followed.counted('response', channel, 0);
  }
  assert.deepEqual(take(), ['began response a 1', 'began response b 1', 'ended response b']);
  clock.advance(62_000);
  assert.deepEqual(take(), ['ended response a']);
  // There is room again, also after one that came back.
  for (const count of [1, 0, 1, 0]) followed.counted('response', 'c', count);
  assert.deepEqual(take(), ['began response c 1', 'began response c 1']);
});
