import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteWriter } from '../../src/kernel/index.ts';

test('whatever is written comes out in order, through any growth', () => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 50 }).map((text) => ({ text })),
    fc.uint8Array({ maxLength: 200 }).map((bytes) => ({ bytes })),
    fc.nat(255).map((byte) => ({ byte })),
  );
  fc.assert(
    fc.property(fc.array(piece), fc.integer({ min: 1, max: 64 }), (pieces, initialBytes) => {
      const writer = new ByteWriter(initialBytes);
      const expected: Buffer[] = [];
      for (const written of pieces) {
        if ('text' in written) {
          writer.utf8(written.text);
          expected.push(Buffer.from(written.text));
        } else if ('bytes' in written) {
          writer.bytes(written.bytes);
          expected.push(Buffer.from(written.bytes));
        } else {
          writer.byte(written.byte);
          expected.push(Buffer.from([written.byte]));
        }
      }
      assert.deepEqual(Buffer.from(writer.take()), Buffer.concat(expected));
      assert.equal(writer.length, 0);
    }),
  );
});

test('what was taken is never written again', () => {
  const writer = new ByteWriter(8);
  writer.ascii('abcdef');
  const taken = writer.take();
  writer.ascii('ghijkl');
  assert.equal(taken.toString(), 'abcdef');
  assert.equal(writer.take().toString(), 'ghijkl');
});

test('what was written can be forgotten, and with it a buffer that grew beyond what is kept', () => {
  const writer = new ByteWriter(8, 16);
  for (const [text, kept] of [
    ['abc', true],
    ['abcdefghijkl', true],
    ['abcdefghijklmnopqrstuvwxyz', false],
  ] as const) {
    writer.ascii(text);
    const { buffer } = writer.peek();
    writer.clear();
    assert.equal(writer.length, 0);
    assert.equal(writer.peek().buffer === buffer, kept, text);
  }
});

test('a part of a source can be written, and what was written can be taken back', () => {
  const writer = new ByteWriter();
  writer.bytes(Buffer.from('0123456789'), 2, 5);
  assert.equal(writer.peek().toString(), '234');
  writer.ascii('xyz');
  writer.truncate(3);
  assert.equal(writer.take().toString(), '234');
});
