import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CacheFixture, type Fields, FRESH, failure, headOf, requestOf } from './cache-fixture.ts';

const HOLD: Fields = {
  ...FRESH,
  etag: '"1"',
  'grip-hold': 'stream',
  'grip-channel': ['news; prev-id=5', 'sports'],
  'grip-keep-alive': '\\n; format=cstring; timeout=20',
};

test('an instruction is stored as its origin sent it, with the initial data', () => {
  const fixture = new CacheFixture();
  fixture.fill(requestOf('/a'), { fields: HOLD, body: 'initial\n' });
  const { client } = fixture.ask(requestOf('/a'));
  assert.equal(client.received, 'initial\n');
  assert.equal(client.headers.get('grip-hold'), 'stream');
  assert.deepEqual(client.headers.all('grip-channel'), ['news; prev-id=5', 'sports']);
});

test('ten thousand clients get their data and their hold for one request to the origin, and while it is down', () => {
  const fixture = new CacheFixture({ staleIfErrorMs: 1000_000 });
  const { fetch, client } = fixture.fetch(requestOf('/a'));
  const others = Array.from({ length: 10_000 }, () => fixture.ask(requestOf('/a')).client);
  fixture.answer(fetch, { fields: HOLD, body: 'initial' });
  fixture.advanceSeconds(61);
  const down = fixture.fetch(requestOf('/a'));
  down.fetch.failed(failure());
  const later = fixture.ask(requestOf('/a')).client;
  for (const each of [client, ...others, down.client, later]) {
    assert.equal(each.received, 'initial');
    assert.equal(each.headers.get('grip-hold'), 'stream');
  }
  assert.equal(fixture.metrics.value('tidegate_cache_requests_total miss'), 1);
});

test('the body of an instruction is for the gateway: no 304 and no part of it is made by the cache', () => {
  for (const fields of [HOLD, { ...FRESH, etag: '"1"', 'content-type': 'Application/GRIP-instruct' }]) {
    const fixture = new CacheFixture();
    const asked = { 'if-none-match': '"1"', range: 'bytes=0-1' };
    fixture.fill(requestOf('/a', { 'if-none-match': '"1"' }), { fields, body: '{"hold":{}}' });
    const { client } = fixture.ask(requestOf('/a', asked));
    assert.equal(client.status, 200);
    assert.equal(client.received, '{"hold":{}}');
  }
});

test('a 304 of the origin renews the instruction that it brings', () => {
  const fixture = new CacheFixture();
  fixture.fill(requestOf('/a'), { fields: HOLD, body: 'initial' });
  fixture.advanceSeconds(61);
  const { fetch, client } = fixture.fetch(requestOf('/a'));
  fetch.head(headOf(304, { etag: '"1"', 'grip-channel': 'news; prev-id=9' }));
  assert.deepEqual(client.headers.all('grip-channel'), ['news; prev-id=9']);
  assert.equal(client.headers.get('grip-hold'), 'stream');
  assert.equal(client.received, 'initial');
});
