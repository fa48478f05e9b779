import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { SubscribedContext } from 'centrifuge';
import { resolveConfig } from '../../../src/config/index.ts';
import { silentLogger } from '../../../src/kernel/index.ts';
import { type RunningServer, startServer } from '../../../src/main.ts';
import { Collected, LossyNetwork, newClient, TRANSPORTS, unpacked } from './lab.ts';

const folder = await mkdtemp(join(tmpdir(), 'tidegate-test-'));
after(() => rm(folder, { recursive: true }));

async function start(data: string): Promise<RunningServer> {
  const overrides = { host: '127.0.0.1', port: 0, adminPort: 0, data };
  return startServer(
    await resolveConfig({ file: null, overrides, environment: {}, workingFolder: folder }),
    silentLogger,
  );
}

const portOf = (server: RunningServer): number => Number(new URL(server.publicUrl).port);

async function publish(server: RunningServer, channel: string, value: number): Promise<void> {
  const response = await fetch(`${server.publicUrl}/v1/channels/${channel}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: String(value),
  });
  assert.ok(response.ok, String(response.status));
}

describe('A restart of the server', () => {
  for (const way of TRANSPORTS) {
    it(`is recovered from over ${way.name}`, async () => {
      const data = way.name.replaceAll(' ', '-');
      const first = await start(data);
      const network = await LossyNetwork.to(portOf(first));
      const client = newClient(network.port, way);
      const subscription = client.newSubscription('news');
      const got = new Collected<unknown>();
      const subscribed = new Collected<SubscribedContext>();
      const away = new Promise<number>((resolve) =>
        client.on('connecting', ({ code }) => {
          if (code !== 0) resolve(code);
        }),
      );
      subscription.on('publication', (publication) => got.add(unpacked(way, publication.data)));
      subscription.on('subscribed', (context) => subscribed.add(context));
      subscription.subscribe();
      client.connect();
      await subscription.ready();
      await publish(first, 'news', 1);
      await got.reaches(1);
      await first.close();
      assert.equal(await away, 3001);
      const second = await start(data);
      await publish(second, 'news', 2);
      await publish(second, 'news', 3);
      network.leadTo(portOf(second));
      assert.deepEqual(await got.reaches(3), [1, 2, 3]);
      const { recovered, wasRecovering } = (await subscribed.reaches(2))[1];
      assert.deepEqual({ recovered, wasRecovering }, { recovered: true, wasRecovering: true });
      client.disconnect();
      await network.close();
      await second.close();
    });
  }
});
