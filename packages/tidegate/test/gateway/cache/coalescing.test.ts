import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CacheFixture, type Client, FRESH, failure, headOf, requestOf } from './cache-fixture.ts';

const followers = (fixture: CacheFixture, count: number, request = requestOf('/a')): Client[] =>
  Array.from({ length: count }, () => {
    const { lookup, client } = fixture.ask(request);
    assert.equal(lookup.kind, 'wait');
    return client;
  });

test('ten thousand requests for the same are one to the origin (RFC 9111, section 4)', () => {
  const fixture = new CacheFixture();
  const { fetch, client } = fixture.fetch(requestOf('/a'));
  const others = followers(fixture, 10_000);
  fixture.answer(fetch, { fields: FRESH, body: 'one' });
  for (const { received, outcome } of [client, ...others]) {
    assert.equal(received, 'one');
    assert.equal(outcome, 'ended');
  }
  assert.equal(fixture.metrics.value('tidegate_cache_requests_total collapsed'), 10_000);
  assert.equal(fixture.metrics.value('tidegate_cache_requests_total miss'), 1);
});

test('requests that differ in query, host or what the route adds do not wait for each other', () => {
  const fixture = new CacheFixture({ keyHeaders: ['x-tenant'] });
  fixture.fetch(requestOf('/a?x=1'));
  for (const other of [
    requestOf('/a?x=2'),
    requestOf('/a'),
    requestOf('/a?x=1', {}, { host: 'b.example' }),
    requestOf('/a?x=1', {}, { scheme: 'https' }),
    requestOf('/a?x=1', { 'x-tenant': 'b' }),
  ])
    assert.equal(fixture.ask(other).lookup.kind, 'fetch');
});

test('followers get the body as it arrives, also those who come in the middle', () => {
  const fixture = new CacheFixture();
  const { fetch, client } = fixture.fetch(requestOf('/a'));
  const [early] = followers(fixture, 1);
  assert.equal(fetch.head(headOf(200, { ...FRESH, 'content-length': '9' })), 'store');
  const slice = Buffer.from('abc');
  fetch.data(slice);
  slice.fill('x');
  assert.equal(early.received, 'abc', 'a slice is copied');
  const [late] = followers(fixture, 1);
  assert.equal(late.received, 'abc');
  assert.equal(late.reply?.lengthBytes, 9);
  fetch.data(Buffer.from('defghi'));
  fetch.end();
  for (const each of [client, early, late])
    assert.deepEqual([each.received, each.outcome], ['abcdefghi', 'ended']);
});

test('what cannot be shared lets all who wait go at once, and the next ones do not wait', () => {
  const fixture = new CacheFixture();
  const { fetch, client } = fixture.fetch(requestOf('/a'));
  const others = followers(fixture, 5);
  assert.equal(fetch.head(headOf(200, { 'cache-control': 'private' })), 'pass');
  assert.equal(client.outcome, 'open', 'the response is given to it by another way');
  for (const other of others) assert.equal(other.outcome, 'released');
  fixture.fetch(requestOf('/a'));
  fixture.fetch(requestOf('/a'));
  assert.equal(fixture.metrics.value('tidegate_cache_released_total'), 5);
});

test('what could not be shared is waited for again once it can be, or after limits.cacheUncacheableKeyMs', () => {
  const fixture = new CacheFixture({}, { cacheUncacheableKeyMs: 5000 });
  fixture.fill(requestOf('/a'), { fields: { 'cache-control': 'no-store' } });
  fixture.fetch(requestOf('/a')).client.ticket?.leave();
  assert.equal(fixture.kind(requestOf('/a')), 'fetch');
  fixture.advanceSeconds(5);
  fixture.fetch(requestOf('/a'));
  followers(fixture, 1);
});

test('limits.cacheUncacheableKeysMax bounds what is remembered as not worth waiting for', () => {
  const fixture = new CacheFixture({}, { cacheUncacheableKeysMax: 2 });
  for (const target of ['/a', '/b', '/c'])
    fixture.fill(requestOf(target), { fields: { 'cache-control': 'no-store' } });
  const waits = (target: string): boolean => {
    fixture.fetch(requestOf(target));
    return fixture.ask(requestOf(target)).lookup.kind === 'wait';
  };
  assert.deepEqual(['/a', '/b', '/c'].map(waits), [true, false, false]);
});

test('a failure is told to the one who asked, and lets the others go', () => {
  const fixture = new CacheFixture();
  const { fetch, client } = fixture.fetch(requestOf('/a'));
  const others = followers(fixture, 3);
  fetch.failed(failure());
  assert.equal(client.error?.code, 'upstream_unreachable');
  for (const other of others) assert.equal(other.outcome, 'released');
  fixture.fetch(requestOf('/a'));
  followers(fixture, 1);
});

test('a failure after the head is a failure for all', () => {
  const fixture = new CacheFixture();
  const { fetch, client } = fixture.fetch(requestOf('/a'));
  const [other] = followers(fixture, 1);
  fetch.head(headOf(200, FRESH));
  fetch.data(Buffer.from('x'));
  fetch.failed(failure());
  assert.deepEqual([client.outcome, other.outcome], ['failed', 'failed']);
});

test('when the one who asked leaves, the fetch goes on for those who wait', () => {
  const fixture = new CacheFixture();
  const { fetch, client } = fixture.fetch(requestOf('/a'));
  let aborts = 0;
  fetch.begin({ resume() {}, abort: () => aborts++ });
  const [other] = followers(fixture, 1);
  client.ticket?.leave();
  assert.equal(aborts, 0);
  fixture.answer(fetch, { fields: FRESH, body: 'x' });
  assert.equal(other.received, 'x');
  assert.equal(client.reply, null);
});

test('when all have left, the origin is told, before the head and after it', () => {
  for (const after of ['nothing', 'head', 'data']) {
    const fixture = new CacheFixture();
    const { fetch, client } = fixture.fetch(requestOf('/a'));
    let aborts = 0;
    fetch.begin({ resume() {}, abort: () => aborts++ });
    const [other] = followers(fixture, 1);
    if (after !== 'nothing') fetch.head(headOf(200, FRESH));
    if (after === 'data') fetch.data(Buffer.from('x'));
    other.ticket?.leave();
    client.ticket?.leave();
    assert.equal(aborts, 1, after);
    assert.equal(fixture.metrics.value('tidegate_cache_fetch_bytes'), 0);
    fixture.fetch(requestOf('/a'));
  }
});

test('when the one who asked has left and the response cannot be shared, nobody gets it', () => {
  const fixture = new CacheFixture();
  const { fetch, client } = fixture.fetch(requestOf('/a'));
  const [other] = followers(fixture, 1);
  client.ticket?.leave();
  assert.equal(fetch.head(headOf(200, { 'cache-control': 'private' })), 'done');
  assert.equal(other.outcome, 'released');
});

test('a follower for whom the response was not chosen goes to the origin by itself (RFC 9111, section 4.1)', () => {
  const fixture = new CacheFixture();
  const { fetch } = fixture.fetch(requestOf('/a', { 'accept-language': 'de' }));
  const [same] = followers(fixture, 1, requestOf('/a', { 'accept-language': 'de' }));
  const [other] = followers(fixture, 1, requestOf('/a', { 'accept-language': 'fr' }));
  fixture.answer(fetch, { fields: { ...FRESH, vary: 'accept-language' } });
  assert.equal(same.outcome, 'ended');
  assert.equal(other.outcome, 'released');
  fixture.advanceSeconds(61);
  fixture.fetch(requestOf('/a', { 'accept-language': 'de' }));
  assert.equal(
    fixture.ask(requestOf('/a', { 'accept-language': 'fr' })).lookup.kind,
    'fetch',
    'known by now',
  );
});

test('a response that must be validated each time is not shared with those who wait (RFC 9111, section 5.2.2.4)', () => {
  const fixture = new CacheFixture();
  const { fetch, client } = fixture.fetch(requestOf('/a'));
  const [other] = followers(fixture, 1);
  fixture.answer(fetch, { fields: { etag: '"1"', 'cache-control': 'no-cache' } });
  assert.equal(client.outcome, 'ended');
  assert.equal(other.outcome, 'released');
});

test('a request with Authorization waits for its like, and shares what the origin allows (RFC 9111, section 3.5)', () => {
  for (const [control, outcome] of [
    ['public, max-age=60', 'ended'],
    ['max-age=60', 'released'],
  ]) {
    const fixture = new CacheFixture();
    const { fetch } = fixture.fetch(requestOf('/a', { authorization: 'a' }));
    const [other] = followers(fixture, 1, requestOf('/a', { authorization: 'b' }));
    fixture.answer(fetch, { fields: { 'cache-control': control } });
    assert.equal(other.outcome, outcome);
  }
});

test('made-up credentials do not keep others from waiting for each other', () => {
  const fixture = new CacheFixture();
  const { fetch } = fixture.fetch(requestOf('/a', { authorization: 'made up' }));
  fetch.head(headOf(401, {}));
  fixture.fetch(requestOf('/a'));
  followers(fixture, 1);
});

test('a client that wants the origin to be asked does not wait for what was asked before (RFC 9111, section 5.2.1.4)', () => {
  const fixture = new CacheFixture();
  fixture.fetch(requestOf('/a'));
  assert.equal(fixture.ask(requestOf('/a', { 'cache-control': 'no-cache' })).lookup.kind, 'fetch');
});

test('beyond limits.cacheFetchWaitersMax others wait for another fetch', () => {
  const fixture = new CacheFixture({}, { cacheFetchWaitersMax: 3 });
  const first = fixture.fetch(requestOf('/a'));
  const early = followers(fixture, 2);
  const second = fixture.fetch(requestOf('/a'));
  const late = followers(fixture, 2);
  fixture.answer(first.fetch, { fields: FRESH, body: 'first' });
  for (const { received } of early) assert.equal(received, 'first');
  for (const { received } of late) assert.equal(received, '');
  fixture.answer(second.fetch, { fields: FRESH, body: 'second' });
  for (const { received } of late) assert.equal(received, 'second');
});

test('those who wait get a validated response too, each as it asked', () => {
  const fixture = new CacheFixture();
  fixture.fill(requestOf('/a'), { fields: { ...FRESH, etag: '"1"' }, body: 'old' });
  fixture.advanceSeconds(61);
  const { fetch, client } = fixture.fetch(requestOf('/a'));
  const [plain] = followers(fixture, 1);
  const [conditional] = followers(fixture, 1, requestOf('/a', { 'if-none-match': '"1"' }));
  fetch.head(headOf(304, {}));
  assert.deepEqual([client.received, plain.received], ['old', 'old']);
  assert.equal(conditional.status, 304);
});

test('when the origin fails, all who wait get what is stale (RFC 5861, section 4)', () => {
  const fixture = new CacheFixture({ staleIfErrorMs: 100_000 });
  fixture.fill(requestOf('/a'), { fields: FRESH, body: 'old' });
  fixture.advanceSeconds(61);
  const { fetch, client } = fixture.fetch(requestOf('/a'));
  const [other] = followers(fixture, 1);
  fetch.failed(failure());
  assert.deepEqual([client.received, other.received], ['old', 'old']);
  assert.equal(fixture.metrics.value('tidegate_cache_requests_total stale_if_error'), 2);
});

test('a client that leaves from within what it is told harms nobody', () => {
  const fixture = new CacheFixture();
  const { fetch, client } = fixture.fetch(requestOf('/a'));
  const [leaving, other] = followers(fixture, 2);
  leaving.head = (): void => {
    leaving.ticket?.leave();
    client.ticket?.leave();
  };
  fixture.answer(fetch, { fields: FRESH, body: 'x' });
  assert.equal(other.received, 'x');
  assert.equal(fixture.ask(requestOf('/a')).client.received, 'x');
});

test('when all leave from within what they are told, the origin is told once', () => {
  const fixture = new CacheFixture();
  const { fetch, client } = fixture.fetch(requestOf('/a'));
  let aborts = 0;
  fetch.begin({ resume() {}, abort: () => aborts++ });
  const [other] = followers(fixture, 1);
  for (const each of [client, other]) {
    each.head = (): void => {
      each.ticket?.leave();
    };
  }
  assert.equal(fetch.head(headOf(200, FRESH)), 'done');
  assert.equal(aborts, 1);
  assert.equal(fetch.data(Buffer.from('late')), true);
  fetch.end();
  assert.equal(fixture.cache.responses, 0);
});

test('those who waited get a response that the origin took longer for than it is fresh', () => {
  const fixture = new CacheFixture();
  const { fetch, client } = fixture.fetch(requestOf('/a'));
  const others = [
    ...followers(fixture, 2),
    ...followers(fixture, 1, requestOf('/a', { 'cache-control': 'max-age=0' })),
  ];
  fixture.advanceSeconds(3);
  fixture.answer(fetch, { fields: { 'cache-control': 'max-age=2' }, body: 'slow' });
  for (const each of [client, ...others]) assert.equal(each.received, 'slow');
  fixture.fetch(requestOf('/a'));
  followers(fixture, 1);
});

test('requests for what must be validated each time do not wait for each other once that is known', () => {
  const fixture = new CacheFixture();
  const fields = { etag: '"1"', 'cache-control': 'no-cache' };
  fixture.fill(requestOf('/a'), { fields });
  const first = fixture.fetch(requestOf('/a'));
  fixture.fetch(requestOf('/a'));
  first.fetch.head(headOf(304, fields));
  fixture.fetch(requestOf('/a'));
  fixture.fetch(requestOf('/a'));
});
