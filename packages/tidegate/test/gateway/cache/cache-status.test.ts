import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CacheFixture, FRESH, headOf, requestOf } from './cache-fixture.ts';

test('a hit says so, and for how long it is fresh (RFC 9211, sections 2.1 and 2.4)', () => {
  const fixture = new CacheFixture();
  fixture.fill(requestOf('/a'), { fields: FRESH });
  fixture.advanceSeconds(25);
  assert.equal(fixture.ask(requestOf('/a')).client.cacheStatus, 'tidegate; hit; ttl=35');
});

test('a request that goes on says why (RFC 9211, section 2.2)', () => {
  const fixture = new CacheFixture();
  const first = fixture.fetch(requestOf('/a'));
  fixture.answer(first.fetch, { fields: { ...FRESH, vary: 'x-a' } });
  assert.equal(first.client.cacheStatus, 'tidegate; fwd=uri-miss; ttl=60; stored');
  const second = fixture.fetch(requestOf('/a', { 'x-a': '1' }));
  fixture.answer(second.fetch, { fields: { ...FRESH, vary: 'x-a' } });
  assert.equal(second.client.cacheStatus, 'tidegate; fwd=vary-miss; ttl=60; stored');
  const third = fixture.fetch(requestOf('/a', { 'cache-control': 'no-cache' }));
  fixture.answer(third.fetch, { fields: { ...FRESH, vary: 'x-a' } });
  assert.equal(third.client.cacheStatus, 'tidegate; fwd=request; ttl=60; stored');
});

test('a validated response tells the status of the origin (RFC 9211, section 2.3)', () => {
  const fixture = new CacheFixture();
  fixture.fill(requestOf('/a'), { fields: { ...FRESH, etag: '"1"' } });
  fixture.advanceSeconds(60);
  const { fetch, client } = fixture.fetch(requestOf('/a'));
  fetch.head(headOf(304, {}));
  assert.equal(client.cacheStatus, 'tidegate; fwd=stale; fwd-status=304; ttl=60; stored');
});

test('one that waited for another request says so (RFC 9211, section 2.6)', () => {
  const fixture = new CacheFixture();
  const { fetch } = fixture.fetch(requestOf('/a'));
  const { client } = fixture.ask(requestOf('/a'));
  fixture.answer(fetch, { fields: FRESH });
  assert.equal(client.cacheStatus, 'tidegate; fwd=uri-miss; ttl=60; stored; collapsed');
});

test('what has nothing to do with the cache says bypass, or method (RFC 9211, section 2.2)', () => {
  const fixture = new CacheFixture();
  const status = (fields: Record<string, string>, other = {}) => {
    const { lookup } = fixture.ask(requestOf('/a', fields, other));
    return lookup.kind === 'bypass' ? lookup.cacheStatus : lookup.kind;
  };
  assert.equal(status({}, { method: 'POST' }), 'tidegate; fwd=method');
  assert.equal(status({}, { content: 'some' }), 'tidegate; fwd=bypass');
  assert.equal(status({ 'cache-control': 'no-store' }), 'tidegate; fwd=request');
  assert.equal(status({}, { method: 'HEAD' }), 'tidegate; fwd=uri-miss');
});

test('a response that is passed on says why it came, and is not called stored', () => {
  const fixture = new CacheFixture();
  const { fetch } = fixture.fetch(requestOf('/a'));
  assert.equal(fetch.head(headOf(200, { 'cache-control': 'private' })), 'pass');
  assert.equal(fetch.cacheStatus, 'tidegate; fwd=uri-miss');
});

test('what a cache before this one has said stays (RFC 9211, section 2)', () => {
  const fixture = new CacheFixture();
  fixture.fill(requestOf('/a'), { fields: { ...FRESH, 'cache-status': 'Inner; hit' } });
  assert.deepEqual(fixture.ask(requestOf('/a')).client.headers.all('cache-status'), ['Inner; hit']);
});
