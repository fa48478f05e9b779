import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Recording } from './recording.ts';
import { divergences } from './scenario.ts';

test('recordings diverge where a value is another or is missing, and only there', () => {
  const one: Recording = {
    status: 200,
    headers: { a: '1', b: '2' },
    events: [{ text: 'x' }, { close: 1000 }],
    same: [1],
  };
  const other: Recording = { status: 502, headers: { a: '1', c: '3' }, events: [{ text: 'x' }], same: [1] };
  assert.deepEqual(divergences(one, other), [
    { at: 'status', pushpin: 200, tidegate: 502 },
    { at: 'headers.b', pushpin: '2', tidegate: null },
    { at: 'headers.c', pushpin: null, tidegate: '3' },
    { at: 'events.1', pushpin: { close: 1000 }, tidegate: null },
  ]);
});

test('recordings of another kind diverge as a whole', () => {
  assert.deepEqual(divergences('text', { status: 1 }), [
    { at: 'all', pushpin: 'text', tidegate: { status: 1 } },
  ]);
  assert.deepEqual(divergences({ a: [] }, { a: {} }), [{ at: 'a', pushpin: [], tidegate: {} }]);
  assert.deepEqual(divergences(null, null), []);
});
