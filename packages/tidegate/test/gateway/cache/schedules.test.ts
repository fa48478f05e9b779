import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { CacheFetch } from '../../../src/gateway/cache/port.ts';
import { CacheFixture, type Client, type Fields, failure, headOf, requestOf } from './cache-fixture.ts';

const HEADS: readonly (readonly [number, Fields])[] = [
  [
    200,
    {
      'cache-control': 'max-age=10, stale-while-revalidate=10, stale-if-error=30',
      etag: '"1"',
      'surrogate-key': 'k',
    },
  ],
  [200, { 'cache-control': 'max-age=10', vary: 'x-v' }],
  [200, { 'cache-control': 'private' }],
  [200, { 'cache-control': 'no-cache', etag: '"1"' }],
  [304, { etag: '"1"' }],
  [304, { etag: '"2"' }],
  [503, {}],
];

/** A request to the origin and how far it has come. */
interface Running {
  readonly fetch: CacheFetch;
  /** The client whose request it is. */
  readonly client: Client | null;
  body: string;
  state: 'asked' | 'body' | 'over';
  paused: number;
}

const pick = fc.nat(1000);
const action = fc.oneof(
  fc.record({
    kind: fc.constant('ask' as const),
    variant: fc.nat(1),
    conditions: fc.constantFrom('', '"1"'),
    control: fc.constantFrom('', 'no-cache', 'max-age=3'),
  }),
  fc.record({ kind: fc.constant('head' as const), pick, head: fc.nat(HEADS.length - 1) }),
  fc.record({ kind: fc.constant('data' as const), pick, length: fc.integer({ min: 1, max: 12 }) }),
  fc.record({ kind: fc.constant('end' as const), pick }),
  fc.record({ kind: fc.constant('fail' as const), pick }),
  fc.record({ kind: fc.constant('leave' as const), pick }),
  fc.record({ kind: fc.constant('full' as const), pick }),
  fc.record({ kind: fc.constant('drained' as const), pick }),
  fc.record({
    kind: fc.constant('purge' as const),
    what: fc.constantFrom(
      { surrogateKey: 'k' },
      { url: 'http://api.example/a' },
      { prefix: 'http://api.example/' },
    ),
  }),
  fc.record({ kind: fc.constant('later' as const), seconds: fc.nat(15) }),
);

test('property: in any order of events each client is told one outcome, bodies are whole, and nothing is left behind', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 80, size: 'max' }), (actions) => {
      const fixture = new CacheFixture({ entryBytesMax: 20 }, { cachePurgesPerSecondMax: 1000 });
      const running: Running[] = [];
      const clients: Client[] = [];
      let bodies = 0;
      const whole = new Set<string>();
      const run = (fetch: CacheFetch, client: Client | null): void => {
        const one: Running = { fetch, client, body: '', state: 'asked', paused: 0 };
        fetch.begin({
          resume: () => one.paused--,
          abort: () => {
            one.state = 'over';
          },
        });
        running.push(one);
      };
      const choose = <Item>(items: readonly Item[], at: number): Item | undefined =>
        items[at % Math.max(1, items.length)];
      const end = (one: Running): void => {
        one.state = 'over';
        whole.add(one.body);
        one.fetch.end();
      };

      for (const step of actions) {
        const asked = running.filter(({ state }) => state === 'asked');
        const sending = running.filter(({ state, paused }) => state === 'body' && paused === 0);
        const open = clients.filter(({ outcome }) => outcome === 'open');
        switch (step.kind) {
          case 'ask': {
            const fields: Record<string, string> = { 'x-v': `${step.variant}` };
            if (step.conditions !== '') fields['if-none-match'] = step.conditions;
            if (step.control !== '') fields['cache-control'] = step.control;
            const { lookup, client } = fixture.ask(requestOf('/a', fields));
            clients.push(client);
            if (lookup.kind === 'fetch') run(lookup.fetch, client);
            if (lookup.kind === 'reply' && lookup.revalidation !== null) run(lookup.revalidation, null);
            break;
          }
          case 'head': {
            const one = choose(asked, step.pick);
            if (one === undefined) break;
            const [status, fields] = HEADS[step.head];
            const outcome = one.fetch.head(headOf(status, fields));
            if (one.state !== 'over') one.state = outcome === 'store' ? 'body' : 'over';
            if (outcome !== 'pass') break;
            assert.ok(
              one.client !== null && clients.includes(one.client),
              'it is still there to get the response',
            );
            clients.splice(clients.indexOf(one.client), 1);
            break;
          }
          case 'data': {
            const one = choose(sending, step.pick);
            if (one === undefined) break;
            const slice = String.fromCharCode(97 + (bodies++ % 26)).repeat(step.length);
            one.body += slice;
            if (!one.fetch.data(Buffer.from(slice))) one.paused++;
            break;
          }
          case 'end': {
            const one = choose(sending, step.pick);
            if (one !== undefined) end(one);
            break;
          }
          case 'fail': {
            const one = choose([...asked, ...sending], step.pick);
            if (one === undefined) break;
            one.state = 'over';
            one.fetch.failed(failure());
            break;
          }
          case 'leave': {
            const client = choose(open, step.pick);
            client?.ticket?.leave();
            if (client !== undefined) clients.splice(clients.indexOf(client), 1);
            break;
          }
          case 'full': {
            const client = choose(open, step.pick);
            if (client !== undefined) client.takes = 1;
            break;
          }
          case 'drained':
            choose(open, step.pick)?.take(3);
            break;
          case 'purge':
            fixture.cache.purge([step.what], 'key:a');
            break;
          case 'later':
            fixture.advanceSeconds(step.seconds);
            break;
        }
        for (const { paused } of running) assert.ok(paused === 0 || paused === 1);
      }

      for (const client of clients) client.take(Number.POSITIVE_INFINITY);
      for (const one of running) {
        if (one.state === 'asked') one.fetch.failed(failure());
        else if (one.state === 'body') {
          assert.equal(one.paused, 0, 'nobody is full any more');
          end(one);
        }
      }
      for (const { outcome, received, status } of clients) {
        assert.notEqual(outcome, 'open');
        if (outcome === 'ended' && status === 200) assert.ok(whole.has(received), JSON.stringify(received));
      }
      assert.equal(fixture.metrics.value('tidegate_cache_fetch_bytes'), 0);
      // Whoever asks now finds nobody to wait for.
      assert.notEqual(fixture.kind(requestOf('/a', { 'x-v': '0' })), 'wait');
    }),
    { numRuns: 1000 },
  );
});
