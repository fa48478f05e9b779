import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeHeaders, encodeHeaders, findHeader, type Header } from '../../src/log/index.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const lists = fc.array(fc.tuple(text, text) as fc.Arbitrary<Header>, { minLength: 1, maxLength: 20 });

test('headers come back as they were given, wherever in a buffer they lie', () => {
  fc.assert(
    fc.property(lists, fc.nat(30), (list, before) => {
      const encoded = encodeHeaders(list)!;
      const bytes = new Uint8Array(before + encoded.length + 7).fill(0xff);
      bytes.set(encoded, before);
      assert.deepEqual(decodeHeaders(bytes, before, before + encoded.length), list);
    }),
  );
});

test('the first header of a name is found, and none where there is none', () => {
  fc.assert(
    fc.property(lists, text, (list, other) => {
      const bytes = encodeHeaders(list)!;
      for (const name of [...list.map(([known]) => known), other]) {
        assert.equal(findHeader(bytes, 0, bytes.length, name), list.find(([known]) => known === name)?.[1]);
      }
    }),
  );
});

test('a name is not taken for a longer or a shorter one', () => {
  const bytes = encodeHeaders([
    ['ce_type', '1'],
    ['ce_t', '2'],
  ])!;
  assert.equal(findHeader(bytes, 0, bytes.length, 'ce_t'), '2');
  assert.equal(findHeader(bytes, 0, bytes.length, 'ce_types'), undefined);
  assert.equal(findHeader(bytes, 0, 0, 'ce_type'), undefined);
});

test('no headers are no bytes', () => {
  assert.equal(encodeHeaders([]), null);
});

test('a name of more than 65,535 bytes is refused', () => {
  assert.throws(() => encodeHeaders([['n'.repeat(65_536), 'v']]), RangeError);
});
