import assert from 'node:assert/strict';
import { Buffer, isUtf8 } from 'node:buffer';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Utf8Validator } from '../../../src/wire/websocket/utf8-validator.ts';

/** Whether some bytes more could make it valid: tried with every continuation that a cut character can have. */
function canBecomeValid(bytes: Uint8Array): boolean {
  const endings = [
    [],
    [0x80],
    [0xa0],
    [0x90],
    [0x80, 0x80],
    [0xa0, 0x80],
    [0x90, 0x80],
    [0x80, 0x80, 0x80],
    [0x90, 0x80, 0x80],
  ];
  return endings.some((ending) => isUtf8(Buffer.concat([bytes, Buffer.from(ending)])));
}

const fragments = fc.array(
  fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 60 }).map((text) => Buffer.from(text)),
    fc
      .constantFrom(
        'c0',
        'c1',
        'e0',
        'e080',
        'eda0',
        'ed9f',
        'f08f',
        'f48f',
        'f490',
        'f5',
        'ff',
        '80',
        'bf',
        'e2',
        'f09f',
      )
      .map((hex) => Buffer.from(hex, 'hex')),
  ),
  { maxLength: 6 },
);

describe('The UTF-8 validator', () => {
  it('agrees with the platform on whole texts, and fails at the first byte that cannot be', () => {
    fc.assert(
      fc.property(fragments, fc.nat(300), (parts, cut) => {
        const text = Buffer.concat(parts);
        const at = Math.min(cut, text.length);
        const validator = new Utf8Validator();
        assert.equal(validator.accept(text, 0, at), canBecomeValid(text.subarray(0, at)));
        if (!canBecomeValid(text.subarray(0, at))) return;
        const accepted = validator.accept(text, at, text.length);
        assert.equal(accepted, canBecomeValid(text));
        assert.equal(accepted && validator.complete, isUtf8(text));
      }),
      { numRuns: 3000 },
    );
  });
});
