import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BatchBuilder } from '../../src/log/batch-builder.ts';
import { StoredBatch, stampBatch, verifyBatch } from '../../src/log/stored-batch.ts';

interface Given {
  readonly key: string | null;
  readonly headers: Uint8Array | null;
  readonly data: Uint8Array | null;
  readonly flags: number;
  readonly gap: number;
  readonly laterMs: number;
}

const given: fc.Arbitrary<Given> = fc.record({
  key: fc.option(fc.oneof(fc.constantFrom('a', 'b', ''), fc.string({ unit: 'grapheme', maxLength: 20 }))),
  headers: fc.option(fc.uint8Array({ minLength: 1, maxLength: 60 })),
  data: fc.option(fc.uint8Array({ maxLength: 300 })),
  flags: fc.integer({ min: 0, max: 255 }),
  gap: fc.integer({ min: 0, max: 1000 }),
  laterMs: fc.integer({ min: 0, max: 100_000 }),
});

const BASE = 2 ** 40 + 5;
const TIME = 1_790_000_000_000;

function build(records: readonly Given[]): Buffer {
  const builder = new BatchBuilder(1 << 20);
  let offset = 0;
  let timeMs = TIME;
  for (const { key, headers, data, flags, gap, laterMs } of records) {
    offset += gap;
    timeMs += laterMs;
    assert.ok(builder.add(offset, timeMs, flags, key, headers, data));
    offset++;
  }
  const { length } = builder;
  const bytes = builder.seal(7, 3);
  assert.equal(bytes.length, length);
  stampBatch(bytes, BASE, BASE + offset + 2);
  return bytes;
}

test('a batch gives back every field of every record, by index', () => {
  fc.assert(
    fc.property(fc.array(given, { minLength: 1, maxLength: 60 }), (records) => {
      const batch = verifyBatch(build(records), 7, 3, BASE);
      assert.ok(batch !== null);
      assert.equal(batch.count, records.length);
      assert.equal(batch.partition, 3);
      assert.equal(batch.keyCount, new Set(records.map(({ key }) => key).filter((key) => key !== null)).size);
      let offset = BASE;
      let timeMs = TIME;
      for (const [i, record] of records.entries()) {
        offset += record.gap;
        timeMs += record.laterMs;
        assert.equal(batch.offset(i), offset);
        assert.equal(batch.timestampMs(i), timeMs);
        assert.equal(batch.flags(i), record.flags);
        assert.equal(batch.keyIndex(i) === -1 ? null : batch.keyAt(batch.keyIndex(i)), record.key);
        const headers = batch.bytes.subarray(batch.headersStart(i), batch.headersEnd(i));
        assert.deepEqual([...headers], [...(record.headers ?? [])]);
        const data = batch.bytes.subarray(batch.dataStart(i), batch.dataEnd(i));
        assert.deepEqual([...data], [...(record.data ?? [])]);
        assert.equal(batch.lowerBound(offset), i);
        assert.equal(batch.lowerBound(offset - record.gap), i);
        if (record.key !== null) assert.equal(batch.keyAt(batch.indexOfKey(record.key)), record.key);
        offset++;
      }
      assert.equal(batch.lowerBound(offset), records.length);
      assert.equal(batch.indexOfKey('a key that no record has'), -1);
      assert.equal(batch.baseOffset, BASE);
      assert.equal(batch.endOffset, offset + 2);
    }),
  );
});

test('any flipped bit, and any other length, is noticed', () => {
  fc.assert(
    fc.property(fc.array(given, { minLength: 1, maxLength: 10 }), fc.nat(), fc.nat(7), (records, at, bit) => {
      const bytes = build(records);
      const flipped = Buffer.from(bytes);
      flipped[at % bytes.length] ^= 1 << bit;
      assert.equal(verifyBatch(flipped, 7, 3, BASE), null);
      assert.equal(verifyBatch(bytes.subarray(0, at % bytes.length), 7, 3, BASE), null);
      assert.equal(verifyBatch(Buffer.concat([bytes, Buffer.alloc(1)]), 7, 3, BASE), null);
    }),
  );
});

test('a whole batch in a place that is not its own is noticed', () => {
  const bytes = build([{ key: 'k', headers: null, data: Buffer.from('d'), flags: 0, gap: 0, laterMs: 0 }]);
  assert.ok(verifyBatch(bytes, 7, 3, BASE) instanceof StoredBatch);
  assert.equal(verifyBatch(bytes, 8, 3, BASE), null);
  assert.equal(verifyBatch(bytes, 7, 4, BASE), null);
  assert.equal(verifyBatch(bytes, 7, 3, BASE + 1), null);
});

test('a builder takes no more than its bound, but any single record, and starts anew after each batch', () => {
  const builder = new BatchBuilder(4096);
  const data = new Uint8Array(1000);
  let fits = 0;
  while (builder.add(fits, TIME, 0, `key-${fits}`, null, data)) fits++;
  assert.equal(fits, 3);
  const full = builder.seal(1, 0);
  assert.ok(full.length <= 4096);
  assert.ok(builder.add(0, TIME, 0, 'key-0', null, new Uint8Array(100_000)));
  assert.equal(builder.add(1, TIME, 0, null, null, null), false);
  const large = builder.seal(1, 0);
  assert.ok(large.length > 100_000);
  stampBatch(full, 0, 3);
  stampBatch(large, 3, 4);
  assert.equal(verifyBatch(full, 1, 0, 0)?.keyAt(2), 'key-2');
  assert.equal(verifyBatch(large, 1, 0, 3)?.keyCount, 1);
});

test('records further apart in time than their entries can say go to different batches', () => {
  const builder = new BatchBuilder(4096);
  assert.ok(builder.add(0, TIME, 0, null, null, null));
  assert.equal(builder.add(1, TIME + 2 ** 32, 0, null, null, null), false);
  assert.ok(builder.add(1, TIME + 2 ** 32 - 1, 0, null, null, null));
});
