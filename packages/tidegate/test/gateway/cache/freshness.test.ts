import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import CachePolicy from 'http-cache-semantics';
import { freshnessOf } from '../../../src/gateway/cache/freshness.ts';
import { CacheFixture, DEFAULTS, type Fields, FRESH, fieldsOf, requestOf } from './cache-fixture.ts';

/** How many seconds a response is served without the origin being asked; 0 if it is not stored. */
function freshSeconds(fields: Fields, options = {}, limits = {}): number {
  const fixture = new CacheFixture(options, limits);
  const date = new Date(fixture.clock.nowMs()).toUTCString();
  fixture.fill(requestOf('/a'), { fields: { etag: '"1"', date, ...fields } });
  const kinds = (seconds: number): string => {
    fixture.advanceSeconds(seconds);
    return fixture.kind(requestOf('/a'));
  };
  let seconds = 0;
  while (seconds < 200 && kinds(0) === 'reply') {
    kinds(1);
    seconds++;
  }
  return seconds;
}

test('s-maxage comes before max-age, and max-age before Expires (RFC 9111, section 4.2.1)', () => {
  const expires = new Date(Date.UTC(2026, 0, 1) + 90_000).toUTCString();
  assert.equal(freshSeconds({ 'cache-control': 'max-age=20, s-maxage=10', expires }), 10);
  assert.equal(freshSeconds({ 'cache-control': 'MAX-AGE=20', expires }), 20);
  assert.equal(freshSeconds({ expires }), 90);
});

test('freshness that cannot be read, or is said in two ways, is none (RFC 9111, section 4.2.1)', () => {
  for (const value of [
    'max-age=abc',
    'max-age=-5',
    'max-age=1.5',
    'max-age',
    'max-age=""',
    'max-age=10, max-age=20',
    's-maxage=x, max-age=60',
  ])
    assert.equal(freshSeconds({ 'cache-control': value }), 0, value);
  assert.equal(freshSeconds({ 'cache-control': 'max-age="30"' }), 30, 'quoted');
  assert.equal(freshSeconds({ 'cache-control': 'max-age=30, max-age=30' }), 30, 'twice the same');
  assert.equal(freshSeconds({ expires: '0' }), 0);
  assert.equal(freshSeconds({ expires: 'tomorrow' }), 0);
});

test('what is too large to count is still a number (RFC 9111, section 1.2.2)', () => {
  assert.equal(freshSeconds({ 'cache-control': 'max-age=99999999999999999999999' }), 200);
});

test('no-cache is stored and never served without asking (RFC 9111, section 5.2.2.4)', () => {
  assert.equal(freshSeconds({ 'cache-control': 'max-age=60, no-cache' }), 0);
  assert.equal(freshSeconds({ 'cache-control': 'max-age=60, no-cache="set-cookie"' }), 0);
});

test('proxy-revalidate does not shorten freshness (RFC 9111, section 5.2.2.8)', () => {
  assert.equal(freshSeconds({ 'cache-control': 'max-age=30, proxy-revalidate' }), 30);
});

test('without a word of freshness, a tenth of the time since Last-Modified is guessed (RFC 9111, section 4.2.2)', () => {
  const modified = new Date(Date.UTC(2026, 0, 1) - 500_000).toUTCString();
  assert.equal(freshSeconds({ 'last-modified': modified }), 50);
  assert.equal(freshSeconds({ 'last-modified': modified }, { ttlMs: 7_000 }), 7);
  assert.equal(freshSeconds({ 'last-modified': modified }, { ttlMs: null }), 0);
});

test('limits.cacheHeuristicMs bounds what is guessed, and not what is said', () => {
  const modified = 'Wed, 01 Jan 2020 00:00:00 GMT';
  assert.equal(freshSeconds({ 'last-modified': modified }, {}, { cacheHeuristicMs: 5000 }), 5);
  assert.equal(freshSeconds({ 'last-modified': modified, ...FRESH }, {}, { cacheHeuristicMs: 5000 }), 60);
});

test('the age that a response comes with counts, and so does the time that the origin took (RFC 9111, section 4.2.3)', () => {
  assert.equal(freshSeconds({ 'cache-control': 'max-age=60', age: '45' }), 15);
  const fixture = new CacheFixture();
  const { fetch } = fixture.fetch(requestOf('/a'));
  fixture.advanceSeconds(20);
  fixture.answer(fetch, { fields: { ...FRESH, age: '30' } });
  const { client } = fixture.ask(requestOf('/a'));
  assert.equal(client.reply?.age, '50');
  fixture.advanceSeconds(10);
  assert.equal(fixture.kind(requestOf('/a')), 'fetch');
});

test('Age is in whole seconds, and grows (RFC 9111, section 5.1)', () => {
  const fixture = new CacheFixture();
  fixture.fill(requestOf('/a'), { fields: FRESH });
  fixture.clock.advance(1999);
  assert.equal(fixture.ask(requestOf('/a')).client.reply?.age, '1');
  fixture.clock.advance(1);
  assert.equal(fixture.ask(requestOf('/a')).client.reply?.age, '2');
});

test('the clock that is handed in decides, and not that of the machine', () => {
  const received = { status: 200, isAuthorized: false, delayMs: 0, heuristicMaxMs: 1e12 };
  const nowMs = Date.UTC(1999, 0, 1);
  const expires = new Date(nowMs + 60_000).toUTCString();
  for (const date of [undefined, 'yesterday', new Date(nowMs).toUTCString()]) {
    const headers = fieldsOf({ expires, ...(date === undefined ? {} : { date }) });
    assert.equal(freshnessOf({ ...received, headers, nowMs }, DEFAULTS)?.lifetimeMs, 60_000, String(date));
  }
});

test('a client can ask for less age and more freshness (RFC 9111, section 5.2.1)', () => {
  const fixture = new CacheFixture();
  fixture.fill(requestOf('/a'), { fields: FRESH });
  fixture.advanceSeconds(20);
  const kind = (value: string): string => fixture.kind(requestOf('/a', { 'cache-control': value }));
  assert.equal(kind('max-age=20'), 'reply');
  assert.equal(kind('max-age=19'), 'fetch');
  assert.equal(kind('min-fresh=40'), 'reply');
  assert.equal(kind('min-fresh=41'), 'fetch');
  assert.equal(kind('no-cache'), 'fetch');
  assert.equal(kind('max-age=oops'), 'reply');
  assert.equal(fixture.kind(requestOf('/a', { pragma: 'no-cache' })), 'fetch', 'section 5.4');
  assert.equal(fixture.kind(requestOf('/a', { pragma: 'no-cache', 'cache-control': 'max-age=60' })), 'reply');
});

test('a route can ignore that clients want the origin to be asked', () => {
  const fixture = new CacheFixture({ clientNoCache: 'ignore' });
  fixture.fill(requestOf('/a'), { fields: FRESH });
  const asked: readonly Fields[] = [
    { 'cache-control': 'no-cache' },
    { 'cache-control': 'max-age=0' },
    { pragma: 'no-cache' },
  ];
  for (const fields of asked) assert.equal(fixture.kind(requestOf('/a', fields)), 'reply');
});

test('max-stale is granted, but not against the origin (RFC 9111, sections 4.2.4 and 5.2.1.2)', () => {
  const serves = (control: string, asked: string): boolean => {
    const fixture = new CacheFixture();
    fixture.fill(requestOf('/a'), { fields: { etag: '"1"', 'cache-control': control } });
    fixture.advanceSeconds(70);
    return fixture.kind(requestOf('/a', { 'cache-control': asked })) === 'reply';
  };
  assert.equal(serves('max-age=60', 'max-stale'), true);
  assert.equal(serves('max-age=60', 'max-stale=10'), true);
  assert.equal(serves('max-age=60', 'max-stale=9'), false);
  for (const forbidding of ['must-revalidate', 'proxy-revalidate', 's-maxage=60', 'no-cache'])
    assert.equal(serves(`max-age=60, ${forbidding}`, 'max-stale'), false, forbidding);
});

test('only-if-cached gets what is stored or nothing (RFC 9111, section 5.2.1.7)', () => {
  const fixture = new CacheFixture();
  const request = requestOf('/a', { 'cache-control': 'only-if-cached' });
  const { lookup } = fixture.ask(request);
  assert.deepEqual(lookup, { kind: 'unavailable', cacheStatus: 'tidegate; detail=only-if-cached' });
  fixture.fill(requestOf('/a'), { fields: FRESH });
  assert.equal(fixture.kind(request), 'reply');
  assert.equal(fixture.metrics.value('tidegate_cache_requests_total unavailable'), 1);
});

test('property: whatever is served as fresh, the library would serve too, asked by itself', () => {
  const directive = fc.constantFrom(
    'max-age=0',
    'max-age=10',
    'max-age=100',
    's-maxage=5',
    's-maxage=50',
    'public',
    'private',
    'no-cache',
    'no-store',
    'must-revalidate',
  );
  const nowMs = Date.UTC(2026, 0, 1);
  fc.assert(
    fc.property(
      fc.uniqueArray(directive, { maxLength: 4, selector: (text) => text.split('=')[0] }),
      fc.nat(120),
      fc.boolean(),
      fc.constantFrom(undefined, -50, 20, 200),
      (directives, ageSeconds, isAuthorized, expiresSeconds) => {
        const fields: Record<string, string> = { date: new Date(nowMs).toUTCString(), etag: '"1"' };
        if (directives.length > 0) fields['cache-control'] = directives.join(', ');
        if (expiresSeconds !== undefined)
          fields.expires = new Date(nowMs + expiresSeconds * 1000).toUTCString();
        const requestFields: Record<string, string> = {};
        if (isAuthorized) requestFields.authorization = 'Bearer a';
        const fixture = new CacheFixture();
        fixture.fill(requestOf('/a', requestFields), { fields });
        fixture.advanceSeconds(ageSeconds);
        const isServed = fixture.kind(requestOf('/a', requestFields)) === 'reply';

        class Then extends CachePolicy {
          now(): number {
            return nowMs;
          }
        }
        const policy = new Then(
          { method: 'GET', headers: requestFields },
          { status: 200, headers: fields },
          { shared: true },
        );
        assert.equal(isServed, policy.storable() && policy.maxAge() > ageSeconds);
      },
    ),
  );
});
