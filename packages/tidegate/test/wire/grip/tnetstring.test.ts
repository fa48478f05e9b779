import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Limits, resolveLimits } from '../../../src/kernel/index.ts';
import {
  decodeControlFrame,
  decodeTnetstring,
  encodeTnetstring,
  type TnetInput,
  type TnetValue,
} from '../../../src/wire/grip/index.ts';
import { faultOf, resultOf } from './faults.ts';

const LIMITS = resolveLimits();

const decode = (text: string, limits: Limits = LIMITS): TnetValue =>
  decodeTnetstring(Buffer.from(text, 'latin1'), limits);
const fault = (text: string, limits: Limits = LIMITS): string =>
  faultOf('grip_item_invalid', () => decode(text, limits));

describe('A tnetstring', () => {
  const examples: [text: string, value: TnetInput][] = [
    ['0:,', ''],
    ['5:hello,', 'hello'],
    ['2:\xc3\xbc,', 'ü'],
    ['5:12345#', 12345],
    ['2:-1#', -1],
    ['1:0#', 0],
    ['3:1.5^', 1.5],
    ['5:-1e-7^', -1e-7],
    ['4:true!', true],
    ['5:false!', false],
    ['0:~', null],
    ['0:]', []],
    ['0:}', {}],
    ['16:5:hello,5:12345#]', ['hello', 12345]],
  ];
  for (const [text, value] of examples) {
    test(`is read and written as ${text}`, () => {
      assert.equal(encodeTnetstring(value).toString('latin1'), text);
      assert.deepEqual(encodeTnetstring(decode(text)).toString('latin1'), text);
    });
  }

  test('has objects without a prototype', () => {
    const value = decode('23:9:__proto__,1:x,1:a,0:~}') as Record<string, TnetValue>;
    assert.equal(Object.getPrototypeOf(value), null);
    assert.deepEqual(Object.keys(value), ['__proto__', 'a']);
  });

  test('leaves out members that are undefined', () => {
    assert.equal(encodeTnetstring({ a: undefined, b: null }).toString(), '7:1:b,0:~}');
  });

  test('has numbers with a fraction or an exponent', () => {
    assert.equal(decode('5:1e300^'), 1e300);
    assert.equal(decode('3:2.0^'), 2);
    faultOf('internal', () => encodeTnetstring(Number.NaN));
    faultOf('internal', () => encodeTnetstring([Number.POSITIVE_INFINITY]));
  });

  const faults: [text: string, detail: RegExp][] = [
    ['', /has no length, at byte 0/],
    [':', /has no length/],
    ['5', /has no length/],
    ['5hello,', /has no length/],
    ['-1:,', /has no length/],
    [' 0:,', /has no length/],
    ['05:hello,', /leading 0/],
    ['00:,', /leading 0/],
    ['99999999999:a,', /many digits/],
    ['5:hello', /longer than what holds it/],
    ['6:hello,', /longer than what holds it/],
    ['9999999999:hello,', /longer than what holds it/],
    ['5:hello,x', /goes on after its end, at byte 8/],
    ['5:hello;', /unknown type, at byte 7/],
    ['1:x#', /does not fit its type #/],
    ['0:#', /does not fit/],
    ['2:+1#', /does not fit/],
    ['2:01#', /does not fit/],
    ['3:1.5#', /does not fit/],
    ['17:90071992547409920#', /does not fit/],
    ['3:NaN^', /does not fit its type \^/],
    ['8:Infinity^', /does not fit/],
    ['5:1e999^', /does not fit/],
    ['2:.5^', /does not fit/],
    ['4:TRUE!', /does not fit its type !/],
    ['1:x~', /does not fit its type ~/],
    ['3:5:a]', /longer than what holds it, at byte 2/],
    ['4:1:a,}', /name without a value/],
    ['8:1:1#1:b,}', /name that is no text, at byte 2/],
    ['8:1:\xff,1:b,}', /name that is no text/],
    ['16:1:a,1:b,1:a,1:c,}', /name twice, at byte 11/],
  ];
  for (const [text, detail] of faults) {
    test(`is refused as ${JSON.stringify(text)}`, () => assert.match(fault(text), detail));
  }

  const nested = (levels: number): string => {
    let value: TnetInput = [];
    for (let i = 1; i < levels; i++) value = [value];
    return encodeTnetstring(value).toString('latin1');
  };

  test('is nested at most gripFrameNestingMax deep', () => {
    decode(nested(32));
    assert.match(fault(nested(33)), /nested too deeply/);
    assert.match(fault(nested(1000)), /nested too deeply/);
  });

  test('has at most gripFrameBytesMax bytes', () => {
    const limits = resolveLimits({ gripFrameBytesMax: 1024 });
    const ofBytes = (length: number): string => `${length - 6}:${'x'.repeat(length - 6)},`;
    assert.equal(ofBytes(1024).length, 1024);
    decode(ofBytes(1024), limits);
    assert.match(fault(ofBytes(1025), limits), /1025 bytes; the limit is 1024/);
  });

  test('is what was written, whatever it is', () => {
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.uint8Array().map((bytes) => Buffer.from(bytes)),
        fc.maxSafeInteger(),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value')),
        fc.dictionary(fc.string({ unit: 'grapheme' }), tie('value')),
      ),
    }));
    fc.assert(
      fc.property(value, (given) => {
        const bytes = encodeTnetstring(given as TnetInput);
        const decoded = decodeTnetstring(bytes, LIMITS);
        assert.deepEqual(encodeTnetstring(decoded), bytes);
        assert.deepEqual(plain(decoded), plain(given));
      }),
    );
  });

  test('is read or refused, whatever the bytes are', () => {
    const text = fc.string({ unit: fc.constantFrom('0', '1', '4', ':', ',', '#', '!', '~', ']', '}', 'a') });
    fc.assert(
      fc.property(text, (given) => void resultOf('grip_item_invalid', () => decode(given))),
      { numRuns: 3000 },
    );
    const original = encodeTnetstring({ a: [1, true, null, 'x', { b: 1.5 }], channel: 'c' });
    fc.assert(
      fc.property(fc.nat(original.length - 1), fc.nat(255), (at, byte) => {
        const mutated = Buffer.from(original);
        mutated[at] = byte;
        resultOf('grip_item_invalid', () => decodeTnetstring(mutated, LIMITS));
        resultOf('grip_item_invalid', () => decodeTnetstring(original.subarray(0, at), LIMITS));
      }),
      { numRuns: 2000 },
    );
  });

  test('may be long without taking long', () => {
    decode(encodeTnetstring(Array(300_000).fill(null)).toString('latin1'));
    const members = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [String(i), i]));
    decode(encodeTnetstring(members).toString('latin1'));
    fault('1'.repeat(1_000_000));
  });
});

/** With -0 as 0, and objects with the usual prototype. */
function plain(value: unknown): unknown {
  if (typeof value === 'number') return value + 0;
  if (value === null || typeof value !== 'object' || Buffer.isBuffer(value)) return value;
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]));
}

describe('A frame of the control sockets', () => {
  const read = (frame: string, limits: Limits = LIMITS): unknown =>
    decodeControlFrame(Buffer.from(frame, 'latin1'), limits);

  test('is a tnetstring or JSON', () => {
    assert.equal(read('T2:12#'), 12);
    assert.deepEqual(read('J{"a":"\xc3\xbc"}'), { a: 'ü' });
  });

  test('is refused as anything else', () => {
    for (const frame of ['', 'X{}', '{}', 'T', 'J', 'J{', 'J"\xff"', 'T1:x#', 't2:12#']) {
      faultOf('grip_item_invalid', () => read(frame));
    }
    const limits = resolveLimits({ gripFrameBytesMax: 1024 });
    read(`J${'1'.padStart(1023)}`, limits);
    assert.match(
      faultOf('grip_item_invalid', () => read(`J${'1'.padStart(1024)}`, limits)),
      /1025 bytes/,
    );
  });
});
