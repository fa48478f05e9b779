import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { memberSource } from '../../src/cli/json-member.ts';

test('the source of a member is found, whatever surrounds it', () => {
  assert.equal(memberSource('{"a":1,"data":{"n": 1.0 },"z":2}', 'data'), '{"n": 1.0 }');
  assert.equal(memberSource('{"data":"a \\" } , b"}', 'data'), '"a \\" } , b"');
  assert.equal(memberSource('{"inner":{"data":1},"data":[ ]}', 'data'), '[ ]');
  assert.equal(memberSource(' { "d\\u0061ta" : 12345678901234567890 } ', 'data'), '12345678901234567890');
});

test('a member that is not there is undefined', () => {
  assert.equal(memberSource('{}', 'data'), undefined);
  assert.equal(memberSource('{"a":{"data":1}}', 'data'), undefined);
  assert.equal(memberSource('{"a":"data"}', 'data'), undefined);
});

test('the source of any member parses to its value', () => {
  const name = fc.string({ minLength: 1 }).filter((text) => text !== '__proto__');
  fc.assert(
    fc.property(fc.dictionary(name, fc.jsonValue()), fc.nat(4), (object, indent) => {
      const text = JSON.stringify(object, null, indent);
      for (const [key, value] of Object.entries(JSON.parse(text))) {
        assert.deepEqual(JSON.parse(memberSource(text, key) ?? ''), value);
      }
    }),
  );
});
