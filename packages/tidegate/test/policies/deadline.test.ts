import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertInTime, deadlineField, deadlineOf, timeLeftMs } from '../../src/policies/deadline.ts';

const NOW = Date.parse('2026-11-21T12:00:00Z');

const read = (deadline?: string, timeout?: string): number | null => deadlineOf({ deadline, timeout }, NOW);

test('a deadline is an RFC 3339 time or milliseconds since 1970, and a time-out counts from now', () => {
  assert.equal(read(), null);
  assert.equal(read('2026-11-21T12:00:01.5Z'), NOW + 1500);
  assert.equal(read('2026-11-21T13:00:00+01:00'), NOW);
  assert.equal(read(String(NOW + 7)), NOW + 7);
  assert.equal(read(undefined, '10'), NOW + 10_000);
  assert.equal(read(undefined, '500ms'), NOW + 500);
  assert.equal(read(undefined, ' 3s '), NOW + 3_000);
  assert.equal(read(undefined, '2m'), NOW + 120_000);
  assert.equal(read(undefined, '0'), NOW);
});

test('of two that are given the earlier one counts', () => {
  assert.equal(read('2026-11-21T12:00:05Z', '10'), NOW + 5_000);
  assert.equal(read('2026-11-21T12:00:20Z', '10'), NOW + 10_000);
});

test('what cannot be read is refused, seconds since 1970 among it', () => {
  for (const deadline of [
    '',
    'soon',
    '1700000000',
    '2026-02-30T12:00:00Z',
    '2026-11-21',
    '99999999999999999',
  ])
    assert.throws(() => read(deadline), { code: 'http_malformed' }, deadline);
  for (const timeout of ['', '-1', '1.5', '10h', '10 s', '9999999999', '0x10'])
    assert.throws(() => read(undefined, timeout), { code: 'http_malformed' }, timeout);
});

test('what is passed on reads as the same deadline', () => {
  for (const at of [NOW + 1, 99_999_999_999_999]) assert.equal(read(deadlineField(at)), at);
});

test('a step has what is left, and never more than its own bound', () => {
  assert.equal(timeLeftMs(null, 5_000, NOW), 5_000);
  assert.equal(timeLeftMs(NOW + 1_000, 5_000, NOW), 1_000);
  assert.equal(timeLeftMs(NOW + 9_000, 5_000, NOW), 5_000);
  assert.equal(timeLeftMs(NOW - 1, 5_000, NOW), 0);
});

test('nothing begins at its deadline or after', () => {
  assertInTime(null, NOW);
  assertInTime(NOW + 1, NOW);
  assert.throws(() => assertInTime(NOW, NOW), { code: 'deadline_exceeded' });
});
