import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Limits, resolveLimits, TidegateError } from '../../../src/kernel/index.ts';
import { applyPatch } from '../../../src/wire/json-patch/index.ts';
import { APPENDIX_A } from './appendix-a.ts';

const LIMITS = resolveLimits();

/** The detail of the error with which applying fails. */
function fault(document: unknown, patch: unknown, limits: Limits = LIMITS): string {
  try {
    applyPatch(document, patch, limits);
  } catch (error) {
    assert.ok(error instanceof TidegateError);
    assert.equal(error.code, 'json_patch_invalid');
    return error.detail;
  }
  return assert.fail('The patch was applied.');
}

const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));

describe('A JSON patch is applied as in the examples of RFC 6902, appendix', () => {
  for (const { section, document, patch, result } of APPENDIX_A) {
    test(section, () => {
      const before = structuredClone(document);
      if (result === null) fault(document, patch);
      else assert.deepEqual(applyPatch(document, patch, LIMITS), result);
      assert.deepEqual(document, before);
    });
  }
});

describe('A JSON patch', () => {
  test('may replace the whole document, and add to it in its place', () => {
    assert.equal(applyPatch({ a: 1 }, [{ op: 'replace', path: '', value: 5 }], LIMITS), 5);
    const patch = [
      { op: 'add', path: '', value: { b: [] } },
      { op: 'add', path: '/b/0', value: 1 },
    ];
    assert.deepEqual(applyPatch([1, 2], patch, LIMITS), { b: [1] });
    assert.deepEqual(patch[0], { op: 'add', path: '', value: { b: [] } });
  });

  test('moves a value to where it is, and to the root', () => {
    assert.deepEqual(applyPatch({ a: 1 }, [{ op: 'move', from: '/a', path: '/a' }], LIMITS), { a: 1 });
    assert.deepEqual(applyPatch({ a: [1] }, [{ op: 'move', from: '/a', path: '' }], LIMITS), [1]);
  });

  test('leaves a copy alone when what was copied changes, and the other way round', () => {
    const patch = [
      { op: 'add', path: '/a/0', value: 0 },
      { op: 'copy', from: '/a', path: '/b' },
      { op: 'add', path: '/a/-', value: 'a' },
      { op: 'add', path: '/b/-', value: 'b' },
    ];
    assert.deepEqual(applyPatch({ a: [1] }, patch, LIMITS), { a: [0, 1, 'a'], b: [0, 1, 'b'] });
  });

  test('compares objects whatever the order of their members', () => {
    const patch = [{ op: 'test', path: '/a', value: { y: [{}], x: null } }];
    applyPatch({ a: { x: null, y: [{}] } }, patch, LIMITS);
    for (const other of [{ x: null }, { x: null, y: [{}], z: 1 }, { x: null, y: {} }, [], null, 'a']) {
      assert.match(fault({ a: other }, patch), /^Operation 0 finds another value/);
    }
  });

  test('takes no prototype for a member, and makes none', () => {
    for (const path of ['/__proto__/x', '/constructor/prototype/x', '/a/__proto__/x', '/b/__proto__/x']) {
      fault({ a: {}, b: [] }, [{ op: 'add', path, value: 1 }]);
    }
    fault({ a: {} }, [{ op: 'copy', from: '/a/toString', path: '/b' }]);
    const patched = applyPatch({}, [{ op: 'add', path: '/__proto__', value: { x: 1 } }], LIMITS);
    assert.equal(JSON.stringify(patched), '{"__proto__":{"x":1}}');
    assert.equal(Object.getPrototypeOf(patched), Object.prototype);
    const again = applyPatch(patched, [{ op: 'add', path: '/__proto__/y', value: 2 }], LIMITS);
    assert.equal(JSON.stringify(again), '{"__proto__":{"x":1,"y":2}}');
    const copied = applyPatch({ p: patched }, [{ op: 'copy', from: '/p', path: '/q' }], LIMITS);
    assert.equal(JSON.stringify(copied), '{"p":{"__proto__":{"x":1}},"q":{"__proto__":{"x":1}}}');
    assert.equal(({} as { x?: unknown }).x, undefined);
  });

  const faults: [fault: string, patch: unknown, detail: RegExp][] = [
    ['that is no array', { op: 'add' }, /not an array/],
    ['with an operation that is no object', [['add']], /^Operation 0 is not an object/],
    ['with an unknown operation', [{ op: 'merge', path: '' }], /^Operation 0 has an unknown "op"/],
    ['with an operation of another case', [{ op: 'Add', path: '/a', value: 1 }], /unknown "op"/],
    ['without a path', [{ op: 'remove' }], /"path"/],
    ['with a path that is not a pointer', [{ op: 'remove', path: 'a' }], /"path"/],
    ['with a stray tilde', [{ op: 'remove', path: '/~2' }], /"path"/],
    ['without a value', [{ op: 'add', path: '/b' }], /has no "value"/],
    ['without a from', [{ op: 'move', path: '/b' }], /"from"/],
    ['that removes everything', [{ op: 'remove', path: '' }], /whole document/],
    ['that removes what is not there', [{ op: 'remove', path: '/b' }], /"b", which is not there/],
    ['that replaces what is not there', [{ op: 'replace', path: '/b', value: 1 }], /"b"/],
    ['that adds beyond the end', [{ op: 'add', path: '/list/3', value: 1 }], /"3"/],
    ['that replaces the end', [{ op: 'replace', path: '/list/-', value: 1 }], /"-"/],
    ['with a leading zero', [{ op: 'replace', path: '/list/01', value: 1 }], /"01"/],
    ['with a negative index', [{ op: 'remove', path: '/list/-1' }], /"-1"/],
    ['that goes into a string', [{ op: 'add', path: '/a/length', value: 1 }], /"length"/],
    ['that moves a value into itself', [{ op: 'move', from: '/list', path: '/list/0' }], /into itself/],
    [
      'that fails late',
      [
        { op: 'add', path: '/b', value: 1 },
        { op: 'remove', path: '/c' },
      ],
      /^Operation 1/,
    ],
  ];
  for (const [name, patch, detail] of faults) {
    test(`${name} is refused, and changes nothing`, () => {
      const document = { a: 'text', list: [1, 2] };
      assert.match(fault(document, patch), detail);
      assert.deepEqual(document, { a: 'text', list: [1, 2] });
    });
  }

  test('has at most jsonPatchOperationsMax operations', () => {
    const limits = resolveLimits({ jsonPatchOperationsMax: 2 });
    const one = { op: 'add', path: '/-', value: 1 };
    assert.deepEqual(applyPatch([], [one, one], limits), [1, 1]);
    assert.match(fault([], [one, one, one], limits), /3 operations; the limit is 2/);
  });

  test('copies at most jsonPatchCopiedValuesMax values, however it doubles them', () => {
    const doubling = Array.from({ length: 60 }, () => ({ op: 'copy', from: '', path: '/-' }));
    assert.match(fault([1], doubling), /^Operation 15 copies/);
    const limits = resolveLimits({ jsonPatchCopiedValuesMax: 3 });
    applyPatch([[1, 2]], [{ op: 'copy', from: '/0', path: '/1' }], limits);
    assert.match(fault([[1, 2, 3]], [{ op: 'copy', from: '/0', path: '/1' }], limits), /limit of 3 values/);
  });

  test('takes and makes no document that is nested deeper than jsonNestingMax', () => {
    const limits = resolveLimits({ jsonNestingMax: 8 });
    assert.match(fault(nested(9), [], limits), /document is nested deeper than 8/);
    assert.deepEqual(applyPatch(nested(8), [], limits), nested(8));
    assert.deepEqual(applyPatch([], [{ op: 'add', path: '/0', value: nested(7) }], limits), nested(8));
    assert.match(fault([], [{ op: 'add', path: '/0', value: nested(8) }], limits), /result is nested/);
    assert.match(fault([], [{ op: 'replace', path: '', value: nested(100_000) }]), /result is nested/);
    const wrapping = Array.from({ length: 9 }, () => ({ op: 'copy', from: '', path: '/0' }));
    assert.match(fault([], wrapping, limits), /nested/);
  });

  test('of any JSON is applied or refused, and never changes the document', () => {
    const pointer = fc.array(fc.constantFrom('a', 'b', '0', '1', '-', '__proto__'), { maxLength: 3 });
    const path = pointer.map((tokens) => tokens.map((token) => `/${token}`).join(''));
    const operation = fc.record(
      {
        op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test'),
        path,
        from: path,
        value: fc.jsonValue({ maxDepth: 2 }),
      },
      { requiredKeys: ['op', 'path'] },
    );
    const document = fc.oneof(
      fc.constantFrom({ a: { b: [0] }, b: [[1], 2] }, [[0], { a: 1 }]),
      fc.jsonValue({ maxDepth: 3 }),
    );
    fc.assert(
      fc.property(document, fc.oneof(fc.array(operation), fc.jsonValue()), (value, patch) => {
        const before = JSON.stringify([value, patch]);
        try {
          JSON.stringify(applyPatch(value, patch, LIMITS));
        } catch (error) {
          assert.ok(error instanceof TidegateError);
        }
        assert.equal(JSON.stringify([value, patch]), before);
      }),
      { numRuns: 1000 },
    );
  });
});
