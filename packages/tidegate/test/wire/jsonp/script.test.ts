import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import {
  callBegin,
  ENVELOPE_END,
  envelopeBegin,
  envelopePart,
  isCallback,
  scriptJson,
} from '../../../src/wire/jsonp/index.ts';

test('a callback is a function by its name, or as a member, and nothing that could be run', () => {
  for (const name of ['a', '_a1', '$', 'a.b.c', 'a[0]', 'a[12].b', 'jQuery3_1', 'x'.repeat(128)])
    assert.ok(isCallback(name), name);
  for (const name of [
    '',
    '1a',
    'a.',
    '.a',
    'a..b',
    'a[]',
    'a[b]',
    'a["b"]',
    'a()',
    'a b',
    'a;b',
    'a\n',
    'é',
    'a-b',
    'x'.repeat(129),
  ])
    assert.ok(!isCallback(name), name);
});

test('any body comes out of an envelope as it went in, in whatever parts', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' })), (parts) => {
      const headers = { 'X-A': '"</script>\u2028' };
      const begin = callBegin('cb') + envelopeBegin({ code: 404, reason: 'é"', headers });
      const script = `${begin}${parts.map(envelopePart).join('')}${ENVELOPE_END});`;
      const calls: string[] = [];
      runInNewContext(script, { cb: (value: unknown) => calls.push(JSON.stringify(value)) });
      assert.deepEqual(JSON.parse(calls[0]), { code: 404, reason: 'é"', headers, body: parts.join('') });
      assert.doesNotMatch(script, /[\u2028\u2029]/);
    }),
  );
});

test('a JSON text means the same in a script', () => {
  assert.equal(scriptJson('{"a":"\u2028"}'), '{"a":"\\u2028"}');
});
