import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fieldsKey, uriOf, varyNames } from '../../../src/gateway/cache/cache-key.ts';
import { CacheFixture, DEFAULTS, type Fields, FRESH, fieldsOf, requestOf } from './cache-fixture.ts';

test('a response answers requests only that agree in what it varies by (RFC 9111, section 4.1)', () => {
  const fixture = new CacheFixture();
  const fill = (language: string): void => {
    fixture.fill(requestOf('/a', { 'accept-language': language }), {
      fields: { ...FRESH, vary: 'Accept-Language' },
      body: language,
    });
  };
  fill('de');
  fill('fr');
  const got = (fields: Fields): string => fixture.ask(requestOf('/a', fields)).client.received;
  assert.equal(got({ 'accept-language': 'de' }), 'de');
  assert.equal(got({ 'accept-language': 'fr', 'user-agent': 'x' }), 'fr');
  assert.equal(fixture.kind(requestOf('/a', { 'accept-language': 'it' })), 'fetch');
  assert.equal(fixture.kind(requestOf('/a')), 'fetch', 'absent is not empty');
  assert.equal(fixture.kind(requestOf('/a', { 'accept-language': '' })), 'fetch', 'empty is not absent');
});

test('an absent field agrees with an absent one (RFC 9111, section 4.1)', () => {
  const fixture = new CacheFixture();
  fixture.fill(requestOf('/a'), { fields: { ...FRESH, vary: 'x-tenant' } });
  assert.equal(fixture.kind(requestOf('/a')), 'reply');
  assert.equal(fixture.kind(requestOf('/a', { 'x-tenant': 'a' })), 'fetch');
});

test('Vary with a star anywhere, or that is no list of names, is not stored (RFC 9110, section 12.5.5)', () => {
  for (const vary of ['*', 'accept, *', 'accept encoding', 'a:b', 'x=\u00e4']) {
    const fixture = new CacheFixture();
    assert.equal(fixture.fill(requestOf('/a'), { fields: { ...FRESH, vary } }), 'pass', vary);
  }
});

test('white space, lines and the order of codings make no other variant (RFC 9111, section 4.1)', () => {
  const fixture = new CacheFixture();
  fixture.fill(requestOf('/a', { 'accept-encoding': 'gzip, br', 'x-list': ['1', '2'] }), {
    fields: { ...FRESH, vary: 'accept-encoding, x-list' },
  });
  assert.equal(fixture.kind(requestOf('/a', { 'accept-encoding': 'BR,gzip', 'x-list': '1 ,2' })), 'reply');
  assert.equal(fixture.kind(requestOf('/a', { 'accept-encoding': 'br', 'x-list': '1,2' })), 'fetch');
  assert.equal(fixture.kind(requestOf('/a', { 'accept-encoding': 'br, gzip', 'x-list': '2,1' })), 'fetch');
});

test('where Vary changed, the response that came last is the one that is served (RFC 9111, section 4.1)', () => {
  const fixture = new CacheFixture();
  fixture.fill(requestOf('/a', { 'x-b': '1' }), { fields: { ...FRESH, vary: 'x-a' }, body: 'old' });
  fixture.advanceSeconds(1);
  const { fetch } = fixture.fetch(requestOf('/a', { 'x-b': '1', 'cache-control': 'no-cache' }));
  fixture.answer(fetch, { fields: { ...FRESH, vary: 'x-b' }, body: 'new' });
  assert.equal(fixture.ask(requestOf('/a', { 'x-b': '1' })).client.received, 'new');
  assert.equal(fixture.ask(requestOf('/a', { 'x-b': '2' })).client.received, 'old');
});

test('at limits.cacheVariantsMax the variant goes that was not used for longest', () => {
  const fixture = new CacheFixture({}, { cacheVariantsMax: 3 });
  const ask = (agent: string) => requestOf('/a', { 'user-agent': agent });
  for (const agent of ['1', '2', '3']) fixture.fill(ask(agent), { fields: { ...FRESH, vary: 'user-agent' } });
  assert.equal(fixture.kind(ask('1')), 'reply');
  fixture.fill(ask('4'), { fields: { ...FRESH, vary: 'user-agent' } });
  assert.equal(fixture.cache.responses, 3);
  assert.deepEqual(
    ['1', '2', '3', '4'].map((agent) => fixture.kind(ask(agent))),
    ['reply', 'fetch', 'reply', 'reply'],
  );
  assert.equal(fixture.metrics.value('tidegate_cache_evicted_total'), 1);
});

test('an origin that names other fields each time has no more variants than others', () => {
  const fixture = new CacheFixture({}, { cacheVariantsMax: 3 });
  for (let at = 0; at < 50; at++) {
    const { fetch } = fixture.fetch(requestOf('/a', { 'cache-control': 'no-cache' }));
    fixture.answer(fetch, { fields: { ...FRESH, vary: `x-${at}` } });
  }
  assert.equal(fixture.cache.responses, 3);
});

test('a response that varies by more than limits.cacheVaryFieldsMax fields is not stored', () => {
  const names = (count: number): string => Array.from({ length: count }, (_, at) => `x-${at}`).join();
  const fixture = new CacheFixture({}, { cacheVaryFieldsMax: 4 });
  assert.equal(fixture.fill(requestOf('/a'), { fields: { ...FRESH, vary: names(5) } }), 'pass');
  assert.equal(fixture.fill(requestOf('/b'), { fields: { ...FRESH, vary: `${names(4)}, X-1, ,` } }), 'store');
  assert.equal(varyNames(fieldsOf({ vary: names(5) }), 4), null);
});

test('property: no two requests that differ in a field have one key, whatever stands in their fields', () => {
  const value = fc.option(fc.string({ unit: fc.constantFrom('-', ';', ':', '0', '1', '2', 'a', '\n') }), {
    nil: undefined,
  });
  const fields = fc.tuple(value, value, value);
  const names = ['x-a', 'x-b', 'x-c'];
  const headersOf = (values: readonly (string | undefined)[]) =>
    fieldsOf(Object.fromEntries(values.flatMap((one, at) => (one === undefined ? [] : [[names[at], one]]))));
  fc.assert(
    fc.property(fields, fields, (one, other) => {
      const isSame = one.every((text, at) => text === other[at]);
      assert.equal(fieldsKey(names, headersOf(one)) === fieldsKey(names, headersOf(other)), isSame);
    }),
  );
});

test('scheme, host, path and query all count, and equivalent hosts are one (RFC 9110, section 4.2.3)', () => {
  const fixture = new CacheFixture();
  fixture.fill(requestOf('/a?x=1'), { fields: FRESH });
  assert.equal(fixture.kind(requestOf('/a?x=1', {}, { host: 'API.example:80' })), 'reply');
  assert.equal(fixture.kind(requestOf('/a?x=1', {}, { host: 'api.example:' })), 'reply');
  for (const other of [
    requestOf('/a?x=2'),
    requestOf('/a'),
    requestOf('/A?x=1'),
    requestOf('/a?x=1', {}, { scheme: 'https' }),
    requestOf('/a?x=1', {}, { host: 'api.example:8080' }),
    requestOf('/a?x=1', {}, { host: 'other.example' }),
  ])
    assert.equal(fixture.kind(other), 'fetch', `${other.host}${other.target}`);
});

test('a target cannot pretend to be of another host', () => {
  const uris = [
    uriOf({ scheme: 'http', host: 'a.example', target: '//b.example/x' }),
    uriOf({ scheme: 'http', host: 'a.example', target: '/b.example/x' }),
    uriOf({ scheme: 'http', host: 'b.example', target: '/x' }),
    uriOf({ scheme: 'http', host: 'a.example:443', target: '/x' }),
    uriOf({ scheme: 'https', host: 'a.example:443', target: '/x' }),
    uriOf({ scheme: 'https', host: 'a.example', target: '/x#' }),
  ];
  assert.equal(new Set(uris).size, uris.length);
});

test('a route can add fields to the key', () => {
  const fixture = new CacheFixture({ keyHeaders: ['x-tenant'] });
  fixture.fill(requestOf('/a', { 'x-tenant': 'one' }), { fields: FRESH });
  assert.equal(fixture.kind(requestOf('/a', { 'x-tenant': 'one' })), 'reply');
  assert.equal(fixture.kind(requestOf('/a', { 'x-tenant': 'two' })), 'fetch');
});

test('routes never share a response, since they may lead to different origins', () => {
  const fixture = new CacheFixture();
  fixture.fill(requestOf('/a'), { fields: FRESH });
  const other = fixture.cache.route('ap', { ...DEFAULTS, keyHeaders: ['i'] });
  assert.equal(fixture.kind(requestOf('/a'), other), 'fetch');
  assert.equal(
    fixture.kind(requestOf('/a'), fixture.cache.route('api', DEFAULTS)),
    'reply',
    'the same route, built anew',
  );
});

test('subscribers at different places of a stream never share a response', () => {
  const fixture = new CacheFixture();
  fixture.fill(requestOf('/a', { 'grip-last': 'news; last-id=5' }), { fields: FRESH });
  assert.equal(fixture.kind(requestOf('/a', { 'grip-last': 'news; last-id=6' })), 'fetch');
  assert.equal(fixture.kind(requestOf('/a')), 'fetch');
  assert.equal(fixture.kind(requestOf('/a', { 'grip-last': 'news; last-id=5' })), 'reply');
});
