import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { formatPointer, parsePointer, valueAt } from '../../../src/wire/json-patch/index.ts';

describe('A JSON pointer', () => {
  test('refers to what RFC 6901, section 5, says', () => {
    const document = {
      foo: ['bar', 'baz'],
      '': 0,
      'a/b': 1,
      'c%d': 2,
      'e^f': 3,
      'g|h': 4,
      'i\\j': 5,
      'k"l': 6,
      ' ': 7,
      'm~n': 8,
    };
    assert.equal(valueAt(document, ''), document);
    assert.equal(valueAt(document, '/foo'), document.foo);
    const values = ['/foo/0', '/', '/a~1b', '/c%d', '/e^f', '/g|h', '/i\\j', '/k"l', '/ ', '/m~0n'].map(
      (pointer) => valueAt(document, pointer),
    );
    assert.deepEqual(values, ['bar', 0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test('refers to nothing beyond an array, in a string, or in a prototype', () => {
    const document = { list: [1], text: 'abc' };
    for (const pointer of [
      '/list/1',
      '/list/-',
      '/list/00',
      '/list/length',
      '/text/0',
      '/text/length',
      '/toString',
      '/__proto__',
      'list',
      '/~',
    ]) {
      assert.equal(valueAt(document, pointer), undefined, pointer);
    }
  });

  test('is refused without a slash at its beginning and with a stray tilde', () => {
    for (const text of ['a', 'a/b', '#/a', '/~', '/~2', '/a~/b'])
      assert.equal(parsePointer(text), null, text);
    assert.deepEqual(parsePointer('/~01/~10'), ['~1', '/0']);
  });

  test('is what its tokens were made from, whatever they are', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), fc.constantFrom('~', '/', '~1', '~01', ''))), (tokens) => {
        assert.deepEqual(parsePointer(formatPointer(tokens)), tokens);
      }),
    );
  });
});
