import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CacheFixture, FRESH, requestOf } from './cache-fixture.ts';

test('fields that are in no key and that origins are known to heed are not forwarded', () => {
  const { fetch } = new CacheFixture().fetch(requestOf('/a', { 'x-forwarded-host': 'evil.example' }));
  for (const name of [
    'forwarded',
    'x-forwarded-host',
    'x-forwarded-proto',
    'x-forwarded-scheme',
    'x-forwarded-port',
    'x-forwarded-prefix',
    'x-host',
    'x-original-url',
    'x-rewrite-url',
  ])
    assert.ok(fetch.changes.remove.has(name), name);
  assert.equal(fetch.changes.remove.has('accept'), false);
});

test('such a field is forwarded where the route has it in the key, and then it makes responses of its own', () => {
  const fixture = new CacheFixture({ keyHeaders: ['x-forwarded-host'] });
  const evil = requestOf('/a', { 'x-forwarded-host': 'evil.example' });
  const { fetch } = fixture.fetch(evil);
  assert.equal(fetch.changes.remove.has('x-forwarded-host'), false);
  fixture.answer(fetch, { fields: FRESH, body: 'evil' });
  assert.equal(fixture.kind(requestOf('/a')), 'fetch');
});

test('the key is of the host that the request is for, whatever forwarding fields say', () => {
  const fixture = new CacheFixture();
  fixture.fill(requestOf('/a', { 'x-forwarded-host': 'b.example', forwarded: 'host=b.example' }), {
    fields: FRESH,
  });
  assert.equal(fixture.kind(requestOf('/a', {}, { host: 'b.example' })), 'fetch');
  assert.equal(fixture.kind(requestOf('/a')), 'reply');
});

test('a GET with content, which belongs to no key, has nothing to do with the cache', () => {
  const fixture = new CacheFixture();
  assert.equal(fixture.kind(requestOf('/a', {}, { content: 'some' })), 'bypass');
});

test('a GET that wants to be taken for another method has nothing to do with the cache', () => {
  const fixture = new CacheFixture();
  for (const name of ['x-http-method-override', 'x-http-method', 'x-method-override'])
    assert.equal(fixture.kind(requestOf('/a', { [name]: 'POST' })), 'bypass', name);
});

test('a client cannot have a partial response, or one to its own conditions, stored for others', () => {
  const fixture = new CacheFixture();
  assert.equal(fixture.kind(requestOf('/a', { range: 'bytes=0-0' })), 'bypass');
  const { fetch } = fixture.fetch(requestOf('/a', { 'if-none-match': '*', 'if-range': '"1"' }));
  assert.equal(
    fixture.answer(fetch, { status: 206, fields: { ...FRESH, 'content-range': 'bytes 0-0/9' } }),
    'pass',
  );
});

test('values that look like separators of the key make no other request’s key', () => {
  const fixture = new CacheFixture({ keyHeaders: ['x-a', 'x-b'] });
  fixture.fill(requestOf('/a', { 'x-a': '1;1:2', 'x-b': '3' }), { fields: FRESH, body: 'evil' });
  for (const fields of [{ 'x-a': '1', 'x-b': '2;1:3' }, { 'x-a': '1', 'x-b': '2' }, { 'x-a': '1;1:2;1:3;' }])
    assert.equal(fixture.kind(requestOf('/a', fields as Record<string, string>)), 'fetch');
});

test('a path that names another host, or a longer one, gets no response of that host', () => {
  const fixture = new CacheFixture();
  fixture.fill(requestOf('//victim.example/'), { fields: FRESH, body: 'evil' });
  fixture.fill(requestOf('/victim.example/'), { fields: FRESH, body: 'evil' });
  assert.equal(fixture.kind(requestOf('/', {}, { host: 'victim.example' })), 'fetch');
  assert.equal(fixture.kind(requestOf('.evil.example/', {}, { host: 'victim.example' })), 'fetch');
});

test('names of Object do not pass for directives or for fields', () => {
  const fixture = new CacheFixture();
  const outcome = fixture.fill(requestOf('/a'), {
    fields: {
      'cache-control': 'max-age=60, __proto__=no-store, constructor, toString',
      vary: '__proto__, constructor',
    },
  });
  assert.equal(outcome, 'store');
  assert.equal(fixture.kind(requestOf('/a')), 'reply');
});

test('an error in how a request was made is not stored for others, unless its origin says for how long', () => {
  const outcome = (status: number, fields: Record<string, string>) =>
    new CacheFixture({ ttlMs: 60_000 }).fill(requestOf('/a'), { status, fields });
  for (const status of [400, 405, 413, 414, 431, 501]) assert.equal(outcome(status, {}), 'pass', `${status}`);
  assert.equal(outcome(405, { 'last-modified': 'Thu, 01 Jan 2015 00:00:00 GMT' }), 'pass');
  assert.equal(outcome(405, { 'cache-control': 'max-age=5' }), 'store');
  assert.equal(outcome(404, {}), 'store');
});

test('fields of nothing but separators, quotes or spaces are read once from left to right', () => {
  const fixture = new CacheFixture({ keyHeaders: ['x-a'] });
  const long = 200_000;
  for (const text of [
    `${','.repeat(long)}@`,
    `a${' '.repeat(long)}b,`,
    '="'.repeat(long),
    'a="'.repeat(long),
    `a="${'\\'.repeat(long)}`,
  ]) {
    const fields = { 'cache-control': `${text}, no-store`, 'x-a': text, 'if-none-match': text, range: text };
    assert.equal(fixture.kind(requestOf('/a', fields)), 'bypass');
  }
});
