import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ElementScanner, MemberScanner } from '../../../src/edges/publish/json-members.ts';
import { assertJsonText, skipValue } from '../../../src/edges/publish/json-scan.ts';
import { TidegateError } from '../../../src/kernel/index.ts';

/** What the scanner says of a text: null if it is JSON, or else the code of the error. */
function verdict(text: string): string | null {
  const bytes = Buffer.from(text);
  // The text lies in the middle of a larger buffer that would make it valid or invalid if its borders were not heeded.
  const surrounded = Buffer.concat([Buffer.from('[1,'), bytes, Buffer.from('1]}"')]);
  try {
    assertJsonText(surrounded, 3, 3 + bytes.length);
    return null;
  } catch (error) {
    assert.ok(error instanceof TidegateError);
    return error.code;
  }
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function assertAgreement(text: string): void {
  assert.equal(verdict(text), parses(text) ? null : 'json_malformed', JSON.stringify(text));
}

describe('The JSON scanner accepts what JSON.parse accepts', () => {
  test('for JSON values', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1, '\t', '\r\n'), (value, indent) => {
        assertAgreement(JSON.stringify(value, null, indent));
      }),
      { numRuns: 300 },
    );
  });

  test('for JSON values with one character changed, inserted or removed', () => {
    const character = fc.oneof(
      fc.constantFrom(...'{}[]:,"\\ \t\n\r0123456789.eE+-truefalsn'),
      fc.string({ minLength: 1, maxLength: 1 }),
    );
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(), character, fc.nat(2), (value, at, put, how) => {
        const text = JSON.stringify(value);
        const index = at % (text.length + 1);
        const mutant =
          text.slice(0, index) + (how === 0 ? '' : put) + text.slice(index + (how === 1 ? 0 : 1));
        // Half of a surrogate pair has no UTF-8 form, so that no bytes of this text could arrive.
        if (mutant.isWellFormed()) assertAgreement(mutant);
      }),
      { numRuns: 3000 },
    );
  });

  test('for texts made of JSON tokens in any order', () => {
    const token = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ':',
      ',',
      '"a"',
      '"',
      '1',
      '-',
      '0',
      '.',
      'e',
      '+',
      'true',
      'nul',
      ' ',
      '\\u12',
      '\n',
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 12 }), (tokens) => assertAgreement(tokens.join(''))),
      { numRuns: 5000 },
    );
  });

  for (const text of [
    '',
    ' ',
    '\ufeff1',
    '01',
    '-',
    '-0',
    '1.',
    '.5',
    '1e',
    '1e+',
    '1E-05',
    '0x1',
    'NaN',
    'Infinity',
    'True',
    'nulll',
    '"\t"',
    '"\\x"',
    '"\\u00g0"',
    '"\\ud800"',
    '"\u2028"',
    '[1,]',
    '[,1]',
    '{"a":1,}',
    '{,}',
    '{"a"}',
    '{a:1}',
    "{'a':1}",
    '1 2',
    '[1]]',
    '//',
    '\u00a01',
    '1e400',
    '12345678901234567890',
    '{"a":1,"a":2}',
    '[]',
    '{}',
    ' [ ] ',
    '{ }',
    '"\u007f"',
    '"',
    '[',
    '{"a":',
    '\v1',
    '\f1',
  ]) {
    test(`for ${JSON.stringify(text)}`, () => assertAgreement(text));
  }
});

test('Nesting is bounded by the length of the text only', () => {
  const depth = 200_000;
  assert.equal(verdict('['.repeat(depth) + ']'.repeat(depth)), null);
  assert.equal(verdict(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`), null);
  assert.equal(verdict('['.repeat(depth)), 'json_malformed');
  assert.equal(verdict('[1]'), null);
});

test('An error names the byte and what was found there', () => {
  const bytes = Buffer.from('{"é": tru}');
  assert.throws(
    () => skipValue(bytes, 0, bytes.length),
    new TidegateError('json_malformed', 'Found "}" where "true" is needed, at byte 10'),
  );
  assert.throws(
    () => skipValue(bytes, 0, 3),
    new TidegateError('json_malformed', 'The text ends where the end of a string is needed, at byte 3'),
  );
});

test('Scanning elements and members finds the very bytes of every value', () => {
  const space = fc.constantFrom('', ' ', '\n\t');
  fc.assert(
    fc.property(
      fc.array(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue(), { maxKeys: 5 }), {
        maxLength: 6,
      }),
      space,
      (objects, gap) => {
        const sources = objects.map((object) =>
          Object.entries(object).map(([name, value]) => [
            JSON.stringify(name),
            JSON.stringify(value, null, 2),
          ]),
        );
        const texts = sources.map(
          (members) =>
            `{${gap}${members.map(([name, value]) => `${name}${gap}:${gap}${value}`).join(`${gap},${gap}`)}${gap}}`,
        );
        const bytes = Buffer.from(`[${gap}${texts.join(`${gap},${gap}`)}${gap}]`);
        const elements = new ElementScanner(bytes, 0, bytes.length);
        const members = new MemberScanner();
        const found: string[][][] = [];
        while (elements.next()) {
          const object: string[][] = [];
          members.open(bytes, elements.start, bytes.length);
          while (members.next()) {
            object.push([
              bytes.toString('utf8', members.nameStart - 1, members.nameEnd + 1),
              bytes.toString('utf8', members.valueStart, members.valueEnd),
            ]);
          }
          elements.leave(members.end);
          found.push(object);
        }
        assert.deepEqual(found, sources);
        assert.equal(elements.end, bytes.length);
      },
    ),
  );
});
