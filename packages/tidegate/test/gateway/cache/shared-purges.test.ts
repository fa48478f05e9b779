import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { PurgeRequest, PurgeResult } from '../../../src/gateway/cache/index.ts';
import { TidegateError } from '../../../src/kernel/index.ts';
import { until } from '../../listeners/lab.ts';
import { linePair } from '../../support/line-pair.ts';
import { type GatewayLab, type OriginConnection, openGatewayLab, openOrigin } from '../lab.ts';

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;

const ALL: PurgeRequest = { surrogateKey: 'all' };

/** The gateways of an owner and two workers, whose messages to each other arrive when a test says so. */
async function threeProcesses(t: TestContext, limits: { readonly cachePurgesPerSecondMax?: number } = {}) {
  const origin = await openOrigin(t);
  const options = {
    routes: { all: { match: { path: '/*' as const }, upstream: 'app', cache: {} } },
    upstreams: { app: { targets: [{ url: origin.url }] } },
    limits,
  };
  const owner = await openGatewayLab(t, options);
  const workers = [await openGatewayLab(t, options), await openGatewayLab(t, options)];
  const lines = workers.map((_, at) => linePair(at + 1));
  for (const [at, { gateway }] of workers.entries()) {
    owner.gateway.serve(lines[at].owner);
    gateway.serve(lines[at].worker);
  }
  const labs: readonly GatewayLab[] = [owner, ...workers];
  const clients = await Promise.all(labs.map((lab) => lab.connect()));
  return {
    labs,
    lines,
    clients,
    origin,
    deliver(): void {
      for (let i = 0; i < 3; i++) for (const line of lines) line.deliver();
    },
    /** Has all processes store the answer to a path. */
    async fill(path: string, body: string): Promise<void> {
      for (const client of clients) {
        client.send(get(path));
        const asked = () => origin.connections.find(({ received }) => received !== '');
        await until(() => asked() !== undefined);
        const connection = asked() as OriginConnection;
        await connection.request();
        connection.answer(body, 'Cache-Control: max-age=100\r\nSurrogate-Key: all\r\n');
        await client.take(body);
      }
    },
    stored: (): number[] => labs.map((lab) => lab.gateway.cache.responses),
  };
}

/** What a purge has come to, in words. */
class Outcome {
  text = 'open';
  readonly settle = (outcome: PurgeResult | TidegateError): void => {
    assert.equal(this.text, 'open');
    this.text = outcome instanceof TidegateError ? outcome.code : `${outcome.responses} ${outcome.state}`;
  };
}

test('what one process purges is answered when no process serves it any more', async (t) => {
  const { labs, lines, deliver, fill, stored } = await threeProcesses(t);
  for (const { gateway } of labs) {
    await fill('/a', 'first');
    assert.deepEqual(stored(), [1, 1, 1]);
    const outcome = new Outcome();
    gateway.purge([ALL], 'key:a', outcome.settle);
    // However slow one of the others is.
    for (let i = 0; i < 3; i++) lines[0].deliver();
    assert.equal(outcome.text, 'open');
    deliver();
    assert.equal(outcome.text, '1 done');
    assert.deepEqual(stored(), [0, 0, 0]);
  }
});

test('how often a credential purges is counted over all processes, and who is refused has purged nowhere', async (t) => {
  const { labs, deliver, fill, stored } = await threeProcesses(t, { cachePurgesPerSecondMax: 2 });
  await fill('/a', 'first');
  const told = (at: number, ...requests: readonly PurgeRequest[]): string => {
    const outcome = new Outcome();
    labs[at].gateway.purge(requests, 'key:a', outcome.settle);
    deliver();
    return outcome.text;
  };
  assert.equal(told(1, { url: 'http://a/b' }), '0 done');
  assert.equal(told(2, ALL, { url: 'http://a/b' }), 'purge_rate_exceeded');
  assert.deepEqual(stored(), [1, 1, 1]);
  assert.equal(told(2, { url: 'a' }), 'purge_invalid');
  assert.equal(told(0, ALL), '1 done');
  assert.equal(told(1, ALL), 'purge_rate_exceeded');
  assert.deepEqual(stored(), [0, 0, 0]);
});

test('a worker that dies holds up no purge, and none is good without the owner', async (t) => {
  const { labs, lines, deliver, fill, stored } = await threeProcesses(t);
  await fill('/a', 'first');
  const [fromOwner, fromWorker, fromLost] = [new Outcome(), new Outcome(), new Outcome()];
  labs[0].gateway.purge([ALL], '', fromOwner.settle);
  lines[0].deliver();
  assert.equal(fromOwner.text, 'open');
  lines[1].close();
  assert.equal(fromOwner.text, '1 done');
  labs[1].gateway.purge([ALL], '', fromWorker.settle);
  deliver();
  assert.equal(fromWorker.text, '0 done');
  labs[2].gateway.purge([ALL], '', fromLost.settle);
  deliver();
  assert.equal(fromLost.text, 'worker_unavailable');
  assert.deepEqual(stored(), [0, 0, 1]);
});

test('what a request changes is taken out of the caches of all processes', async (t) => {
  const { labs, deliver, fill, stored } = await threeProcesses(t);
  for (const { gateway } of labs) {
    await fill('/a', 'first');
    gateway.invalidate(
      { method: 'POST', scheme: 'http', host: 'a', target: '/a' },
      { status: 204, fields: [] },
    );
    deliver();
    assert.deepEqual(stored(), [0, 0, 0]);
  }
});
