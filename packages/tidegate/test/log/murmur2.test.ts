import assert from 'node:assert/strict';
import { test } from 'node:test';
import { murmur2, partitionOfKey } from '../../src/log/index.ts';

// The vectors of Kafka's own UtilsTest.
const VECTORS = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
] as const;

for (const [text, hash] of VECTORS) {
  test(`murmur2(${JSON.stringify(text)}) is ${hash}, as in Kafka`, () => {
    assert.equal(murmur2(Buffer.from(text)), hash);
    for (const partitions of [2, 3, 64, 1000]) {
      assert.equal(partitionOfKey(text, partitions), (hash & 0x7fffffff) % partitions);
    }
  });
}

test('one partition takes every key', () => {
  assert.equal(partitionOfKey('anything', 1), 0);
});
