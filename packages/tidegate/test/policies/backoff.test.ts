import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Random, seededRandom } from '../../src/kernel/index.ts';
import { backoffDelayMs } from '../../src/policies/backoff.ts';

const OPTIONS = { backoffMs: 25, backoffMaxMs: 300 };
const always = (uint32: number): Random => ({ uint32: () => uint32 });

test('the bound doubles with each retry, up to the largest', () => {
  const half = always(2 ** 31);
  const delays = [1, 2, 3, 4, 5, 6, 50, 2000].map((retry) => backoffDelayMs(OPTIONS, retry, half));
  assert.deepEqual(delays, [12.5, 25, 50, 100, 150, 150, 150, 150]);
});

test('a delay is anything from nothing to less than the bound, evenly', () => {
  assert.equal(backoffDelayMs(OPTIONS, 3, always(0)), 0);
  assert.ok(backoffDelayMs(OPTIONS, 3, always(2 ** 32 - 1)) < 100);
  const random = seededRandom(1);
  const quarters = [0, 0, 0, 0];
  for (let i = 0; i < 4000; i++) quarters[Math.floor(backoffDelayMs(OPTIONS, 3, random) / 25)]++;
  for (const count of quarters) assert.ok(count > 900 && count < 1100, `${quarters}`);
});
