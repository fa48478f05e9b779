import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  decodeCursor,
  encodeCursor,
  looksLikeCursor,
  partitionCursor,
  singlePosition,
} from '../../src/channels/cursor.ts';
import { resolveLimits, TidegateError } from '../../src/kernel/index.ts';

const limits = resolveLimits();

const part = fc.record(
  {
    topic: fc.stringMatching(/^[A-Za-z0-9._-]{1,40}$/),
    epoch: fc.stringMatching(/^[A-Za-z0-9]{12}$/),
    offsets: fc
      .array(fc.tuple(fc.nat(1023), fc.maxSafeNat()), { minLength: 1, maxLength: 8 })
      .map((entries) => new Map(entries)),
  },
  { noNullPrototype: true },
);

test('a cursor that was written is read back as it was', () => {
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), (parts) => {
      const cursor = encodeCursor(parts);
      assert.ok(looksLikeCursor(cursor));
      assert.deepEqual(decodeCursor(cursor, limits), parts);
    }),
  );
});

test('a cursor needs no escaping in a URL, in an SSE id, or in a header', () => {
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), (parts) => {
      const cursor = encodeCursor(parts);
      assert.equal(encodeURIComponent(cursor), cursor);
    }),
  );
});

test('any other text is refused with position_invalid and never crashes', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), (text) => {
      if (looksLikeCursor(text)) return;
      assert.throws(
        () => decodeCursor(text, limits),
        (error) => error instanceof TidegateError && error.code === 'position_invalid',
      );
    }),
  );
});

test('a damaged cursor is refused or read as another cursor, but never crashes', () => {
  const cursor = partitionCursor('orders', 'Q3kZ8fTn1xYb', 3, 4711);
  fc.assert(
    fc.property(fc.nat(cursor.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, character) => {
      const damaged = cursor.slice(0, at) + character + cursor.slice(at + 1);
      try {
        assert.equal(decodeCursor(damaged, limits).length, 1);
      } catch (error) {
        assert.equal(error instanceof TidegateError && error.code, 'position_invalid');
      }
    }),
  );
});

test('limits.cursorBytesMax bounds what is read', () => {
  const cursor = partitionCursor('a'.repeat(300), 'Q3kZ8fTn1xYb', 0, 1);
  assert.equal(decodeCursor(cursor, limits).length, 1);
  assert.throws(() => decodeCursor(cursor, resolveLimits({ cursorBytesMax: 256 })), {
    code: 'position_invalid',
  });
});

test('an offset that is no exact integer is refused', () => {
  assert.throws(() => decodeCursor('orders~Q3kZ8fTn1xYb~0~9999999999999999', limits), {
    code: 'position_invalid',
  });
});

test('the position of a cursor is known if it names one partition', () => {
  assert.deepEqual(singlePosition(partitionCursor('orders', 'abc', 3, 17)), { epoch: 'abc', offset: 17 });
  for (const cursor of ['', 'orders~abc~0~1~1~2', 'orders~abc~0~1~~other~def~0~1', 'orders']) {
    assert.equal(singlePosition(cursor), null, cursor);
  }
});
