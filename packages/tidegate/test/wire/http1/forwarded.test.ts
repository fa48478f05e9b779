import assert from 'node:assert/strict';
import test from 'node:test';
import { TidegateError } from '../../../src/kernel/index.ts';
import { parseForwarded } from '../../../src/wire/http1/index.ts';

const nothing = { for: null, host: null, proto: null };

test('Forwarded has an element for each proxy, and pairs in each (RFC 7239, section 4)', () => {
  assert.deepEqual(parseForwarded('for=192.0.2.60;proto=http;by=203.0.113.43'), [
    { for: '192.0.2.60', host: null, proto: 'http' },
  ]);
  assert.deepEqual(
    parseForwarded('For="[2001:db8:cafe::17]:4711" , FOR=192.0.2.43;host="a.example:8080"; Proto=https'),
    [
      { ...nothing, for: '[2001:db8:cafe::17]:4711' },
      { for: '192.0.2.43', host: 'a.example:8080', proto: 'https' },
    ],
  );
});

test('empty elements and pairs say nothing (RFC 9110, section 5.6.1)', () => {
  assert.deepEqual(parseForwarded(', for=a,;,for=b;;proto=http;,'), [
    { ...nothing, for: 'a' },
    { for: 'b', host: null, proto: 'http' },
  ]);
  assert.deepEqual(parseForwarded(''), []);
});

test('a quoted value may hold what separates others, and escapes', () => {
  assert.deepEqual(parseForwarded('for="a,b;c";host="x\\"y\\\\"'), [
    { for: 'a,b;c', host: 'x"y\\', proto: null },
  ]);
  assert.deepEqual(parseForwarded('for=""'), [{ ...nothing, for: '' }]);
});

test('a value that should have quotes is taken where it can be read in one way only', () => {
  assert.deepEqual(parseForwarded('for=192.0.2.1:80;host=[::1]:8080'), [
    { for: '192.0.2.1:80', host: '[::1]:8080', proto: null },
  ]);
});

test('what can be read in no way, or in several, is refused', () => {
  for (const value of [
    'for="192.0.2.1',
    'for=192.0.2.1"',
    'for',
    'for=',
    '=a',
    'for = a',
    'for=a b',
    'for=a;for=b',
    'for=a;FOR=b',
    'for=a\\b',
    'for="a"b',
    '192.0.2.1',
  ])
    assert.throws(
      () => parseForwarded(value),
      (error) => error instanceof TidegateError && error.code === 'proxy_fields_invalid',
      value,
    );
});

test('a long value of an attacker takes time in proportion to its length', () => {
  assert.throws(() => parseForwarded(`for="${'\\"'.repeat(30_000)}`));
  assert.equal(parseForwarded('for=a,'.repeat(10_000)).length, 10_000);
});
