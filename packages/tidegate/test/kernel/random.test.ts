import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EPOCH_LENGTH, randomId, seededRandom, systemRandom } from '../../src/kernel/index.ts';

test('a seed gives the same numbers again, and another seed gives others', () => {
  const draw = (seed: number): number[] => {
    const random = seededRandom(seed);
    return Array.from({ length: 20 }, () => random.uint32());
  };
  assert.deepEqual(draw(7), draw(7));
  assert.notDeepEqual(draw(7), draw(8));
});

test('numbers of both sources are whole and fit 32 bits', () => {
  for (const random of [seededRandom(1), systemRandom]) {
    for (let i = 0; i < 1000; i++) {
      const number = random.uint32();
      assert.ok(Number.isInteger(number) && number >= 0 && number < 2 ** 32);
    }
  }
});

test('identifiers have the length that was asked for, of letters and digits', () => {
  assert.match(randomId(systemRandom, EPOCH_LENGTH), /^[0-9A-Za-z]{12}$/);
  assert.equal(randomId(seededRandom(1), 7).length, 7);
  assert.equal(randomId(seededRandom(1), 0), '');
});

test('no character of an identifier is favoured', () => {
  const counts = new Map<string, number>();
  for (const character of randomId(seededRandom(3), 62_000))
    counts.set(character, (counts.get(character) ?? 0) + 1);
  assert.equal(counts.size, 62);
  // 1,000 are expected of each; five standard deviations either way.
  for (const [character, count] of counts) assert.ok(Math.abs(count - 1000) < 160, `${character}: ${count}`);
});
