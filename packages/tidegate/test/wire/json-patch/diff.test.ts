import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Limits, resolveLimits } from '../../../src/kernel/index.ts';
import { applyPatch, diffJson } from '../../../src/wire/json-patch/index.ts';
import { APPENDIX_A } from './appendix-a.ts';

const LIMITS = resolveLimits();

/** Asserts that the patch from one value to the other leads there, and returns it. */
function patchBetween(before: unknown, after: unknown, limits: Limits = LIMITS): unknown {
  const patch = diffJson(before, after, limits);
  // As it travels: through JSON, which also shows that the patch shares nothing that applying it could change.
  const travelled = JSON.parse(JSON.stringify(patch));
  assert.equal(printed(applyPatch(before, travelled, limits)), printed(after));
  return patch;
}

/** JSON with the members of objects in order. */
function printed(value: unknown): string {
  return JSON.stringify(value, (_, part) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));

describe('The patch between two JSON values', () => {
  test('leads from one to the other, both ways, for the examples of RFC 6902, appendix A', () => {
    for (const { document, result } of APPENDIX_A) {
      patchBetween(document, result);
      patchBetween(result, document);
    }
  });

  test('is empty for equal values, whatever the order of their members', () => {
    assert.deepEqual(diffJson({ a: [1, { b: null }], c: '' }, { c: '', a: [1, { b: null }] }, LIMITS), []);
  });

  test('names only what differs', () => {
    const before = {
      users: [
        { id: 1, on: true },
        { id: 2, on: true },
      ],
      n: 1,
      old: {},
    };
    const after = {
      users: [
        { id: 1, on: true },
        { id: 2, on: false },
      ],
      n: 2,
      'a/b~': [],
    };
    assert.deepEqual(patchBetween(before, after), [
      { op: 'remove', path: '/old' },
      { op: 'replace', path: '/users/1/on', value: false },
      { op: 'replace', path: '/n', value: 2 },
      { op: 'add', path: '/a~1b~0', value: [] },
    ]);
  });

  test('names what was inserted into an array and taken from it, not all that shifted', () => {
    assert.deepEqual(patchBetween([1, 2, 3, 4], [0, 1, 2, 3, 4]), [{ op: 'add', path: '/0', value: 0 }]);
    assert.deepEqual(patchBetween([1, 2, 3, 4, 5, 6], [2, 3, 9, 5, 6, 7]), [
      { op: 'remove', path: '/0' },
      { op: 'replace', path: '/2', value: 9 },
      { op: 'add', path: '/5', value: 7 },
    ]);
    assert.deepEqual(patchBetween(['x', 'a', 'y', 'b', 'z'], ['a', 'q', 'b']), [
      { op: 'remove', path: '/0' },
      { op: 'replace', path: '/1', value: 'q' },
      { op: 'remove', path: '/3' },
    ]);
  });

  test('goes into the elements that take the place of others', () => {
    const before = [{ id: 1 }, { id: 2, price: 5 }, { id: 3 }];
    const after = [{ id: 0 }, { id: 1 }, { id: 2, price: 6 }, { id: 3 }];
    assert.ok((patchBetween(before, after) as unknown[]).length <= 4);
  });

  test('replaces a value by one of another kind', () => {
    for (const [before, after] of [
      [[], {}],
      [{}, []],
      [null, {}],
      [1, '1'],
      [[[]], [{}]],
    ]) {
      assert.equal((patchBetween(before, after) as unknown[]).length, 1);
    }
  });

  test('compares arrays by position where jsonDiffStepsMax steps are not enough', () => {
    const limits = resolveLimits({ jsonDiffStepsMax: 3 });
    const [before, after] = [
      [1, 2, 3],
      [2, 3, 4],
    ];
    assert.deepEqual(patchBetween(before, after), [
      { op: 'remove', path: '/0' },
      { op: 'add', path: '/2', value: 4 },
    ]);
    assert.deepEqual(patchBetween(before, after, limits), [
      { op: 'replace', path: '/0', value: 2 },
      { op: 'replace', path: '/1', value: 3 },
      { op: 'replace', path: '/2', value: 4 },
    ]);
  });

  test('spends its steps over all arrays together', () => {
    const operations = (before: unknown, after: unknown, jsonDiffStepsMax: number): number =>
      (patchBetween(before, after, resolveLimits({ jsonDiffStepsMax })) as unknown[]).length;
    let steps = 0;
    while (operations([1, 2, 3], [2, 3, 4], steps) !== 2) steps++;
    assert.equal(operations({ a: [1, 2, 3], b: [1, 2, 3] }, { a: [2, 3, 4], b: [2, 3, 4] }, steps), 2 + 3);
    assert.equal(
      operations({ a: [1, 2, 3], b: [1, 2, 3] }, { a: [2, 3, 4], b: [2, 3, 4] }, 4 * steps),
      2 + 2,
    );
  });

  test('finds the few differences of long arrays', () => {
    const before = Array.from({ length: 20_000 }, (_, id) => ({ id }));
    const after: unknown[] = before.toSpliced(15_000, 1).toSpliced(0, 0, { id: -1 });
    after[10_000] = { id: 'x' };
    assert.deepEqual(patchBetween(before, after), [
      { op: 'add', path: '/0', value: { id: -1 } },
      { op: 'replace', path: '/10000/id', value: 'x' },
      { op: 'remove', path: '/15001' },
    ]);
  });

  test('replaces everything if it would have more than jsonPatchOperationsMax operations', () => {
    const limits = resolveLimits({ jsonPatchOperationsMax: 3 });
    const before = [1, 1, 1, 1];
    assert.equal((patchBetween(before, [2, 2, 2, 1], limits) as unknown[]).length, 3);
    const after = [2, 2, 2, 2];
    assert.deepEqual(patchBetween(before, after, limits), [{ op: 'replace', path: '', value: after }]);
    patchBetween({ a: 1, b: 1, c: 1, d: 1 }, {}, limits);
  });

  test('replaces everything if a value is nested deeper than jsonNestingMax', () => {
    const limits = resolveLimits({ jsonNestingMax: 8 });
    assert.deepEqual(diffJson([nested(8)], [[1]], limits), [{ op: 'replace', path: '', value: [[1]] }]);
    assert.equal(diffJson([], nested(100_000), LIMITS).length, 1);
    assert.deepEqual(diffJson(nested(8), nested(8), limits), []);
  });

  test('takes a member named like the prototype for what it is', () => {
    const odd = JSON.parse('{"__proto__":{"a":1},"constructor":2}');
    patchBetween({}, odd);
    patchBetween(odd, {});
    assert.deepEqual(patchBetween(odd, JSON.parse('{"__proto__":{"a":2},"constructor":2}')), [
      { op: 'replace', path: '/__proto__/a', value: 2 },
    ]);
  });

  test('leads from any value to any other', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (before, after) => {
        patchBetween(before, after);
      }),
    );
    // Values that have much in common.
    const leaf = fc.constantFrom(0, 1, 'a', null);
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 3 },
        leaf,
        fc.array(tie('tree'), { maxLength: 6 }),
        fc.dictionary(fc.constantFrom('a', 'b', '', '/', '~', '__proto__'), tie('tree'), { maxKeys: 4 }),
      ),
    }));
    const limits = fc.record({
      jsonDiffStepsMax: fc.constantFrom(0, 4, 1000),
      jsonPatchOperationsMax: fc.constantFrom(2, 1000),
    });
    fc.assert(
      fc.property(tree, tree, limits, (before, after, given) => {
        patchBetween(before, after, resolveLimits(given));
      }),
      { numRuns: 2000 },
    );
  });
});
