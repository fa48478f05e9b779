import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { controlRoutes } from '../../src/control/index.ts';
import { TidegateError } from '../../src/kernel/index.ts';
import type { AdminRequest } from '../../src/listeners/index.ts';
import type { Log, Topic } from '../../src/log/index.ts';

const topic = (name: string, partitions: number): Topic => ({
  name,
  partitions,
  durability: 'synced',
  retentionMs: 60_000,
  retentionBytes: null,
  compacted: false,
  tombstoneRetentionMs: 1000,
  keyIndex: false,
  id: 1,
  epoch: 'abcdefghijkl',
  createdMs: 0,
  barrier: {},
});

/** The part of a log that the admin port reads. */
const log = {
  topics: new Map(
    [topic('orders', 2), topic('default', 1), topic('_own', 1)].map((entry) => [entry.name, entry]),
  ),
  bounds: (_name: string, partition: number) => ({ start: partition, end: 10 + partition }),
  statistics: () => ({ recordsStored: 20, bytesStored: 3000 }),
} as unknown as Log;

const state = { ready: false };
const routes = controlRoutes({ log, metricsText: async () => 'tidegate_up 1\n', isReady: () => state.ready });

/** The answer of the route with this path. */
async function ask(path: string, parameters: Readonly<Record<string, string>> = {}) {
  const route = routes.find((candidate) => candidate.method === 'GET' && candidate.path === path);
  assert.ok(route, path);
  const request: AdminRequest = {
    method: 'GET',
    path,
    parameters,
    query: new URLSearchParams(),
    body: Buffer.alloc(0),
  };
  const { status, headers, body } = await route.handle(request);
  return { status, headers, body: String(body) };
}

test('healthz answers as long as the process lives', async () => {
  state.ready = false;
  assert.equal((await ask('/healthz')).status, 200);
});

test('readyz answers 503 until the server is ready, and when it drains', async () => {
  state.ready = false;
  assert.equal((await ask('/readyz')).status, 503);
  state.ready = true;
  assert.equal((await ask('/readyz')).status, 200);
  state.ready = false;
  assert.equal((await ask('/readyz')).status, 503);
});

test('metrics come in the text format of Prometheus', async () => {
  const { body, headers } = await ask('/metrics');
  assert.equal(body, 'tidegate_up 1\n');
  assert.match(String(headers['content-type']), /^text\/plain; version=0\.0\.4/);
});

test("topics are listed by name, without the server's own", async () => {
  const { items } = JSON.parse((await ask('/api/topic')).body);
  assert.deepEqual(
    items.map((item: { name: string }) => item.name),
    ['default', 'orders'],
  );
});

test('a topic is described in the words of the config file, with its bounds', async () => {
  const { spec, status, kind } = JSON.parse((await ask('/api/topic/{name}', { name: 'orders' })).body);
  assert.equal(kind, 'topic');
  assert.deepEqual(spec.retention, { ageSeconds: 60, sizeBytes: null, tombstoneSeconds: 1 });
  assert.deepEqual(status.partitions, [
    { partition: 0, start: 0, end: 10 },
    { partition: 1, start: 1, end: 11 },
  ]);
  assert.equal(status.epoch, 'abcdefghijkl');
  assert.equal(status.bytes, 3000);
});

test("an unknown topic is an error, and so is one of the server's own", async () => {
  for (const name of ['gone', '_own']) {
    await assert.rejects(
      ask('/api/topic/{name}', { name }),
      (error) => error instanceof TidegateError && error.code === 'log_topic_unknown',
    );
  }
});
