import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashKeyOf } from '../../../src/gateway/upstreams/hash-key.ts';

const request = (headers: Readonly<Record<string, string>> = {}) => ({
  remoteAddress: '192.0.2.1',
  path: '/a/b',
  header: (name: string) => headers[name],
});

test('a hash goes by what the upstream says', () => {
  const headers = { 'x-tenant': 'acme', cookie: 'session=first; Session=other; sess=x;session=second' };
  assert.equal(hashKeyOf({ kind: 'address' }, request(headers)), '192.0.2.1');
  assert.equal(hashKeyOf({ kind: 'path' }, request(headers)), '/a/b');
  assert.equal(hashKeyOf({ kind: 'header', name: 'x-tenant' }, request(headers)), 'acme');
  assert.equal(hashKeyOf({ kind: 'cookie', name: 'session' }, request(headers)), 'first');
});

test('a request without the header or the cookie goes by its address', () => {
  assert.equal(hashKeyOf({ kind: 'header', name: 'x-tenant' }, request()), '192.0.2.1');
  assert.equal(hashKeyOf({ kind: 'cookie', name: 'a' }, request()), '192.0.2.1');
  assert.equal(hashKeyOf({ kind: 'cookie', name: 'a' }, request({ cookie: 'ab=1; b; =c' })), '192.0.2.1');
});
