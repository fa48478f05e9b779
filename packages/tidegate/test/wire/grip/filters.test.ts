import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { applyFilters, GRIP_FEATURES, messageFilters, suitsFilters } from '../../../src/wire/grip/index.ts';

interface Given {
  readonly subscriber?: Record<string, string>;
  readonly item?: Record<string, string>;
  readonly ids?: Record<string, string | null>;
}

/** What filters make of some content: text, or what they call the outcome. */
function filtered(names: string | string[], content: string, given: Given = {}): string {
  const result = applyFilters(messageFilters([names].flat()), Buffer.from(content), {
    subscriptionMeta: new Map(Object.entries(given.subscriber ?? {})),
    publicationMeta: new Map(Object.entries(given.item ?? {})),
    channelIds: new Map(Object.entries(given.ids ?? {})),
  });
  return typeof result === 'string' ? `(${result})` : Buffer.from(result).toString();
}

const SKIPPED = '(skipped)';
const UNRESOLVED = '(unresolved)';

describe('Filters', () => {
  test('leave content as it is if there are none, or none that is known', () => {
    assert.equal(filtered([], 'a %I'), 'a %I');
    assert.equal(filtered(['unheard-of', 'constructor'], '%(x)s'), '%(x)s');
  });

  test('apply in their order, until one of them takes the content away', () => {
    const names = ['skip-self', 'var-subst'];
    const subscriber = { user: 'alice' };
    assert.equal(filtered(names, 'hello %(user)s', { subscriber }), 'hello alice');
    assert.equal(filtered(names, 'hello %(user)s', { subscriber, item: { sender: 'alice' } }), SKIPPED);
    assert.equal(
      filtered(['var-subst', 'skip-self'], '%(x)s', { subscriber, item: { sender: 'alice' } }),
      UNRESOLVED,
    );
    const twice = filtered(['var-subst', 'var-subst'], '%%(user)s', { subscriber });
    assert.equal(twice, 'alice');
  });
});

test('The features are those that GRIP names, with a filter for each that is known', () => {
  assert.equal(
    GRIP_FEATURES.join(', '),
    'status, session, link:next, link:gone, filter:skip-self, filter:skip-users, filter:require-sub, filter:build-id, filter:var-subst, filter:http-check, filter:http-modify',
  );
});

describe('The filter skip-self', () => {
  test('skips whoever sent the item, and nobody who is not known', () => {
    const skip = (user?: string, sender?: string): string =>
      filtered('skip-self', 'x', {
        subscriber: user === undefined ? {} : { user },
        item: sender === undefined ? {} : { sender },
      });
    assert.equal(skip('a', 'a'), SKIPPED);
    for (const [user, sender] of [['a', 'b'], ['a'], [undefined, 'a'], ['', ''], []]) {
      assert.equal(skip(user, sender), 'x');
    }
  });
});

describe('The filter skip-users', () => {
  test('skips those in the list, and nobody else', () => {
    const skip = (user: string, skip_users: string): string =>
      filtered('skip-users', 'x', { subscriber: { user }, item: { skip_users } });
    for (const list of ['a', 'b,a', ' b , a ', 'a,']) assert.equal(skip('a', list), SKIPPED, list);
    for (const list of ['', 'b', 'ab', 'A', ',']) assert.equal(skip('a', list), 'x', list);
    assert.equal(skip('', ',,'), 'x');
    assert.equal(filtered('skip-users', 'x', { item: { skip_users: 'a' } }), 'x');
  });
});

describe('The filter require-sub', () => {
  test('skips whoever is not subscribed to the channel that the item requires', () => {
    const item = { require_sub: 'b' };
    assert.equal(filtered('require-sub', 'x', { item, ids: { a: null, b: null } }), 'x');
    assert.equal(filtered('require-sub', 'x', { item, ids: { a: '1' } }), SKIPPED);
    assert.equal(filtered('require-sub', 'x', { ids: { a: '1' } }), 'x');
    assert.equal(filtered('require-sub', 'x', { item: { require_sub: '' } }), 'x');
  });
});

describe('The filter var-subst', () => {
  const subscriber = { name: 'Bö', 'a)b': 'odd', empty: '' };
  const substituted = (content: string): string => filtered('var-subst', content, { subscriber });

  test('replaces variables by the meta of the subscriber', () => {
    assert.equal(substituted('%(name)s, %(name)s%(empty)s!'), 'Bö, Bö!');
    assert.equal(substituted('100%% %(a\\)b)s'), '100% odd');
    assert.equal(substituted('日本 %(name)s'), '日本 Bö');
    assert.equal(substituted('plain'), 'plain');
  });

  test('does not look into what it has put in', () => {
    assert.equal(filtered('var-subst', '%(a)s', { subscriber: { a: '%(a)s%' } }), '%(a)s%');
  });

  test('drops the item if it refers to what is not there or is incomplete', () => {
    for (const content of [
      '%(other)s',
      '%(toString)s',
      '%s',
      '%I',
      '%(name)I',
      '%(name)',
      '%(name',
      '%(name\\',
      '%',
      'a%',
      '% ',
      '%()s',
      '%(name)%',
    ]) {
      assert.equal(substituted(content), UNRESOLVED, content);
    }
  });
});

describe('The filter build-id', () => {
  const ids = { a: '1', 'b)c': 'x', d: null };
  const built = (content: string, subscriber: Record<string, string>): string =>
    filtered('build-id', content, { subscriber, ids });

  test('puts in the id that the format of the subscription makes of the ids of its channels', () => {
    assert.equal(built('id: %I\n%%', { id_format: '%(a)s:%(b\\)c)s%%' }), 'id: 1:x%\n%');
    assert.equal(built('%I%I', { id_format: 'fixed' }), 'fixedfixed');
    assert.equal(built('%I', { id_format: '' }), '');
  });

  test('puts in ids that the item names', () => {
    assert.equal(built('%(x%y\\))I', { id_format: '%(a)s' }), 'x%y)');
  });

  test('encodes both in hexadecimal if it is told to', () => {
    assert.equal(built('%I %(ü)I', { id_format: '%(a)s', id_encoding: 'hex' }), '31 c3bc');
  });

  test('drops the item if it cannot', () => {
    assert.equal(built('x', {}), UNRESOLVED);
    assert.equal(built('%I', { id_format: '%(other)s' }), UNRESOLVED);
    assert.equal(built('%I', { id_format: '%(d)s' }), UNRESOLVED);
    assert.equal(built('%I', { id_format: '%s' }), UNRESOLVED);
    assert.equal(built('%I', { id_format: '%' }), UNRESOLVED);
    assert.equal(built('%I', { id_format: '%(a)s', id_encoding: 'base64' }), UNRESOLVED);
    assert.equal(built('%(a)s', { id_format: '%(a)s' }), UNRESOLVED);
    assert.equal(built('no id in it', { id_format: '%(other)s' }), 'no id in it');
  });
});

describe('Content for certain filters', () => {
  test('is for subscriptions with the same filters of content in the same order', () => {
    assert.ok(suitsFilters(null, ['build-id']));
    assert.ok(suitsFilters([], ['skip-self']));
    assert.ok(suitsFilters(['build-id', 'var-subst'], ['skip-self', 'build-id', 'require-sub', 'var-subst']));
    assert.ok(!suitsFilters(['var-subst', 'build-id'], ['build-id', 'var-subst']));
    assert.ok(!suitsFilters(['build-id'], []));
    assert.ok(!suitsFilters([], ['build-id']));
    assert.ok(!suitsFilters(['skip-self'], ['skip-self']));
  });
});

test('Content of any bytes is replaced or dropped, and without a percent sign left alone', () => {
  const subscriber = { a: 'x', id_format: '%(c)s' };
  const piece = fc.oneof(
    fc.constantFrom('%', '%%', '(', ')', '\\', 's', 'I', '%(a)s', '%I', '%(a', '\xff', 'é'),
    fc.string({ maxLength: 3 }),
  );
  const context = {
    subscriptionMeta: new Map(Object.entries(subscriber)),
    publicationMeta: new Map<string, string>(),
    channelIds: new Map([['c', '1']]),
  };
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const content = Buffer.from(pieces.join(''), 'latin1');
      for (const name of ['var-subst', 'build-id']) {
        const result = applyFilters(messageFilters([name]), content, context);
        if (!content.includes('%')) assert.equal(result, content);
        if (typeof result === 'string') assert.equal(result, 'unresolved');
      }
    }),
    { numRuns: 1000 },
  );
  for (const unit of ['%', '%(', '%%', '%(a)s', '%(a', '\\', '%(\\)']) {
    applyFilters(messageFilters(['var-subst']), Buffer.from(unit.repeat(300_000)), context);
  }
});
