import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAlternativeNames } from '../../src/listeners/alternative-names.ts';

test('alternative names are read with their kinds', () => {
  assert.deepEqual(
    parseAlternativeNames('DNS:a.example, DNS:*.b.example, IP Address:127.0.0.1, URI:spiffe://c/d'),
    [
      { kind: 'DNS', value: 'a.example' },
      { kind: 'DNS', value: '*.b.example' },
      { kind: 'IP Address', value: '127.0.0.1' },
      { kind: 'URI', value: 'spiffe://c/d' },
    ],
  );
  assert.deepEqual(parseAlternativeNames(undefined), []);
  assert.deepEqual(parseAlternativeNames(''), []);
});

test('a name that holds what separates names is one name and not two (CVE-2021-44532)', () => {
  assert.deepEqual(
    parseAlternativeNames('URI:"http://a.example/\\u002c DNS:victim.example", DNS:b.example'),
    [
      { kind: 'URI', value: 'http://a.example/, DNS:victim.example' },
      { kind: 'DNS', value: 'b.example' },
    ],
  );
});

test('of a list that cannot be read to its end nothing is believed', () => {
  for (const text of [
    'DNS:a.example, nothing',
    'DNS:"a.example',
    'DNS:"a" b',
    'DNS:"\\x"',
    ':a',
    'DNS:a"b',
  ]) {
    assert.deepEqual(parseAlternativeNames(text), [], text);
  }
});
