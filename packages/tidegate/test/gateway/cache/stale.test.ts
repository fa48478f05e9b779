import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CacheFixture, type Fields, failure, headOf, requestOf } from './cache-fixture.ts';

/** A fixture with a response that has been stale for ten seconds. */
function staleFixture(control: string, options = {}, limits = {}): CacheFixture {
  const fixture = new CacheFixture(options, limits);
  fixture.fill(requestOf('/a'), { fields: { etag: '"1"', 'cache-control': control }, body: 'old' });
  fixture.advanceSeconds(70);
  return fixture;
}

const failedBy = {
  'a refused connection': (fixture: CacheFixture, fields?: Fields) => {
    const { fetch, client } = fixture.fetch(requestOf('/a', fields));
    fetch.failed(failure());
    return client;
  },
  'a 503': (fixture: CacheFixture, fields?: Fields) => {
    const { fetch, client } = fixture.fetch(requestOf('/a', fields));
    if (fetch.head(headOf(503, {})) === 'pass') client.failed(failure());
    return client;
  },
};

test('a stale response is served while it is renewed, once for all (RFC 5861, section 3)', () => {
  const fixture = staleFixture('max-age=60, stale-while-revalidate=30');
  const { lookup, client } = fixture.ask(requestOf('/a', { 'if-none-match': '"0"' }));
  assert.equal(client.received, 'old');
  assert.equal(client.reply?.age, '70');
  assert.equal(client.cacheStatus, 'tidegate; hit; ttl=-10');
  assert.ok(lookup.kind === 'reply' && lookup.revalidation !== null);
  assert.deepEqual(lookup.revalidation.changes.add, [['if-none-match', '"1"']]);
  for (let more = 0; more < 3; more++) {
    const { lookup: other } = fixture.ask(requestOf('/a'));
    assert.ok(other.kind === 'reply' && other.revalidation === null);
  }
  fixture.answer(lookup.revalidation, { fields: { 'cache-control': 'max-age=60' }, body: 'new' });
  assert.equal(fixture.ask(requestOf('/a')).client.received, 'new');
  assert.equal(fixture.metrics.value('tidegate_cache_requests_total stale'), 4);
});

test('past stale-while-revalidate the origin is asked first (RFC 5861, section 3)', () => {
  const fixture = staleFixture('max-age=60, stale-while-revalidate=10');
  assert.equal(fixture.kind(requestOf('/a')), 'fetch');
});

test('a revalidation that finds the response gone ends it', () => {
  const fixture = staleFixture('max-age=60, stale-while-revalidate=30');
  const { lookup } = fixture.ask(requestOf('/a'));
  assert.ok(lookup.kind === 'reply' && lookup.revalidation !== null);
  assert.equal(
    fixture.answer(lookup.revalidation, { status: 404, fields: { 'cache-control': 'no-store' } }),
    'done',
  );
  assert.equal(fixture.kind(requestOf('/a')), 'fetch');
});

test('after a revalidation has failed, the origin rests for limits.cacheOriginRestMs', () => {
  const fixture = staleFixture('max-age=60, stale-while-revalidate=30', {}, { cacheOriginRestMs: 2000 });
  const revalidation = () => {
    const { lookup } = fixture.ask(requestOf('/a'));
    assert.ok(lookup.kind === 'reply');
    return lookup.revalidation;
  };
  revalidation()?.failed(failure());
  assert.equal(revalidation(), null);
  fixture.clock.advance(1999);
  assert.equal(revalidation(), null);
  fixture.clock.advance(1);
  assert.notEqual(revalidation(), null);
});

test('no more than limits.cacheRevalidationsMax are under way for nobody', () => {
  const fixture = new CacheFixture({ staleWhileRevalidateMs: 30_000 }, { cacheRevalidationsMax: 2 });
  const targets = ['/a', '/b', '/c'];
  for (const target of targets)
    fixture.fill(requestOf(target), { fields: { 'cache-control': 'max-age=60' } });
  fixture.advanceSeconds(61);
  const begun = targets.map((target) => {
    const { lookup } = fixture.ask(requestOf(target));
    assert.ok(lookup.kind === 'reply');
    return lookup.revalidation;
  });
  assert.deepEqual(
    begun.map((fetch) => fetch !== null),
    [true, true, false],
  );
  begun[0]?.failed(failure());
  const { lookup } = fixture.ask(requestOf('/c'));
  assert.ok(lookup.kind === 'reply' && lookup.revalidation !== null, 'there is room again');
});

for (const [what, fails] of Object.entries(failedBy)) {
  test(`${what} is answered with what is stale, if the origin allows it (RFC 5861, section 4)`, () => {
    const client = fails(staleFixture('max-age=60, stale-if-error=30'));
    assert.equal(client.status, 200);
    assert.equal(client.received, 'old');
    assert.match(
      client.cacheStatus ?? '',
      /^tidegate; fwd=stale;(?: fwd-status=503;)? ttl=-10; detail=stale-if-error$/,
    );
  });

  test(`${what} is not hidden where nothing stale may be served`, () => {
    for (const control of [
      'max-age=60',
      'max-age=60, stale-if-error=10',
      'max-age=60, stale-if-error=30, must-revalidate',
      'max-age=60, stale-if-error=30, proxy-revalidate',
      'max-age=60, stale-if-error=30, no-cache',
    ])
      assert.equal(fails(staleFixture(control)).outcome, 'failed', control);
  });

  test(`${what} is told to a client that wants the origin to be asked`, () => {
    const client = fails(staleFixture('max-age=60, stale-if-error=30'), { 'cache-control': 'no-cache' });
    assert.equal(client.outcome, 'failed');
  });
}

test('what the route says of stale responses takes the place of what the origin says, but not of its must-revalidate', () => {
  const options = { staleWhileRevalidateMs: 20_000, staleIfErrorMs: 40_000 };
  const serves = (control: string) => staleFixture(control, options).kind(requestOf('/a')) === 'reply';
  assert.equal(serves('max-age=60'), true);
  assert.equal(serves('s-maxage=60'), true);
  assert.equal(serves('max-age=60, stale-while-revalidate=1'), true);
  assert.equal(serves('max-age=60, must-revalidate'), false);
  assert.equal(serves('max-age=60, proxy-revalidate'), false);
});

test('while the origin rests, what may be served stale is served at once', () => {
  const fixture = staleFixture('max-age=60, stale-if-error=30');
  fixture.fetch(requestOf('/a')).fetch.failed(failure());
  const { lookup } = fixture.ask(requestOf('/a'));
  assert.ok(lookup.kind === 'reply' && lookup.revalidation === null);
  fixture.advanceSeconds(1);
  assert.equal(fixture.kind(requestOf('/a')), 'fetch');
});

test('statuses that are no failure are passed on, stale response or not (RFC 5861, section 4)', () => {
  const fixture = staleFixture('max-age=60, stale-if-error=30');
  const { fetch } = fixture.fetch(requestOf('/a'));
  assert.equal(fetch.head(headOf(501, { 'cache-control': 'no-store' })), 'pass');
});
