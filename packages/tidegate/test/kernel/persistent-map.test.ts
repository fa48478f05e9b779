import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PersistentMap } from '../../src/kernel/persistent-map.ts';

/** Two different texts of the same hash. If the map hashes in another way, find others: by FNV-1a over their units these are the same. */
const COLLIDING = ['k4uzx', 'kf2ad'] as const;

test('it holds what a Map holds after the same changes, and earlier maps do not change', () => {
  const change = fc.record({
    key: fc.integer({ min: 0, max: 60 }).map((number) => `k${number}`),
    value: fc.option(fc.integer(), { nil: null }),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 200 }), (changes) => {
      let map = PersistentMap.empty<number>();
      const model = new Map<string, number>();
      const earlier: { readonly map: PersistentMap<number>; readonly entries: string }[] = [];
      const entriesOf = (entries: Iterable<readonly [string, number]>): string =>
        JSON.stringify([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
      for (const { key, value } of changes) {
        earlier.push({ map, entries: entriesOf(model) });
        if (value === null) model.delete(key);
        else model.set(key, value);
        map = value === null ? map.without(key) : map.with(key, value);
        assert.equal(map.size, model.size);
        assert.equal(map.get(key), model.get(key));
      }
      earlier.push({ map, entries: entriesOf(model) });
      for (const { map: before, entries } of earlier) assert.equal(entriesOf(before.entries()), entries);
    }),
  );
});

test('keys of the same hash are kept apart, and go one by one', () => {
  const [a, b] = COLLIDING;
  let map = PersistentMap.empty<string>().with(a, 'a').with(b, 'b').with('other', 'c');
  assert.deepEqual([map.get(a), map.get(b), map.get('other'), map.size], ['a', 'b', 'c', 3]);
  map = map.with(b, 'b2');
  assert.deepEqual([map.get(a), map.get(b), map.size], ['a', 'b2', 3]);
  map = map.without(a);
  assert.deepEqual([map.get(a), map.get(b), map.size], [undefined, 'b2', 2]);
  map = map.without(b).without('other');
  assert.equal(map, PersistentMap.empty());
});

test('a part of a text is looked up as the text of its own', () => {
  let map = PersistentMap.empty<number>();
  for (let i = 0; i < 1000; i++) map = map.with(`segment${i}`, i);
  const path = '/segment12/segment999/segment1000';
  assert.equal(map.getPart(path, 1, 10), 12);
  assert.equal(map.getPart(path, 1, 9), 1);
  assert.equal(map.getPart(path, 11, 21), 999);
  assert.equal(map.getPart(path, 22, path.length), undefined);
  assert.equal(map.getPart(path, 0, 0), undefined);
});
