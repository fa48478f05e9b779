import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePosition } from '../../src/channels/position.ts';

test('from takes latest, earliest, the last N, a time and a cursor', () => {
  assert.deepEqual(parsePosition('latest'), { kind: 'latest' });
  assert.deepEqual(parsePosition('earliest'), { kind: 'earliest' });
  assert.deepEqual(parsePosition('-0'), { kind: 'last', count: 0 });
  assert.deepEqual(parsePosition('-25'), { kind: 'last', count: 25 });
  assert.deepEqual(parsePosition('2026-11-20T19:00:00Z'), {
    kind: 'time',
    timeMs: Date.UTC(2026, 10, 20, 19),
  });
  assert.deepEqual(parsePosition('2026-11-20t20:00:00.5+01:00'), {
    kind: 'time',
    timeMs: Date.UTC(2026, 10, 20, 19, 0, 0, 500),
  });
  assert.deepEqual(parsePosition('orders~Q3kZ8fTn1xYb~0~18'), {
    kind: 'cursor',
    cursor: 'orders~Q3kZ8fTn1xYb~0~18',
  });
});

for (const text of [
  '',
  'newest',
  '5',
  '-',
  '-1.5',
  '2026-11-20',
  '2026-13-20T19:00:00Z',
  '2026-02-30T19:00:00Z',
  '20 Nov 2026',
  'orders~x~0',
  '~~~',
]) {
  test(`from=${JSON.stringify(text)} is refused`, () => {
    assert.throws(() => parsePosition(text), { code: 'position_invalid' });
  });
}
