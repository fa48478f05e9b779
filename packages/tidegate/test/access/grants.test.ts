import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { covers, forUser, Grants, readAllow } from '../../src/access/grants.ts';
import { matchesPattern } from '../../src/channels/pattern.ts';

for (const [held, asked, expected] of [
  ['a', 'a', true],
  ['a', 'b', false],
  ['a/b', 'a', false],
  ['a', 'a/b', false],
  ['a/+', 'a/b', true],
  ['a/+', 'a/+', true],
  ['a/+', 'a/#', false],
  ['a/+', 'a', false],
  ['a/+', 'a/b/c', false],
  ['a/#', 'a', true],
  ['a/#', 'a/b/c', true],
  ['a/#', 'a/+', true],
  ['a/#', 'a/#', true],
  ['a/#', 'a/b/#', true],
  ['a/#', '#', false],
  ['a/b/#', 'a/#', false],
  ['a/b', 'a/+', false],
  ['+', '#', false],
  ['+/#', '#', false],
  ['+/b', '+/b', true],
  ['+/b', 'a/+', false],
  ['#', 'anything/at/all', true],
  ['#', '#', true],
  ['a+', 'ab', false],
] as const) {
  test(`who holds ${held} ${expected ? 'may' : 'may not'} have ${asked}`, () =>
    assert.equal(covers(held, asked), expected));
}

const segment = fc.constantFrom('a', 'b', '+');
const pattern = fc
  .tuple(fc.array(segment, { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([segments, all]) => (all ? [...segments, '#'] : segments).join('/'));
const channel = fc
  .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 4 })
  .map((segments) => segments.join('/'));

test('what a covered pattern means, the pattern that covers it means too', () => {
  fc.assert(
    fc.property(pattern, pattern, channel, (held, asked, name) => {
      if (covers(held, asked) && matchesPattern(asked, name)) assert.ok(matchesPattern(held, name));
    }),
    { numRuns: 5000 },
  );
});

test('a pattern covers a channel exactly if it matches it', () => {
  fc.assert(
    fc.property(pattern, channel, (held, name) =>
      assert.equal(covers(held, name), matchesPattern(held, name)),
    ),
    { numRuns: 5000 },
  );
});

test('what several patterns allow adds up, for each permission by itself', () => {
  const grants = new Grants({ 'orders/#': ['subscribe'], 'orders/+': ['publish'], '#': ['presence'] });
  assert.deepEqual(
    ['publish', 'subscribe', 'history', 'presence', 'admin'].map((permission) =>
      grants.allows(permission as 'publish', 'orders/1'),
    ),
    [true, true, false, true, false],
  );
  assert.equal(grants.allows('publish', 'orders/1/items'), false);
  assert.equal(grants.allows('subscribe', 'orders/#'), true);
  assert.equal(grants.allows('subscribe', '#'), false);
  // Asked again, from memory.
  assert.equal(grants.allows('publish', 'orders/1'), true);
});

test('two patterns that together mean all of a third do not cover it', () => {
  // Whether they do can be hard to see, and who needs it writes the wider pattern.
  const grants = new Grants({ 'a/+': ['subscribe'], a: ['subscribe'] });
  assert.equal(grants.allows('subscribe', 'a/#'), false);
});

test('admin is about the server, under whatever pattern it stands', () => {
  assert.equal(new Grants({ none: ['admin'] }).allows('admin', ''), true);
  assert.equal(Grants.none.allows('admin', ''), false);
  assert.equal(Grants.all.allows('admin', ''), true);
});

test('{user} stands for the user, and for nobody whose name would mean more than one', () => {
  const allow = { 'users/{user}/#': ['subscribe'], news: ['subscribe'] } as const;
  assert.deepEqual(Object.keys(forUser(allow, 'alice')), ['users/alice/#', 'news']);
  for (const user of ['', '+', '#', 'a/b', '/'])
    assert.deepEqual(Object.keys(forUser(allow, user)), ['news']);
  assert.deepEqual(Object.keys(forUser(allow, '$&')), ['users/$&/#', 'news']);
});

test('what a token brings is checked before it is believed', () => {
  assert.deepEqual(readAllow({ a: ['publish'] }), { a: ['publish'] });
  for (const wrong of [null, 1, 'a', [], { a: 'publish' }, { a: ['fly'] }, { a: [1] }, { a: null }])
    assert.equal(readAllow(wrong), null);
});

test('a name that no channel can have is allowed nothing, and is not remembered', () => {
  const grants = new Grants({ '#': ['publish'] });
  assert.equal(grants.allows('publish', 'x'.repeat(1500)), true);
  assert.equal(grants.allows('publish', 'x'.repeat(1501)), false);
});
