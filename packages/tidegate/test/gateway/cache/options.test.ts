import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import { type CacheOptions, cacheRule, cacheSchema } from '../../../src/gateway/cache/options.ts';
import { withDefaults } from '../../../src/gateway/schema-defaults.ts';
import { DEFAULTS } from './cache-fixture.ts';

const isValid = new Ajv({ strict: true, allowUnionTypes: true }).compile(cacheSchema);

test('a route can cache without a word more', () => {
  assert.ok(isValid({}));
});

test('every setting is taken, and makes a rule', () => {
  const options = {
    ttl: '1m',
    staleWhileRevalidate: '30s',
    staleIfError: '2h',
    keyHeaders: ['X-Tenant'],
    entryBytesMax: 1000,
    clientNoCache: 'ignore',
    authorization: 'bypass',
  } as const;
  assert.ok(isValid(options));
  assert.deepEqual(cacheRule({ ...options, keyHeaders: ['X-Tenant'] }), {
    ttlMs: 60_000,
    staleWhileRevalidateMs: 30_000,
    staleIfErrorMs: 7_200_000,
    keyHeaders: ['x-tenant'],
    entryBytesMax: 1000,
    clientNoCache: 'ignore',
    authorization: 'bypass',
  });
});

test('without a word the rule is that of the RFC', () => {
  const defaults = withDefaults(cacheSchema, {}) as CacheOptions;
  assert.deepEqual(cacheRule(defaults), DEFAULTS);
  assert.equal(cacheRule({ ...defaults, ttl: null }).ttlMs, null);
});

test('what no cache could follow is refused', () => {
  for (const options of [
    { ttl: -1 },
    { ttl: 5 },
    { ttl: '5 s' },
    { staleIfError: null },
    { keyHeaders: ['a b'] },
    { keyHeaders: ['a', 'a'] },
    { clientNoCache: true },
    { authorization: 'always' },
    { ttlSeconds: 5 },
  ])
    assert.equal(isValid(options), false, JSON.stringify(options));
});
