import assert from 'node:assert/strict';
import { test } from 'node:test';
import { httpDateMs } from '../../../src/gateway/cache/conditions.ts';
import { CacheFixture, type Fields, FRESH, headOf, requestOf } from './cache-fixture.ts';

const MODIFIED = 'Thu, 01 Jan 2015 00:00:00 GMT';

/** A fixture with a response that has just become stale. */
function staleFixture(fields: Fields): CacheFixture {
  const fixture = new CacheFixture();
  fixture.fill(requestOf('/a'), { fields: { ...FRESH, ...fields }, body: 'old' });
  fixture.advanceSeconds(61);
  return fixture;
}

test('a stale response is validated by its entity tag, or else by its date (RFC 9111, section 4.3.1)', () => {
  const added = (fields: Fields) => staleFixture(fields).fetch(requestOf('/a')).fetch.changes.add;
  assert.deepEqual(added({ etag: 'W/"1"', 'last-modified': MODIFIED }), [['if-none-match', 'W/"1"']]);
  assert.deepEqual(added({ 'last-modified': MODIFIED }), [['if-modified-since', MODIFIED]]);
  assert.deepEqual(added({}), []);
});

test("the client's own conditions are not forwarded, and are judged by the cache (RFC 9111, section 4.3.2)", () => {
  const fixture = new CacheFixture();
  const { fetch, client } = fixture.fetch(requestOf('/a', { 'if-none-match': '"1"' }));
  for (const name of ['if-none-match', 'if-modified-since', 'range', 'if-range'])
    assert.ok(fetch.changes.remove.has(name), name);
  fixture.answer(fetch, { fields: { ...FRESH, etag: '"1"' }, body: 'whole' });
  assert.equal(client.status, 304);
  assert.equal(client.received, '');
  assert.equal(fixture.ask(requestOf('/a')).client.received, 'whole', 'it is stored nevertheless');
});

test('a 304 renews what is stored: its fields, its age and its freshness (RFC 9111, sections 3.2 and 4.3.4)', () => {
  const fixture = staleFixture({
    etag: '"1"',
    age: '30',
    'x-old': 'kept',
    'x-both': 'old',
    'content-type': 'text/plain',
  });
  const { fetch, client } = fixture.fetch(requestOf('/a'));
  const outcome = fetch.head(
    headOf(304, {
      etag: '"1"',
      'cache-control': 'max-age=10',
      'x-both': 'new',
      'x-new': '1',
      'content-type': 'x/y',
      'content-length': '0',
    }),
  );
  assert.equal(outcome, 'done');
  assert.equal(client.status, 200);
  assert.equal(client.received, 'old');
  const { client: next } = fixture.ask(requestOf('/a'));
  const headers = next.headers;
  assert.equal(headers.get('x-old'), 'kept');
  assert.deepEqual(headers.all('x-both'), ['new']);
  assert.equal(headers.get('x-new'), '1');
  assert.equal(headers.get('content-type'), 'text/plain');
  assert.equal(headers.get('cache-control'), 'max-age=10');
  assert.equal(next.reply?.age, '0');
  fixture.advanceSeconds(10);
  assert.equal(fixture.kind(requestOf('/a')), 'fetch');
  assert.equal(fixture.metrics.value('tidegate_cache_validated_total'), 1);
});

test('a 304 about another response than the stored one renews nothing (RFC 9111, section 4.3.4)', () => {
  for (const [stored, brought] of [
    [{ etag: '"1"' }, { etag: '"2"' }],
    [{ 'last-modified': MODIFIED }, { 'last-modified': 'Fri, 02 Jan 2015 00:00:00 GMT' }],
  ] as const) {
    const fixture = staleFixture(stored);
    const { fetch, client } = fixture.fetch(requestOf('/a'));
    assert.equal(fetch.head(headOf(304, brought)), 'done');
    assert.equal(client.outcome, 'released', 'it asks without conditions');
    assert.equal(fixture.cache.responses, 0);
  }
});

test('a 304 that makes the response private serves the one who asked, and ends the stored one', () => {
  const fixture = staleFixture({ etag: '"1"' });
  const { fetch, client } = fixture.fetch(requestOf('/a'));
  const { client: other } = fixture.ask(requestOf('/a'));
  fetch.head(headOf(304, { 'cache-control': 'private' }));
  assert.equal(client.received, 'old');
  assert.equal(other.outcome, 'released');
  assert.equal(fixture.cache.responses, 0);
});

test('a 304 to a request without conditions is nothing to store', () => {
  const fixture = new CacheFixture();
  assert.equal(fixture.fill(requestOf('/a'), { status: 304, fields: { etag: '"1"' } }), 'pass');
});

test('a new response takes the place of the stale one (RFC 9111, section 4.3.3)', () => {
  const fixture = staleFixture({ etag: '"1"' });
  fixture.fill(requestOf('/a'), { fields: { ...FRESH, etag: '"2"' }, body: 'new' });
  assert.equal(fixture.ask(requestOf('/a')).client.received, 'new');
  assert.equal(fixture.cache.responses, 1);
});

test('a new response that may not be stored ends the stale one (RFC 9111, section 4.3.3)', () => {
  const fixture = staleFixture({ etag: '"1"' });
  const { fetch } = fixture.fetch(requestOf('/a'));
  assert.equal(fixture.answer(fetch, { status: 200, fields: { 'cache-control': 'private' } }), 'pass');
  assert.equal(fixture.cache.responses, 0);
});

test('must-revalidate and no-cache are validated each time they are stale (RFC 9111, sections 5.2.2.2 and 5.2.2.4)', () => {
  const fixture = new CacheFixture({ staleWhileRevalidateMs: 100_000, staleIfErrorMs: 100_000 });
  fixture.fill(requestOf('/a'), { fields: { etag: '"1"', 'cache-control': 'no-cache' } });
  for (let round = 0; round < 3; round++) {
    const { fetch, client } = fixture.fetch(requestOf('/a'));
    fetch.head(headOf(304, { etag: '"1"' }));
    assert.equal(client.status, 200);
  }
});

test('If-None-Match is judged by the weak comparison, a star matches all (RFC 9110, section 13.1.2)', () => {
  const fixture = new CacheFixture();
  fixture.fill(requestOf('/a'), {
    fields: { ...FRESH, etag: 'W/"a,b"', 'content-type': 'text/plain', vary: 'x' },
  });
  const status = (tags: string | string[]) =>
    fixture.ask(requestOf('/a', { 'if-none-match': tags })).client.status;
  for (const tags of ['W/"a,b"', '"a,b"', '"x", "a,b"', '*', ['"x"', '"a,b"']])
    assert.equal(status(tags), 304, `${tags}`);
  for (const tags of ['"a"', '"b"', 'a,b', '"A,b"', '']) assert.equal(status(tags), 200, `${tags}`);
  const { client } = fixture.ask(requestOf('/a', { 'if-none-match': '*' }));
  assert.equal(client.headers.get('content-type'), undefined, 'RFC 9110, section 15.4.5');
  assert.equal(client.headers.get('etag'), 'W/"a,b"');
  assert.equal(client.headers.get('vary'), 'x');
  assert.equal(client.reply?.lengthBytes, null);
});

test('If-Modified-Since counts only without If-None-Match, and only if it is a date (RFC 9110, section 13.1.3)', () => {
  const fixture = new CacheFixture();
  fixture.fill(requestOf('/a'), { fields: { ...FRESH, etag: '"1"', 'last-modified': MODIFIED } });
  const status = (fields: Fields) => fixture.ask(requestOf('/a', fields)).client.status;
  assert.equal(status({ 'if-modified-since': MODIFIED }), 304);
  assert.equal(status({ 'if-modified-since': 'Fri, 02 Jan 2015 00:00:00 GMT' }), 304);
  assert.equal(status({ 'if-modified-since': 'Wed, 31 Dec 2014 23:59:59 GMT' }), 200);
  assert.equal(status({ 'if-modified-since': '2016' }), 200);
  assert.equal(status({ 'if-modified-since': MODIFIED, 'if-none-match': '"2"' }), 200);
});

test('the three forms of a date are read, and no others (RFC 9110, section 5.6.7)', () => {
  const ms = Date.UTC(1994, 10, 6, 8, 49, 37);
  assert.equal(httpDateMs('Sun, 06 Nov 1994 08:49:37 GMT'), ms);
  assert.equal(httpDateMs('Sunday, 06-Nov-94 08:49:37 GMT'), ms);
  assert.equal(httpDateMs('Sun Nov  6 08:49:37 1994'), ms);
  for (const text of ['', '0', '1994', 'Sun, 06 Nov 1994 08:49:37 CET', '1994-11-06T08:49:37Z'])
    assert.equal(httpDateMs(text), null, text);
});

test('only a 200 is judged by conditions (RFC 9110, section 13.2.1)', () => {
  const fixture = new CacheFixture();
  fixture.fill(requestOf('/a'), { status: 404, fields: { ...FRESH, etag: '"1"' } });
  assert.equal(fixture.ask(requestOf('/a', { 'if-none-match': '"1"' })).client.status, 404);
});

test('If-Match and If-Unmodified-Since are for the origin (RFC 9111, section 4.3.2)', () => {
  const fixture = new CacheFixture();
  fixture.fill(requestOf('/a'), { fields: { ...FRESH, etag: '"1"' } });
  assert.equal(fixture.kind(requestOf('/a', { 'if-match': '"1"' })), 'bypass');
  assert.equal(fixture.kind(requestOf('/a', { 'if-unmodified-since': MODIFIED })), 'bypass');
});

test('HEAD is answered from a stored GET, without its body (RFC 9111, section 4)', () => {
  const fixture = new CacheFixture();
  const head = requestOf('/a', {}, { method: 'HEAD' });
  assert.equal(fixture.kind(head), 'bypass', 'a HEAD stores nothing');
  fixture.fill(requestOf('/a'), { fields: FRESH, body: 'twelve bytes' });
  const { client } = fixture.ask(head);
  assert.equal(client.received, '');
  assert.equal(client.reply?.lengthBytes, 12);
});

test('one range is cut from a stored response (RFC 9110, section 14)', () => {
  const fixture = new CacheFixture();
  fixture.fill(requestOf('/a'), { fields: { ...FRESH, etag: '"1"' }, body: '0123456789' });
  const got = (range: string, fields: Fields = {}): string => {
    const { client } = fixture.ask(requestOf('/a', { range, ...fields }));
    return `${client.status} ${client.reply?.contentRange} ${client.received}`;
  };
  assert.equal(got('bytes=0-3'), '206 bytes 0-3/10 0123');
  assert.equal(got('bytes=7-'), '206 bytes 7-9/10 789');
  assert.equal(got('bytes=-2'), '206 bytes 8-9/10 89');
  assert.equal(got('bytes=5-500'), '206 bytes 5-9/10 56789');
  assert.equal(got('bytes=-500'), '206 bytes 0-9/10 0123456789');
  assert.equal(got('bytes=10-'), '416 bytes */10 ');
  assert.equal(got('bytes=-0'), '416 bytes */10 ');
  for (const whole of ['bytes=0-1,3-4', 'bytes=5-4', 'lines=1-2', 'bytes=a-b', 'bytes=-'])
    assert.equal(got(whole), '200 null 0123456789', whole);
  assert.equal(got('bytes=0-3', { 'if-range': '"1"' }), '206 bytes 0-3/10 0123');
  assert.equal(got('bytes=0-3', { 'if-range': '"2"' }), '200 null 0123456789');
  assert.equal(got('bytes=0-3', { 'if-range': 'W/"1"' }), '200 null 0123456789');
  assert.equal(got('bytes=0-3', { 'if-none-match': '"1"' }), '304 null ', 'RFC 9110, section 13.2.2');
});

test('a range of what is not stored is left to the origin', () => {
  const fixture = new CacheFixture();
  const { lookup } = fixture.ask(requestOf('/a', { range: 'bytes=0-1' }));
  assert.deepEqual(lookup, { kind: 'bypass', cacheStatus: 'tidegate; fwd=partial' });
});
