import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PathIndex } from '../../../src/gateway/cache/path-index.ts';
import type { PurgeRequest } from '../../../src/gateway/cache/purge.ts';
import { CacheFixture, DEFAULTS, FRESH, headOf, requestOf } from './cache-fixture.ts';

const BASE = 'http://api.example';

function filled(targets: readonly string[], limits = {}): CacheFixture {
  const fixture = new CacheFixture({}, { cachePurgesPerSecondMax: 1000, ...limits });
  for (const target of targets) fixture.fill(requestOf(target), { fields: FRESH });
  return fixture;
}

const isStored = (fixture: CacheFixture, target: string): boolean =>
  fixture.kind(requestOf(target)) === 'reply';

test('a purge by URL takes all variants out, of all routes, and nothing else', () => {
  const fixture = filled(['/a/b', '/a', '/a?x']);
  const other = fixture.cache.route('other', DEFAULTS);
  fixture.fill(requestOf('/v', { 'x-a': '1' }), { fields: { ...FRESH, vary: 'x-a' } });
  fixture.fill(requestOf('/v', { 'x-a': '2' }), { fields: { ...FRESH, vary: 'x-a' } });
  fixture.fill(requestOf('/v'), { fields: FRESH }, other);
  assert.deepEqual(fixture.cache.purge([{ url: 'HTTP://API.example:80/v' }], 'key:a'), {
    responses: 3,
    state: 'done',
  });
  assert.deepEqual(fixture.cache.purge([{ url: `${BASE}/a` }], 'key:a'), { responses: 1, state: 'done' });
  assert.deepEqual(fixture.cache.purge([{ url: `${BASE}/a` }], 'key:a'), { responses: 0, state: 'done' });
  assert.equal(isStored(fixture, '/a/b'), true);
  assert.equal(isStored(fixture, '/a?x'), true);
  assert.equal(fixture.metrics.value('tidegate_cache_purged_total'), 4);
});

test('a URL means the same however its path is written', () => {
  const fixture = filled(['/~a/b', '/c']);
  assert.equal(fixture.cache.purge([{ url: `${BASE}/x/../%7ea/%62` }], 'key:a').responses, 1);
  assert.throws(() => fixture.cache.purge([{ url: `${BASE}/%zz` }], 'key:a'), { code: 'purge_invalid' });
  fixture.cache.invalidate(requestOf('/', {}, { method: 'POST' }), headOf(201, { location: '/%63' }));
  assert.equal(isStored(fixture, '/c'), false);
});

test('a purge by prefix takes out what begins with it', () => {
  const targets = [
    '/',
    '/users',
    '/users/',
    '/users/1',
    '/users/10?x=1',
    '/users?page=2',
    '/usersx',
    '/other',
  ];
  const purged = (prefix: string): readonly string[] => {
    const fixture = filled(targets);
    const { responses } = fixture.cache.purge([{ prefix: BASE + prefix }], 'key:a');
    const gone = targets.filter((target) => !isStored(fixture, target));
    assert.equal(responses, gone.length);
    return gone;
  };
  for (const prefix of [
    '/',
    '/users',
    '/users/',
    '/users/1',
    '/users?',
    '/users?page=2',
    '/users/10?x',
    '/nothing',
    '/users/1/2',
  ])
    assert.deepEqual(
      purged(prefix),
      targets.filter((target) => target.startsWith(prefix)),
      prefix,
    );
});

test('property: the index of paths finds what begins with a prefix, and is empty when all is gone', () => {
  const uri = fc
    .tuple(
      fc.constantFrom('http://a', 'https://a', 'http://a:1'),
      fc.array(fc.constantFrom('', 'x', 'xy', 'y'), { maxLength: 6 }),
      fc.constantFrom('', '?', '?x/y', '?x'),
    )
    .map(([origin, segments, query]) => `${origin}/${segments.join('/')}${query}`);
  fc.assert(
    fc.property(
      fc.uniqueArray(uri, { maxLength: 20 }),
      uri,
      fc.integer({ min: 1, max: 5 }),
      fc.nat(8),
      (uris, other, depthMax, cut) => {
        const index = new PathIndex(depthMax);
        for (const one of uris) index.add(one);
        const slash = other.indexOf('/', 8) + 1;
        const prefix = other.slice(0, Math.max(slash, other.length - cut));
        const found = [...index.startingWith(prefix)].filter((one) => one !== null);
        assert.deepEqual(found.sort(), uris.filter((one) => one.startsWith(prefix)).sort());
        for (const one of uris) index.remove(one);
        assert.equal(index.bytes, 0);
      },
    ),
  );
});

test('a purge by surrogate key takes out what its origin gave the key, and clients never see the keys', () => {
  const fixture = new CacheFixture();
  fixture.fill(requestOf('/a'), { fields: { ...FRESH, 'surrogate-key': 'user:1  post:2' } });
  fixture.fill(requestOf('/b'), { fields: { ...FRESH, 'surrogate-key': ['post:2', 'post:3'] } });
  fixture.fill(requestOf('/c'), { fields: FRESH });
  assert.equal(fixture.ask(requestOf('/a')).client.headers.get('surrogate-key'), undefined);
  assert.equal(fixture.cache.purge([{ surrogateKey: 'post' }], 'key:a').responses, 0);
  assert.equal(fixture.cache.purge([{ surrogateKey: 'post:3' }], 'key:a').responses, 1);
  assert.deepEqual(
    ['/a', '/b', '/c'].map((target) => isStored(fixture, target)),
    [true, false, true],
  );
  assert.equal(fixture.cache.purge([{ surrogateKey: 'post:2' }], 'key:a').responses, 1);
});

test('a 304 keeps the surrogate keys, or brings others', () => {
  const fixture = new CacheFixture();
  const validate = (fields: Record<string, string>): void => {
    fixture.advanceSeconds(61);
    fixture.fetch(requestOf('/a')).fetch.head(headOf(304, fields));
  };
  fixture.fill(requestOf('/a'), { fields: { ...FRESH, etag: '"1"', 'surrogate-key': 'one' } });
  validate({});
  validate({ 'surrogate-key': 'two' });
  assert.equal(fixture.cache.purge([{ surrogateKey: 'one' }], 'key:a').responses, 0);
  assert.equal(fixture.cache.purge([{ surrogateKey: 'two' }], 'key:a').responses, 1);
});

test('a response with more than limits.cacheSurrogateKeysMax keys is not stored', () => {
  const fixture = new CacheFixture({}, { cacheSurrogateKeysMax: 2 });
  assert.equal(fixture.fill(requestOf('/a'), { fields: { ...FRESH, 'surrogate-key': 'a b a' } }), 'store');
  assert.equal(fixture.fill(requestOf('/b'), { fields: { ...FRESH, 'surrogate-key': 'a b c' } }), 'pass');
});

test('what cannot be understood as a purge is refused', () => {
  const fixture = new CacheFixture();
  for (const request of [
    { url: '/a' },
    { url: 'ftp://a/' },
    { url: 'http://' },
    { url: 'http://a/b#c' },
    { prefix: 'http://a' },
    { prefix: 'http' },
    { prefix: '' },
    { surrogateKey: '' },
    { surrogateKey: 'a b' },
  ] satisfies PurgeRequest[])
    assert.throws(
      () => fixture.cache.purge([request], 'key:a'),
      { code: 'purge_invalid' },
      JSON.stringify(request),
    );
});

const WIDE = [{ prefix: `${BASE}/p/` }, { surrogateKey: 'k' }] satisfies PurgeRequest[];

for (const purge of WIDE) {
  const what = Object.keys(purge)[0];

  test(`a large purge by ${what} is done limits.cachePurgeStepMax at a time, and holds from the start`, () => {
    const fixture = new CacheFixture({}, { cachePurgeStepMax: 100 });
    const fill = (target: string): void => {
      const { fetch } = fixture.fetch(requestOf(target));
      fixture.answer(fetch, { fields: { ...FRESH, 'surrogate-key': 'k' }, body: 'x' });
    };
    for (let at = 0; at < 1000; at++) fill(`/p/${at}`);
    const { responses, state } = fixture.cache.purge([purge], 'key:a');
    assert.equal(state, 'sweeping');
    assert.ok(responses <= 100);
    assert.equal(isStored(fixture, '/p/999'), false);
    fill('/p/999');
    fill('/p/new');
    let turns = 0;
    while (fixture.clock.hasTurnWork) {
      const before = fixture.cache.responses;
      fixture.clock.endTurn();
      assert.ok(before - fixture.cache.responses <= 100);
      turns++;
    }
    assert.ok(turns >= 9);
    assert.equal(fixture.cache.responses, 2);
    assert.equal(isStored(fixture, '/p/999'), true);
    assert.equal(isStored(fixture, '/p/new'), true);
  });

  test(`a response that was on its way during a purge by ${what} is not stored, nor waited for`, () => {
    const fixture = new CacheFixture();
    const { fetch, client } = fixture.fetch(requestOf('/p/1'));
    fixture.cache.purge([purge], 'key:a');
    const late = fixture.fetch(requestOf('/p/1'));
    assert.equal(fixture.kind(requestOf('/p/1')), 'wait', 'for the one that was begun after it');
    fixture.answer(fetch, { fields: { ...FRESH, 'surrogate-key': 'k' }, body: 'before' });
    assert.equal(client.received, 'before');
    assert.equal(client.cacheStatus, 'tidegate; fwd=uri-miss; ttl=60');
    assert.equal(fixture.cache.responses, 0);
    fixture.answer(late.fetch, { fields: { ...FRESH, 'surrogate-key': 'k' }, body: 'after' });
    assert.equal(fixture.ask(requestOf('/p/1')).client.received, 'after');
  });

  test(`a validation that was on its way during a purge by ${what} brings nothing back`, () => {
    const fixture = new CacheFixture();
    fixture.fill(requestOf('/p/1'), { fields: { ...FRESH, etag: '"1"', 'surrogate-key': 'k' } });
    fixture.advanceSeconds(61);
    const { fetch, client } = fixture.fetch(requestOf('/p/1'));
    fixture.cache.purge([purge], 'key:a');
    fetch.head(headOf(304, {}));
    assert.equal(client.status, 200);
    assert.equal(fixture.cache.responses, 0);
  });
}

test('a purge of other things does not keep a response from being stored', () => {
  const fixture = new CacheFixture();
  const { fetch } = fixture.fetch(requestOf('/p/1'));
  fixture.cache.purge([{ prefix: `${BASE}/q/` }], 'key:a');
  fixture.cache.purge([{ surrogateKey: 'other' }], 'key:a');
  fixture.cache.purge([{ url: `${BASE}/p/2` }], 'key:a');
  fixture.answer(fetch, { fields: { ...FRESH, 'surrogate-key': 'k' } });
  assert.equal(fixture.cache.responses, 1);
});

test('a response that was on its way during a purge by URL is not stored, nor waited for', () => {
  const fixture = new CacheFixture();
  const { fetch } = fixture.fetch(requestOf('/a'));
  fixture.cache.purge([{ url: `${BASE}/a` }], 'key:a');
  fixture.fetch(requestOf('/a'));
  assert.equal(fixture.kind(requestOf('/a')), 'wait', 'for the one that was begun after it');
  fixture.answer(fetch, { fields: FRESH });
  assert.equal(fixture.cache.responses, 0);
});

test('of what began before limits.cachePurgesRememberedMax purges, nothing is stored', () => {
  const fixture = filled([], { cachePurgesRememberedMax: 3 });
  const old = fixture.fetch(requestOf('/old'));
  fixture.cache.purge([{ prefix: `${BASE}/x` }], 'key:a');
  const young = fixture.fetch(requestOf('/young'));
  for (let count = 0; count < 3; count++) fixture.cache.purge([{ prefix: `${BASE}/x` }], 'key:a');
  fixture.answer(old.fetch, { fields: FRESH });
  assert.equal(fixture.cache.responses, 0);
  fixture.answer(young.fetch, { fields: FRESH });
  assert.equal(fixture.cache.responses, 1);
});

test('beyond limits.cachePurgesPendingMax large purges are refused until one is done', () => {
  const fixture = filled(
    Array.from({ length: 50 }, (_, at) => `/p/${at}`),
    { cachePurgeStepMax: 10, cachePurgesPendingMax: 2 },
  );
  const purge = () => fixture.cache.purge([{ prefix: `${BASE}/p/` }], 'key:a');
  assert.equal(purge().state, 'sweeping');
  assert.equal(purge().state, 'sweeping');
  assert.throws(purge, { code: 'purge_rate_exceeded', retryAfterMs: 1000 });
  while (fixture.clock.hasTurnWork) fixture.clock.endTurn();
  assert.equal(purge().state, 'done');
});

test('limits.cachePurgesPerSecondMax bounds how often each credential purges', () => {
  const fixture = filled(['/a'], { cachePurgesPerSecondMax: 2 });
  const purge = (credential: string) => fixture.cache.purge([{ url: `${BASE}/a` }], credential);
  purge('key:a');
  purge('key:a');
  assert.throws(() => purge('key:a'), { code: 'purge_rate_exceeded', retryAfterMs: 500 });
  purge('key:b');
  fixture.clock.advance(500);
  purge('key:a');
  assert.throws(() => purge('key:a'), { code: 'purge_rate_exceeded' });
});

test('beyond limits.cachePurgeCredentialsMax the credential is forgotten that purged longest ago', () => {
  const fixture = filled([], { cachePurgesPerSecondMax: 1, cachePurgeCredentialsMax: 2 });
  const purge = (credential: string) => fixture.cache.purge([{ surrogateKey: 'x' }], credential);
  purge('key:a');
  purge('key:b');
  assert.throws(() => purge('key:a'));
  purge('key:c');
  assert.throws(() => purge('key:a'));
  purge('key:b');
});

test('purges that are made together are counted together, all or none', () => {
  const fixture = filled(['/a', '/b', '/c'], { cachePurgesPerSecondMax: 3 });
  const purge = (...targets: readonly string[]) =>
    fixture.cache.purge(
      targets.map((target) => ({ url: BASE + target })),
      'key:a',
    );
  assert.deepEqual(purge('/a', '/b'), { responses: 2, state: 'done' });
  assert.throws(() => purge('/b', '/c'), { code: 'purge_rate_exceeded', retryAfterMs: 334 });
  assert.equal(isStored(fixture, '/c'), true);
  fixture.clock.advance(334);
  assert.deepEqual(purge('/b', '/c'), { responses: 1, state: 'done' });
  assert.throws(() => purge('/a', '/b', '/c', '/d'), { code: 'purge_invalid', retryAfterMs: null });
  assert.throws(() => purge('/a', '/%zz'), { code: 'purge_invalid' });
  assert.equal(fixture.metrics.value('tidegate_cache_purges_total done'), 4);
  assert.equal(fixture.metrics.value('tidegate_cache_purges_total refused'), 8);
});

test('several purges of many responses say together how far they are', () => {
  const fixture = filled(
    Array.from({ length: 50 }, (_, at) => `/p/${at}`),
    { cachePurgeStepMax: 10, cachePurgesPendingMax: 2 },
  );
  const wide: readonly PurgeRequest[] = [{ prefix: `${BASE}/p/` }, { url: `${BASE}/p/1` }];
  assert.equal(fixture.cache.purge(wide, 'key:a').state, 'sweeping');
  assert.equal(isStored(fixture, '/p/49'), false);
  assert.equal(fixture.cache.purge([{ surrogateKey: 'none' }, { url: `${BASE}/p` }], 'key:a').state, 'done');
});
