import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { resolveConfig } from '../src/config/index.ts';
import { silentLogger } from '../src/kernel/index.ts';
import { startServer } from '../src/main.ts';
import { freePorts } from './support/ports.ts';

const folder = await mkdtemp(join(tmpdir(), 'tidegate-test-'));
after(() => rm(folder, { recursive: true }));

const config = (data: string, port: number, adminPort: number) =>
  resolveConfig({
    file: null,
    overrides: { host: '127.0.0.1', port, adminPort, data },
    environment: {},
    workingFolder: folder,
  });

test('a server that cannot be started leaves nothing open', async () => {
  const [adminPort] = await freePorts(1);
  const first = await startServer(await config('first', 0, 0), silentLogger);
  const taken = Number(new URL(first.publicUrl).port);
  const second = await config('second', taken, adminPort);
  await assert.rejects(startServer(second, silentLogger), { code: 'listen_failed' });
  await assert.rejects(fetch(`http://127.0.0.1:${adminPort}/healthz`));
  await first.close();
  const third = await startServer({ ...second, listen: { ...second.listen, port: 0 } }, silentLogger);
  assert.equal((await fetch(`${third.adminUrl}/readyz`)).status, 200);
  await third.close();
});

test('a server that was started without a config file has nothing to reload', async () => {
  const server = await startServer(await config('without', 0, 0), silentLogger);
  await server.reload();
  const response = await fetch(`${server.adminUrl}/api/reload`, { method: 'POST' });
  assert.deepEqual(
    [response.status, await response.json()],
    [200, { differences: [], hidden: [], restart: [] }],
  );
  const metrics = await (await fetch(`${server.adminUrl}/metrics`)).text();
  assert.doesNotMatch(metrics, /tidegate_config_reloads_total/);
  await server.close();
});
