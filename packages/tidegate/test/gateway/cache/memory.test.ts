import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FieldList } from '../../../src/gateway/cache/field-list.ts';
import { CacheFixture, FRESH, requestOf } from './cache-fixture.ts';

const BASE = 'http://api.example';

test('limits.cacheBytesMax bounds what is stored; what was not used for longest goes first', () => {
  const fixture = new CacheFixture({}, { cacheBytesMax: 64 * 1024 });
  const fill = (target: string): void => {
    fixture.fill(requestOf(target), { fields: FRESH, body: 'x'.repeat(10_000) });
  };
  for (const target of ['/1', '/2', '/3', '/4']) fill(target);
  assert.equal(fixture.kind(requestOf('/1')), 'reply');
  for (const target of ['/5', '/6']) fill(target);
  assert.equal(fixture.kind(requestOf('/1')), 'reply', 'used since');
  assert.equal(fixture.kind(requestOf('/2')), 'fetch');
  assert.equal(fixture.kind(requestOf('/6')), 'reply');
  assert.ok(fixture.cache.bytes <= 64 * 1024);
  assert.equal(fixture.metrics.value('tidegate_cache_evicted_total'), 6 - fixture.cache.responses);
  assert.equal(fixture.metrics.value('tidegate_cache_bytes'), fixture.cache.bytes);
  assert.equal(fixture.metrics.value('tidegate_cache_responses'), fixture.cache.responses);
});

test('a response that is larger than the whole cache empties it for nobody', () => {
  const fixture = new CacheFixture({ entryBytesMax: 1e6 }, { cacheBytesMax: 64 * 1024 });
  fixture.fill(requestOf('/small'), { fields: FRESH });
  fixture.fill(requestOf('/large'), { fields: FRESH, body: 'x'.repeat(64 * 1024) });
  assert.equal(fixture.kind(requestOf('/small')), 'reply');
  assert.equal(fixture.kind(requestOf('/large')), 'fetch');
});

test('many tiny responses, long fields, keys and paths all count', () => {
  const bytesOf = (
    target: string,
    fields: Record<string, string> = {},
    requestFields: Record<string, string> = {},
  ): number => {
    const fixture = new CacheFixture();
    fixture.fill(requestOf(target, requestFields), { fields: { ...FRESH, ...fields }, body: '' });
    return fixture.cache.bytes;
  };
  const plain = bytesOf('/a');
  assert.ok(plain > 1000, 'an empty body is not free');
  assert.ok(bytesOf('/a', { 'x-long': 'x'.repeat(5000) }) > plain + 5000);
  assert.ok(bytesOf('/a', { 'surrogate-key': 'a b c d' }) > plain + 4 * 200);
  assert.ok(bytesOf(`/${'a'.repeat(5000)}`) >= plain + 2 * 4999);
  assert.ok(bytesOf('/a', { vary: 'x-v' }, { 'x-v': 'x'.repeat(5000) }) > plain + 5000);
});

test('a path of a thousand slashes costs limits.cachePathDepthMax nodes, and is purged like others', () => {
  const bytesOf = (cachePathDepthMax: number): number => {
    const fixture = new CacheFixture({}, { cachePathDepthMax });
    const deep = `/${'a/'.repeat(1000)}`;
    fixture.fill(requestOf(deep), { fields: FRESH });
    const { bytes } = fixture.cache;
    assert.equal(fixture.cache.purge([{ prefix: `${BASE}/${'a/'.repeat(999)}b` }], 'key:a').responses, 0);
    assert.equal(fixture.cache.purge([{ prefix: `${BASE}/${'a/'.repeat(900)}` }], 'key:a').responses, 1);
    return bytes;
  };
  assert.ok(bytesOf(20) - bytesOf(10) < 10 * 500);
  assert.ok(bytesOf(20) < 20 * 500 + 20_000);
});

test('property: whatever happens, what is counted is what is there, and no more than may be', () => {
  const action = fc.oneof(
    fc.record({
      kind: fc.constant('fill' as const),
      path: fc.nat(5),
      variant: fc.nat(2),
      length: fc.nat(6000),
      keys: fc.constantFrom('', 'a', 'a b', 'c'),
    }),
    fc.record({ kind: fc.constant('url' as const), path: fc.nat(5) }),
    fc.record({ kind: fc.constant('prefix' as const), path: fc.nat(5) }),
    fc.record({ kind: fc.constant('key' as const), key: fc.constantFrom('a', 'b', 'c') }),
    fc.record({ kind: fc.constant('later' as const) }),
    fc.record({ kind: fc.constant('turn' as const) }),
  );
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60, size: 'max' }), (actions) => {
      const limits = {
        cacheBytesMax: 64 * 1024,
        cachePurgeStepMax: 2,
        cacheVariantsMax: 2,
        cachePurgesPendingMax: 1000,
        cachePurgesPerSecondMax: 1000,
      };
      const fixture = new CacheFixture({}, limits);
      const target = (path: number): string => `/${path % 3}/${path}`;
      for (const step of actions) {
        if (step.kind === 'fill') {
          const { lookup } = fixture.ask(
            requestOf(target(step.path), { 'x-v': `${step.variant}`, 'cache-control': 'no-cache' }),
          );
          assert.ok(lookup.kind === 'fetch');
          fixture.answer(lookup.fetch, {
            fields: { ...FRESH, vary: 'x-v', 'surrogate-key': step.keys },
            body: 'x'.repeat(step.length),
          });
        } else if (step.kind === 'url') fixture.cache.purge([{ url: `${BASE}${target(step.path)}` }], 'k');
        else if (step.kind === 'prefix') fixture.cache.purge([{ prefix: `${BASE}/${step.path % 3}/` }], 'k');
        else if (step.kind === 'key') fixture.cache.purge([{ surrogateKey: step.key }], 'k');
        else if (step.kind === 'later') fixture.advanceSeconds(30);
        else fixture.clock.endTurn();
        assert.ok(fixture.cache.bytes <= limits.cacheBytesMax);
        assert.ok(fixture.cache.responses === 0 || fixture.cache.bytes > 0);
      }
      while (fixture.clock.hasTurnWork) fixture.clock.endTurn();
      fixture.cache.purge([{ prefix: `${BASE}/` }], 'k');
      while (fixture.clock.hasTurnWork) fixture.clock.endTurn();
      assert.equal(fixture.cache.responses, 0);
      assert.equal(fixture.cache.bytes, 0);
      assert.equal(fixture.metrics.value('tidegate_cache_fetch_bytes'), 0);
    }),
  );
});

test('fields keep their characters when they are copied away from the head that they came in', () => {
  const pairs = ['x-latin', 'caf\u00e9', 'x-wide', 'gr\u00fc\u00df \u4e16', 'x-empty', ''];
  assert.deepEqual([...FieldList.detached(pairs).entries()].flat(), pairs);
});
