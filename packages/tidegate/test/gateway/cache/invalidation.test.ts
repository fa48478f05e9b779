import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CacheFixture, type Fields, FRESH, headOf, requestOf } from './cache-fixture.ts';

function stored(fixture: CacheFixture, targets: readonly string[]): readonly string[] {
  return targets.filter((target) => fixture.kind(requestOf(target)) === 'reply');
}

/** What is left of `/a`, `/b` and `/c` after an answer to a request for `/a`. */
function left(method: string, status: number, fields: Fields = {}): readonly string[] {
  const fixture = new CacheFixture();
  const targets = ['/a', '/b', '/c'];
  for (const target of targets) fixture.fill(requestOf(target), { fields: FRESH });
  fixture.cache.invalidate(requestOf('/a', {}, { method }), headOf(status, fields));
  return stored(fixture, targets);
}

test('an unsafe request that succeeds takes out what is stored for its URI (RFC 9111, section 4.4)', () => {
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'UNHEARD-OF'])
    assert.deepEqual(left(method, 204), ['/b', '/c'], method);
  assert.deepEqual(left('POST', 303), ['/b', '/c']);
});

test('a safe request, or one that fails, takes nothing out (RFC 9111, section 4.4)', () => {
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE'])
    assert.deepEqual(left(method, 200), ['/a', '/b', '/c'], method);
  for (const status of [100, 400, 404, 500, 503])
    assert.deepEqual(left('POST', status), ['/a', '/b', '/c'], `${status}`);
});

test('Location and Content-Location are taken out too, within the origin (RFC 9111, section 4.4)', () => {
  assert.deepEqual(left('POST', 201, { location: '/b', 'content-location': 'http://API.example:80/c' }), []);
  assert.deepEqual(left('POST', 201, { location: 'b' }), ['/c']);
  for (const location of [
    'http://other.example/b',
    'https://api.example/b',
    'http://api.example.evil.example/b',
    'http://[',
    'data:b',
  ])
    assert.deepEqual(left('POST', 201, { location }), ['/b', '/c'], location);
});

test('a response that was asked for before a change is not stored after it (RFC 9111, section 4.4)', () => {
  const fixture = new CacheFixture();
  const { fetch, client } = fixture.fetch(requestOf('/a'));
  fixture.cache.invalidate(requestOf('/a', {}, { method: 'PUT' }), headOf(200, {}));
  fixture.answer(fetch, { fields: FRESH });
  assert.equal(client.outcome, 'ended');
  assert.equal(fixture.cache.responses, 0);
});

test('nothing stale stands in for what a change has ended', () => {
  const fixture = new CacheFixture({ staleIfErrorMs: 100_000 });
  fixture.fill(requestOf('/a'), { fields: FRESH });
  fixture.advanceSeconds(61);
  const { fetch, client } = fixture.fetch(requestOf('/a'));
  fixture.cache.invalidate(requestOf('/a', {}, { method: 'DELETE' }), headOf(204, {}));
  assert.equal(fetch.head(headOf(503, {})), 'pass');
  assert.equal(client.reply, null);
});

test('what a change is about is told, so that the caches of other processes can follow', () => {
  const one = new CacheFixture();
  const other = new CacheFixture({}, { cachePurgesPerSecondMax: 1 });
  for (const target of ['/a', '/b', '/c']) other.fill(requestOf(target), { fields: FRESH });
  const uris = one.cache.invalidate(requestOf('/a', {}, { method: 'POST' }), headOf(201, { location: '/b' }));
  assert.deepEqual(uris, ['http://api.example/a', 'http://api.example/b']);
  other.cache.carryOut(uris.map((url) => ({ url })));
  assert.deepEqual(stored(other, ['/a', '/b', '/c']), ['/c']);
});
