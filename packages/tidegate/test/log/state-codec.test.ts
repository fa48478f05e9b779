import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodePartitionState, encodePartitionState } from '../../src/log/lmdb/state-codec.ts';

const STATE = {
  start: 1,
  end: 2 ** 40,
  bytes: 3,
  records: 4,
  maxTimestampMs: 5,
  cleanedTo: 6,
  merges: 7,
};
/** As long as a state was before merges were counted. */
const WITHOUT_MERGES_BYTES = 48;

test('the state of a partition is read as it was written', () => {
  assert.deepEqual(decodePartitionState(encodePartitionState(STATE)), STATE);
});

test('a state that was written before merges were counted has none', () => {
  const bytes = encodePartitionState(STATE).subarray(0, WITHOUT_MERGES_BYTES);
  assert.deepEqual(decodePartitionState(bytes), { ...STATE, merges: 0 });
});
