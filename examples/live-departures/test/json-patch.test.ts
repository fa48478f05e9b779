import assert from 'node:assert/strict';
import { test } from 'node:test';

/** The page's scripts have no types: they run as they are. */
const { applyPatch } = await import(new URL('../page/json-patch.js', import.meta.url).href);

const CASES: readonly (readonly [what: string, before: unknown, patch: readonly object[], after: unknown])[] =
  [
    ['adds a member', { a: 1 }, [{ op: 'add', path: '/b', value: 2 }], { a: 1, b: 2 }],
    ['adds an element before another', [1, 3], [{ op: 'add', path: '/1', value: 2 }], [1, 2, 3]],
    ['adds an element at the end', [1], [{ op: 'add', path: '/-', value: 2 }], [1, 2]],
    ['removes a member', { a: 1, b: 2 }, [{ op: 'remove', path: '/a' }], { b: 2 }],
    ['removes an element', [1, 2, 3], [{ op: 'remove', path: '/1' }], [1, 3]],
    [
      'replaces what is nested',
      { a: [{ b: 1 }] },
      [{ op: 'replace', path: '/a/0/b', value: 2 }],
      { a: [{ b: 2 }] },
    ],
    ['replaces everything', { a: 1 }, [{ op: 'replace', path: '', value: [] }], []],
    ['moves', { a: 1 }, [{ op: 'move', from: '/a', path: '/b' }], { b: 1 }],
    [
      'copies',
      { a: [1] },
      [
        { op: 'copy', from: '/a', path: '/b' },
        { op: 'add', path: '/b/0', value: 0 },
      ],
      { a: [1], b: [0, 1] },
    ],
    [
      'reads ~1 as a slash and ~0 as a tilde',
      { 'a/b': 1, '~1': 2 },
      [
        { op: 'remove', path: '/a~1b' },
        { op: 'replace', path: '/~01', value: 3 },
      ],
      { '~1': 3 },
    ],
    [
      'takes operations in order',
      [1],
      [
        { op: 'remove', path: '/0' },
        { op: 'add', path: '/0', value: 2 },
      ],
      [2],
    ],
  ];

for (const [what, before, patch, after] of CASES) {
  test(`a patch ${what}, and leaves the value that it is applied to`, () => {
    const untouched = structuredClone(before);
    assert.deepEqual(applyPatch(before, patch), after);
    assert.deepEqual(before, untouched);
  });
}
