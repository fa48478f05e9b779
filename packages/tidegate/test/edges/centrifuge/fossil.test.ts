import assert from 'node:assert/strict';
import { Buffer, isUtf8 } from 'node:buffer';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type DeltaUnit, writeDelta } from '../../../src/edges/centrifuge/fossil.ts';
import { ByteWriter } from '../../../src/kernel/index.ts';

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~';

function delta(source: Buffer, target: Buffer, unit: DeltaUnit = 'bytes'): Buffer {
  const out = new ByteWriter(16);
  writeDelta(source, target, unit, out);
  return out.take();
}

/** Applies a delta as the format says, and notes what was inserted. */
function apply(
  source: Buffer,
  bytes: Buffer,
): { readonly target: Buffer; readonly inserts: readonly Buffer[] } {
  let at = 0;
  const number = (): number => {
    let value = 0;
    for (let digit = DIGITS.indexOf(String.fromCharCode(bytes[at])); digit >= 0 && at < bytes.length; ) {
      value = value * 64 + digit;
      digit = DIGITS.indexOf(String.fromCharCode(bytes[++at]));
    }
    return value;
  };
  const length = number();
  assert.equal(String.fromCharCode(bytes[at++]), '\n');
  const parts: Buffer[] = [];
  const inserts: Buffer[] = [];
  for (;;) {
    const count = number();
    const kind = String.fromCharCode(bytes[at++]);
    if (kind === ';') {
      const target = Buffer.concat(parts);
      assert.equal(target.length, length);
      assert.equal(count, checksum(target));
      assert.equal(at, bytes.length);
      return { target, inserts };
    }
    if (kind === '@') {
      const from = number();
      assert.equal(String.fromCharCode(bytes[at++]), ',');
      parts.push(source.subarray(from, from + count));
    } else {
      assert.equal(kind, ':');
      parts.push(bytes.subarray(at, at + count));
      inserts.push(bytes.subarray(at, at + count));
      at += count;
    }
  }
}

function checksum(bytes: Buffer): number {
  const filled = Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
  let sum = 0;
  for (let i = 0; i < filled.length; i += 4) sum = (sum + filled.readUInt32BE(i)) % 2 ** 32;
  return sum;
}

describe("Deltas in Fossil's format", () => {
  it('are short where little has changed', () => {
    const source = Buffer.from(JSON.stringify({ list: Array.from({ length: 50 }, (_, i) => i), at: 1 }));
    const target = Buffer.from(JSON.stringify({ list: Array.from({ length: 50 }, (_, i) => i), at: 2 }));
    const made = delta(source, target);
    assert.deepEqual(apply(source, made).target, target);
    assert.ok(made.length < 40, String(made));
  });

  it('give the target back, whatever the source', () => {
    const bytes = fc.uint8Array({ maxLength: 200 });
    fc.assert(
      fc.property(bytes, fc.array(fc.oneof(bytes, fc.constant(null)), { maxLength: 5 }), (source, parts) => {
        // A target that has much of the source, in any order.
        const from = Buffer.from(source);
        const target = Buffer.concat(parts.map((part) => (part === null ? from : Buffer.from(part))));
        assert.deepEqual(apply(from, delta(from, target)).target, target);
      }),
    );
  });

  it('insert only whole characters where they have to be text', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'é', 'è', '€', '₭', '😀', '😁'), maxLength: 60 });
    fc.assert(
      fc.property(text, text, text, (shared, one, other) => {
        const source = Buffer.from(`${one}${shared}${other}`);
        const target = Buffer.from(`${other}${shared}${one}`);
        const made = delta(source, target, 'characters');
        assert.ok(isUtf8(made));
        const { target: applied, inserts } = apply(source, made);
        assert.deepEqual(applied, target);
        for (const insert of inserts) assert.ok(isUtf8(insert));
      }),
    );
  });
});
