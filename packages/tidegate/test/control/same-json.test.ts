import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isSameJson } from '../../src/control/same-json.ts';

/** The same with the members in another order. */
function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).reverse();
  return Object.fromEntries(members.map(([name, member]) => [name, shuffled(member)]));
}

/** The same text for the same JSON. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}

test('two values are the same exactly if their JSON is, whatever the order of members', () => {
  const value = fc.jsonValue({ maxDepth: 3, noUnicodeString: true } as fc.JsonSharedConstraints);
  fc.assert(
    fc.property(value, value, (a, b) => {
      assert.equal(isSameJson(a, shuffled(a)), true);
      assert.equal(isSameJson(a, b), canonical(a) === canonical(b));
      assert.equal(isSameJson({ a, b }, { b, a, c: undefined }), true);
      assert.equal(isSameJson({ a }, { a, b }), false);
      assert.equal(isSameJson({ a, b }, { a }), false);
      assert.equal(isSameJson([a, b], { 0: a, 1: b }), false);
    }),
  );
  assert.equal(isSameJson({ a: undefined }, { b: undefined }), true);
  assert.equal(isSameJson({ a: null }, {}), false);
  assert.equal(isSameJson({ constructor: 1 }, { a: 1 }), false);
  assert.equal(isSameJson({ x: 1 }, { toString: Object.prototype.toString }), false);
});
