import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { matchArrays } from '../../../src/wire/json-patch/array-match.ts';

/** How long the longest common subsequence is, by the textbook. */
function commonLength(left: readonly unknown[], right: readonly unknown[]): number {
  let row = new Array<number>(right.length + 1).fill(0);
  for (const element of left) {
    const next = [0];
    for (let j = 0; j < right.length; j++) {
      next.push(element === right[j] ? row[j] + 1 : Math.max(next[j], row[j + 1]));
    }
    row = next;
  }
  return row[right.length];
}

describe('What two arrays have in common', () => {
  test('is in the same order in both, and as much as can be', () => {
    const array = fc.array(fc.constantFrom(0, 1, 2, 'a'), { maxLength: 20 });
    fc.assert(
      fc.property(array, array, (left, right) => {
        const { partners } = matchArrays(left, right, 100_000);
        assert.ok(partners !== null);
        const found = [...partners.entries()].filter(([, partner]) => partner !== -1);
        for (const [index, partner] of found) assert.equal(left[index], right[partner]);
        for (let i = 1; i < found.length; i++) assert.ok(found[i - 1][1] < found[i][1]);
        assert.equal(found.length, commonLength(left, right));
      }),
      { numRuns: 2000 },
    );
  });

  test('is given up after about as many steps as are allowed', () => {
    const left = Array.from({ length: 1000 }, (_, i) => i);
    const right = left.map((i) => -1 - i);
    for (const stepsMax of [0, 1, 10, 1000, 100_000]) {
      const { partners, steps } = matchArrays(left, right, stepsMax);
      assert.equal(partners, null);
      assert.ok(steps <= stepsMax + 1);
    }
    assert.ok(matchArrays(left, left, 0).partners !== null);
  });
});
