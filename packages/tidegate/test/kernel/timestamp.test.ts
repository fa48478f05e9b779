import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTimestamp } from '../../src/kernel/index.ts';

test('a time of RFC 3339 is read with its fraction and its zone', () => {
  const eight = Date.UTC(2026, 10, 20, 20);
  assert.equal(parseTimestamp('2026-11-20T20:00:00Z'), eight);
  assert.equal(parseTimestamp('2026-11-20t20:00:00z'), eight);
  assert.equal(parseTimestamp('2026-11-20T21:30:00.25+01:30'), eight + 250);
  assert.equal(parseTimestamp('2026-11-20T20:00:00.123456789Z'), eight + 123);
  assert.equal(parseTimestamp('2028-02-29T00:00:00Z'), Date.UTC(2028, 1, 29));
});

test('a leap second is the second after', () => {
  assert.equal(parseTimestamp('2016-12-31T23:59:60Z'), Date.UTC(2017, 0, 1));
});

for (const text of [
  '',
  '2026-11-20',
  '2026-11-20 20:00:00Z',
  '2026-11-20T20:00:00',
  '2026-11-20T20:00Z',
  '2026-02-30T00:00:00Z',
  '2027-02-29T00:00:00Z',
  '2026-04-31T00:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-00-01T00:00:00Z',
  '2026-01-00T00:00:00Z',
  '2026-01-01T24:00:00Z',
  '2026-01-01T00:60:00Z',
  '2026-01-01T00:00:61Z',
  '2026-01-01T00:00:00+24:00',
  '2026-01-01T00:00:00+00:60',
]) {
  test(`${JSON.stringify(text)} is no time`, () => {
    assert.equal(parseTimestamp(text), null);
  });
}
