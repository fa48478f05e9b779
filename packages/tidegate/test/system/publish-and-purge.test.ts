import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { hashOfKey } from '../../src/access/index.ts';
import { ServerProcess } from '../support/server-process.ts';
import { childrenOf } from '../support/worker-processes.ts';
import { type ProcessClient, processesOf } from '../workers/processes.ts';

/*
 * A server of two processes, each with a cache of its own, and an origin whose answer changes. Whoever hears of a change asks again at once.
 */

const ROUNDS = 20;
const CHANNEL = 'prices/1';

let price = 0;
const origin = createServer((_, response) => {
  response.setHeader('cache-control', 'max-age=3600');
  response.setHeader('surrogate-key', 'prices all');
  response.end(`price ${price}`);
});

let server: ServerProcess;
let processes: readonly ProcessClient[] = [];
before(async () => {
  origin.listen(0, '127.0.0.1');
  await once(origin, 'listening');
  const { port } = origin.address() as AddressInfo;
  server = await ServerProcess.start({
    config: `
workers: 2
upstreams: { shop: { targets: [{ url: 'http://127.0.0.1:${port}' }] } }
routes: { shop: { match: { path: '/shop/*' }, upstream: shop, cache: {} } }
keys:
  shop: { hash: '${hashOfKey('shop')}', allow: { 'prices/#': [publish, purge] } }
  publisher: { hash: '${hashOfKey('publisher')}', allow: { 'prices/#': [publish] } }
access: { anonymous: { 'prices/#': [subscribe] } }
limits: { cachePurgesPerSecondMax: 100000 }
`,
  });
  assert.equal(childrenOf(server.pid).length, 1);
  processes = processesOf(server);
});
after(async () => {
  for (const client of processes) client.close();
  await server.remove();
  origin.closeAllConnections();
  origin.close();
});

const priceAt = (process: ProcessClient): Promise<string> =>
  process.get('/shop/1', { host: `127.0.0.1:${server.port}` });

/** What is to be purged, in each of the three ways. */
const wanted = (round: number): string =>
  [
    `url=http://127.0.0.1:${server.port}/shop/1`,
    `prefix="http://127.0.0.1:${server.port}/shop/"`,
    'surrogate-key=prices',
  ][round % 3];

test('whoever hears of an event is not given the answer from before it, by any process', async () => {
  const streams = await Promise.all(processes.map((process) => process.subscribe(CHANNEL)));
  for (let round = 1; round <= ROUNDS; round++) {
    for (const process of processes) assert.equal(await priceAt(process), `price ${price}`);
    price = round;
    const publisher = processes[round % processes.length];
    const published = publisher.publish(CHANNEL, String(round), {
      authorization: 'Bearer shop',
      'tidegate-purge': wanted(round),
    });
    const seen = await Promise.all(
      streams.map(async (stream) => {
        await stream.until(round);
        assert.equal(stream.data.at(-1), String(round));
        return Promise.all(processes.map(priceAt));
      }),
    );
    for (const price of seen.flat()) assert.equal(price, `price ${round}`);
    assert.equal(JSON.parse(await published).channel, CHANNEL);
  }
  for (const stream of streams) stream.close();
});

test('who may not purge publishes nothing, and what is cached stays', async () => {
  const before = await Promise.all(processes.map(priceAt));
  price++;
  for (const process of processes) {
    const answer = JSON.parse(
      await process.publish(CHANNEL, 'x', { authorization: 'Bearer publisher', 'tidegate-purge': wanted(0) }),
    );
    assert.deepEqual([answer.status, answer.code], [403, 'access_denied']);
  }
  assert.deepEqual(await Promise.all(processes.map(priceAt)), before);
});
