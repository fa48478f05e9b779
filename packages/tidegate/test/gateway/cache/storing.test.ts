import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CacheFixture, type Fields, FRESH, failure, headOf, requestOf } from './cache-fixture.ts';

const stores = (fields: Fields, status = 200, requestFields: Fields = {}, options = {}): boolean => {
  const fixture = new CacheFixture(options);
  const outcome = fixture.fill(requestOf('/a', requestFields), { status, fields });
  assert.equal(fixture.cache.responses, outcome === 'store' ? 1 : 0);
  return outcome === 'store';
};

test('a fresh response is stored and answers the next request (RFC 9111, section 3)', () => {
  const fixture = new CacheFixture();
  fixture.fill(requestOf('/a'), { fields: { ...FRESH, 'content-type': 'text/plain' }, body: 'hello' });
  const { client, lookup } = fixture.ask(requestOf('/a'));
  assert.equal(lookup.kind, 'reply');
  assert.equal(client.status, 200);
  assert.equal(client.received, 'hello');
  assert.equal(client.headers.get('content-type'), 'text/plain');
  assert.equal(client.reply?.lengthBytes, 5);
});

test('no-store and private are not stored, in any case and among whatever else (RFC 9111, sections 3 and 5.2)', () => {
  for (const value of [
    'no-store',
    'No-Store, max-age=60',
    'max-age=60, PRIVATE',
    'max-age=60,private="x-user"',
    'public, max-age=60, ext="a, b", no-store',
    'max-age=60, =oops, no-store',
    'max-age=60, "quoted, no-store',
    'max-age=60;private, private',
  ])
    assert.equal(stores({ 'cache-control': value }), false, value);
  assert.equal(stores({ 'cache-control': ['max-age=60', 'no-store'] }), false, 'two lines');
  assert.equal(stores({ 'cache-control': 'max-age=60, ext="no-store, private"' }), true, 'only quoted');
});

test('a request with no-store passes and leaves nothing behind (RFC 9111, section 5.2.1.5)', () => {
  const fixture = new CacheFixture();
  assert.equal(fixture.kind(requestOf('/a', { 'cache-control': 'no-store' })), 'bypass');
});

test('a status is stored if it is understood, and by default only if it may be (RFC 9111, section 3)', () => {
  for (const status of [200, 203, 204, 300, 301, 308, 404, 410])
    assert.equal(stores(FRESH, status), true, `${status}`);
  for (const status of [206, 201, 400, 401, 403, 429, 500, 503, 299])
    assert.equal(stores(FRESH, status), false, `${status}`);
  assert.equal(stores(FRESH, 302), true, 'explicitly fresh');
  assert.equal(stores({ 'last-modified': 'Wed, 01 Jan 2025 00:00:00 GMT' }, 302), false, 'not by default');
});

test('a response to Authorization is shared only if the origin allows it (RFC 9111, section 3.5)', () => {
  const authorization = { authorization: 'Bearer a' };
  assert.equal(stores(FRESH, 200, authorization), false);
  for (const allowing of ['public', 's-maxage=60', 'must-revalidate'])
    assert.equal(stores({ 'cache-control': `max-age=60, ${allowing}` }, 200, authorization), true, allowing);
  assert.equal(stores({ 'cache-control': 'max-age=60, proxy-revalidate' }, 200, authorization), false);
});

test('a response stored for nobody in particular is not shown to an authorized request unless the origin allows it (RFC 9111, section 3.5)', () => {
  const fixture = new CacheFixture();
  fixture.fill(requestOf('/closed'), { fields: FRESH });
  fixture.fill(requestOf('/open'), { fields: { 'cache-control': 'public, max-age=60' } });
  assert.equal(fixture.kind(requestOf('/closed', { authorization: 'Bearer a' })), 'fetch');
  assert.equal(fixture.kind(requestOf('/open', { authorization: 'Bearer a' })), 'reply');
});

test('a route can keep requests with Authorization away from the cache', () => {
  const fixture = new CacheFixture({ authorization: 'bypass' });
  fixture.fill(requestOf('/open'), { fields: { 'cache-control': 'public, max-age=60' } });
  assert.equal(fixture.kind(requestOf('/open', { authorization: 'Bearer a' })), 'bypass');
});

test('a response that sets a cookie is stored only if it says public (RFC 9111, section 7.3)', () => {
  assert.equal(stores({ ...FRESH, 'set-cookie': 'session=1' }), false);
  assert.equal(stores({ 'cache-control': 's-maxage=60', 'set-cookie': 'session=1' }), false);
  assert.equal(stores({ 'cache-control': 'public, max-age=60', 'set-cookie': 'session=1' }), true);
});

test('what says nothing of its freshness is stored as the route wants it', () => {
  assert.equal(stores({}), false, 'no validator: of no use');
  assert.equal(stores({ etag: '"1"' }), true, 'to be validated');
  assert.equal(stores({ etag: '"1"' }, 200, {}, { ttlMs: null }), false);
  assert.equal(stores({}, 200, {}, { ttlMs: 5_000 }), true);
  assert.equal(
    stores({ 'cache-control': 'max-age=0' }, 200, {}, { ttlMs: 5_000 }),
    false,
    'the origin decides',
  );
});

test('a stream of events is not stored, however fresh it says it is', () => {
  assert.equal(stores({ ...FRESH, 'content-type': 'text/event-stream; charset=utf-8' }), false);
});

test('fields of the connection and of the framing are not stored (RFC 9111, section 3.1)', () => {
  const fixture = new CacheFixture();
  fixture.fill(requestOf('/a'), {
    fields: {
      ...FRESH,
      connection: 'close, X-Hop',
      'x-hop': '1',
      'keep-alive': 'timeout=5',
      'transfer-encoding': 'chunked',
      'proxy-authenticate': 'Basic',
      'surrogate-key': 'secret',
      'x-kept': ['1', '2'],
    },
  });
  const { client } = fixture.ask(requestOf('/a'));
  assert.deepEqual(
    [...client.headers.entries()],
    [
      ['cache-control', 'max-age=60'],
      ['x-kept', '1'],
      ['x-kept', '2'],
    ],
  );
});

test('a body that is shorter than it says is not stored, and does not look complete (RFC 9111, section 3.3)', () => {
  const fixture = new CacheFixture();
  const { fetch, client } = fixture.fetch(requestOf('/a'));
  fixture.answer(fetch, { fields: { ...FRESH, 'content-length': '10' }, body: 'short' });
  assert.equal(client.outcome, 'failed');
  assert.equal(fixture.cache.responses, 0);
});

test('a body that breaks off is not stored (RFC 9111, section 3.3)', () => {
  const fixture = new CacheFixture();
  const { fetch, client } = fixture.fetch(requestOf('/a'));
  fetch.head(headOf(200, FRESH));
  fetch.data(Buffer.from('half'));
  fetch.failed(failure());
  assert.equal(client.outcome, 'failed');
  assert.equal(fixture.cache.responses, 0);
  assert.equal(fixture.metrics.value('tidegate_cache_fetch_bytes'), 0);
});

test('only GET and HEAD have to do with the cache, and GET only without content', () => {
  const fixture = new CacheFixture();
  fixture.fill(requestOf('/a'), { fields: FRESH });
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'QUERY', 'get'])
    assert.equal(fixture.kind(requestOf('/a', {}, { method })), 'bypass', method);
  assert.equal(fixture.kind(requestOf('/a', {}, { content: 'some' })), 'bypass');
  assert.equal(fixture.kind(requestOf('/a')), 'reply');
});
