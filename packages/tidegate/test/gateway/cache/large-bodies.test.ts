import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FetchBody, FetchBudget } from '../../../src/gateway/cache/fetch-body.ts';
import { CacheFixture, Client, FRESH, headOf, requestOf } from './cache-fixture.ts';

/** An origin that writes down what it is told. */
class Origin {
  readonly told: string[] = [];
  resume(): void {
    this.told.push('resume');
  }
  abort(): void {
    this.told.push('abort');
  }
}

function begun(fixture: CacheFixture, followers = 0) {
  const { fetch, client } = fixture.fetch(requestOf('/a'));
  const origin = new Origin();
  fetch.begin(origin);
  const others = Array.from({ length: followers }, () => fixture.ask(requestOf('/a')).client);
  return { fetch, client, origin, others };
}

test('a body that says it is longer than a route stores is passed on, and those who wait go', () => {
  const fixture = new CacheFixture({ entryBytesMax: 10 });
  const { fetch, others } = begun(fixture, 1);
  assert.equal(fetch.head(headOf(200, { ...FRESH, 'content-length': '11' })), 'pass');
  assert.equal(others[0].outcome, 'released');
});

test('limits.cacheEntryBytesMax bounds what a route may store', () => {
  const fixture = new CacheFixture({ entryBytesMax: 1000 }, { cacheEntryBytesMax: 10 });
  assert.equal(
    fixture.fill(requestOf('/a'), { fields: { ...FRESH, 'content-length': '11' }, body: '12345678901' }),
    'pass',
  );
  assert.equal(
    fixture.fill(requestOf('/b'), { fields: { ...FRESH, 'content-length': '10' }, body: '1234567890' }),
    'store',
  );
});

test('a body that turns out longer reaches all who have its beginning, and is not stored', () => {
  const fixture = new CacheFixture({ entryBytesMax: 10 });
  const { fetch, client, others } = begun(fixture, 2);
  assert.equal(fetch.head(headOf(200, FRESH)), 'store');
  let sent = '';
  for (let at = 0; at < 100; at++) {
    const slice = `${at},`;
    sent += slice;
    assert.equal(fetch.data(Buffer.from(slice)), true);
  }
  for (let at = 0; at < 100; at++) {
    sent += 'x'.repeat(1000);
    fetch.data(Buffer.alloc(1000, 'x'));
    assert.ok(fixture.metrics.value('tidegate_cache_fetch_bytes') <= 8192, 'what all have had is let go');
  }
  assert.equal(fixture.ask(requestOf('/a')).lookup.kind, 'fetch', 'nobody joins what has lost its beginning');
  fetch.end();
  for (const each of [client, ...others]) assert.deepEqual([each.received, each.outcome], [sent, 'ended']);
  assert.equal(fixture.cache.responses, 0);
  assert.equal(fixture.metrics.value('tidegate_cache_fetch_bytes'), 0);
});

test('a body that is too large is read at the pace of the one who asked', () => {
  const fixture = new CacheFixture({ entryBytesMax: 10 });
  const { fetch, client, origin } = begun(fixture);
  client.takes = 2;
  fetch.head(headOf(200, FRESH));
  assert.equal(fetch.data(Buffer.from('0123456789')), true, 'what is stored does not wait for anybody');
  assert.equal(fetch.data(Buffer.from('abc')), false);
  assert.equal(fetch.data(Buffer.from('def')), false, 'what was under way already');
  assert.equal(client.received, '0123456789abc');
  client.take(1);
  assert.deepEqual(origin.told, [], 'it is full again');
  client.take(5);
  assert.deepEqual(origin.told, ['resume']);
  assert.equal(fetch.data(Buffer.from('ghi')), true);
  fetch.end();
  assert.equal(client.received, '0123456789abcdefghi');
  assert.equal(client.outcome, 'ended');
});

test('a slow follower of a large body is cut off, and holds up nobody', () => {
  const fixture = new CacheFixture({ entryBytesMax: 10 });
  const { fetch, client, others, origin } = begun(fixture, 1);
  others[0].takes = 1;
  fetch.head(headOf(200, FRESH));
  for (let at = 0; at < 10; at++) assert.equal(fetch.data(Buffer.from('12345')), true);
  assert.equal(others[0].error?.code, 'upstream_reset');
  assert.equal(client.received.length, 50);
  assert.deepEqual(origin.told, []);
  assert.equal(fixture.metrics.value('tidegate_cache_lagging_total'), 1);
});

test('when the one that paces leaves, the next one does', () => {
  const fixture = new CacheFixture({ entryBytesMax: 10 });
  const { fetch, client, others, origin } = begun(fixture, 1);
  client.takes = 1;
  fetch.head(headOf(200, FRESH));
  fetch.data(Buffer.from('12345'));
  assert.equal(fetch.data(Buffer.from('6789012')), false);
  client.ticket?.leave();
  assert.deepEqual(origin.told, ['resume']);
  others[0].ticket?.leave();
  assert.deepEqual(origin.told, ['resume', 'abort']);
});

test('slow clients get all of a stored body after its end, and then nothing is held', () => {
  const fixture = new CacheFixture();
  const { fetch, client, others } = begun(fixture, 1);
  client.takes = 1;
  fetch.head(headOf(200, FRESH));
  fetch.data(Buffer.from('abc'));
  fetch.data(Buffer.from('def'));
  fetch.end();
  assert.deepEqual([others[0].received, others[0].outcome], ['abcdef', 'ended']);
  assert.deepEqual([client.received, client.outcome], ['abc', 'open']);
  assert.equal(fixture.ask(requestOf('/a')).client.received, 'abcdef');
  client.take(5);
  assert.deepEqual([client.received, client.outcome], ['abcdef', 'ended']);
  assert.equal(fixture.metrics.value('tidegate_cache_fetch_bytes'), 0);
});

test('past limits.cacheFetchBytesMax bodies under way are passed on and not stored', () => {
  const fixture = new CacheFixture({}, { cacheFetchBytesMax: 64 * 1024 });
  const first = fixture.fetch(requestOf('/a'));
  assert.equal(first.fetch.head(headOf(200, { ...FRESH, 'content-length': '50000' })), 'store');
  const second = fixture.fetch(requestOf('/b'));
  assert.equal(second.fetch.head(headOf(200, { ...FRESH, 'content-length': '20000' })), 'pass');
  const third = fixture.fetch(requestOf('/c'));
  assert.equal(third.fetch.head(headOf(200, FRESH)), 'store');
  for (let at = 0; at < 20; at++) third.fetch.data(Buffer.alloc(1000, 'x'));
  third.fetch.end();
  assert.equal(third.client.received.length, 20_000);
  assert.equal(fixture.kind(requestOf('/c')), 'fetch');
  first.fetch.data(Buffer.alloc(50_000));
  first.fetch.end();
  assert.equal(fixture.kind(requestOf('/a')), 'reply');
  assert.equal(fixture.metrics.value('tidegate_cache_fetch_bytes'), 0);
});

test('a fetch for nobody ends once its body is too large', () => {
  const fixture = new CacheFixture({ entryBytesMax: 10, staleWhileRevalidateMs: 100_000 });
  fixture.fill(requestOf('/a'), { fields: FRESH, body: 'old' });
  fixture.advanceSeconds(61);
  const { lookup } = fixture.ask(requestOf('/a'));
  assert.ok(lookup.kind === 'reply' && lookup.revalidation !== null);
  const origin = new Origin();
  lookup.revalidation.begin(origin);
  lookup.revalidation.head(headOf(200, FRESH));
  lookup.revalidation.data(Buffer.alloc(11));
  assert.deepEqual(origin.told, ['abort']);
});

test('a stored body lies in memory of just its length', () => {
  for (const lengths of [[], [5], [1, 2, 3], [10_000, 1, 70_000]]) {
    const budget = new FetchBudget(1e9);
    const body = new FetchBody(budget);
    let text = '';
    for (const length of lengths) {
      const slice = String(length % 10).repeat(length);
      text += slice;
      body.append(Buffer.from(slice));
    }
    assert.ok(budget.bytes >= text.length && budget.bytes <= text.length * 2 + 4096);
    const whole = body.settle();
    assert.equal(whole.toString(), text);
    assert.equal(whole.buffer.byteLength, text.length);
    assert.equal(budget.bytes, 0);
    assert.equal(body.from(0).length, text.length);
  }
});

test('a client that reads nothing is handed nothing twice', () => {
  const fixture = new CacheFixture();
  const { fetch } = begun(fixture);
  const client = new Client();
  const { lookup } = fixture.ask(requestOf('/a'));
  assert.ok(lookup.kind === 'wait');
  fetch.head(headOf(200, FRESH));
  fetch.data(Buffer.from('abc'));
  lookup.ticket.attach(client);
  lookup.ticket.drained();
  assert.equal(client.reply, null, 'the first attachment counts');
});
