import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assertPublishable, assertSubscribable, hasWildcard } from '../../src/channels/channel-name.ts';
import { matchesPattern } from '../../src/channels/pattern.ts';
import { PatternTrie } from '../../src/channels/pattern-trie.ts';
import { resolveLimits } from '../../src/kernel/index.ts';

const limits = resolveLimits();

for (const [pattern, channel, matches] of [
  ['orders/42/status', 'orders/42/status', true],
  ['orders/42/status', 'orders/42', false],
  ['orders/+/status', 'orders/42/status', true],
  ['orders/+/status', 'orders/42/43/status', false],
  ['orders/+', 'orders', false],
  ['orders/+', 'orders/', true],
  ['orders/#', 'orders', true],
  ['orders/#', 'orders/1/2/3', true],
  ['orders/#', 'ordersx', false],
  ['#', 'anything/at/all', true],
  ['+', 'one', true],
  ['+', 'one/two', false],
  ['+/+', '/finance', true],
  ['/+', '/finance', true],
  ['+', '/finance', false],
  ['C#', 'C#', true],
  ['C#', 'C/x', false],
  ['a+b/c', 'a+b/c', true],
  ['a+b/c', 'axb/c', false],
] as const) {
  test(`MQTT 5.0, 4.7: "${pattern}" ${matches ? 'matches' : 'does not match'} "${channel}"`, () => {
    assert.equal(matchesPattern(pattern, channel), matches);
    const trie = new PatternTrie<string>();
    trie.add(pattern, 'found');
    const found: string[] = [];
    trie.match(channel, (value) => found.push(value));
    assert.deepEqual(found, matches ? ['found'] : []);
  });
}

const segment = fc.constantFrom('a', 'b', 'c', '', 'a+', '#x');
const channels = fc.array(segment, { minLength: 1, maxLength: 5 }).map((segments) => segments.join('/'));
const patterns = fc
  .tuple(fc.array(fc.oneof(segment, fc.constant('+')), { minLength: 1, maxLength: 5 }), fc.boolean())
  .map(([segments, open]) => [...segments, ...(open ? ['#'] : [])].join('/'));

test('many patterns together match exactly what each matches alone, also after some are removed', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(patterns, { maxLength: 20 }),
      fc.array(channels, { maxLength: 20 }),
      fc.nat(),
      (all, names, keep) => {
        const trie = new PatternTrie<string>();
        for (const pattern of all) trie.add(pattern, pattern);
        const kept = all.filter((_, index) => (keep >> (index % 31)) & 1);
        for (const pattern of all) if (!kept.includes(pattern)) trie.delete(pattern, pattern);
        assert.equal(trie.size, kept.length);
        for (const name of names) {
          const found: string[] = [];
          trie.match(name, (value) => found.push(value));
          assert.deepEqual(found.sort(), kept.filter((pattern) => matchesPattern(pattern, name)).sort());
        }
      },
    ),
  );
});

test('a channel may be any printable UTF-8, and what is not is refused', () => {
  for (const name of [
    'a',
    'orders/42/status',
    '/',
    'user:123',
    'Ünïcödé/日本語/🚀',
    'with space',
    'C#/a+b',
    '~%?&',
  ]) {
    assert.doesNotThrow(() => assertPublishable(name, limits), name);
    assert.doesNotThrow(() => assertSubscribable(name, limits), name);
  }
  for (const name of ['', 'a\nb', 'a\0', 'a\u007f', 'a\u0085b', '\ud800', 'x\u2028y']) {
    assert.throws(() => assertPublishable(name, limits), { code: 'channel_invalid' }, JSON.stringify(name));
    assert.throws(() => assertSubscribable(name, limits), { code: 'channel_invalid' }, JSON.stringify(name));
  }
});

test('wildcards are for subscribing, and # only at the end', () => {
  assert.throws(() => assertPublishable('a/+/b', limits), { code: 'channel_not_publishable' });
  assert.throws(() => assertPublishable('a/#', limits), { code: 'channel_not_publishable' });
  assert.throws(() => assertSubscribable('a/#/b', limits), { code: 'channel_invalid' });
  assert.equal(hasWildcard('a+/C#'), false);
  assert.equal(hasWildcard('a/+'), true);
});

test("names of the server's own are refused", () => {
  assert.throws(() => assertPublishable('_resources', limits), { code: 'channel_reserved' });
  assert.throws(() => assertSubscribable('_resources/#', limits), { code: 'channel_reserved' });
});

test('limits.channelBytesMax counts bytes, not characters', () => {
  const tight = resolveLimits({ channelBytesMax: 16 });
  assert.doesNotThrow(() => assertPublishable('a'.repeat(16), tight));
  assert.throws(() => assertPublishable('a'.repeat(17), tight), { code: 'channel_invalid' });
  assert.throws(() => assertPublishable('ü'.repeat(9), tight), { code: 'channel_invalid' });
});

test('limits.channelSegmentsMax bounds the segments', () => {
  const tight = resolveLimits({ channelSegmentsMax: 3 });
  assert.doesNotThrow(() => assertSubscribable('a/b/c', tight));
  assert.throws(() => assertSubscribable('a/b/c/d', tight), { code: 'channel_invalid' });
});
