import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { ServerProcess } from '../support/server-process.ts';
import { EventStreamReader } from './event-stream-reader.ts';

const PADDING = 'x'.repeat(90);

/** Anonymous memory of a process, in MiB. */
function anonymousMiB(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Anonymous:\s+(\d+) kB/m.exec(text)?.[1]) / 1024;
}

export interface SlowReaderRun {
  /** How long one reader stands still while messages are published as fast as they are taken. */
  readonly stillMs: number;
  readonly durability: 'synced' | 'none';
}

/**
 * A subscriber stops reading at full load while others keep pace; then it goes on. It must get every message in order, the
 * others must not have waited for it, and the server must not have kept its backlog in memory.
 */
export async function runSlowReader({ stillMs, durability }: SlowReaderRun): Promise<void> {
  const server = await ServerProcess.start({
    config: `topics: { load: { durability: ${durability} } }\n${durability === 'none' ? 'limits: { memoryPartitionBytesMax: 1073741824 }\n' : ''}`,
  });
  try {
    const next = [0, 0, 0];
    const readers = await Promise.all(
      next.map((_, which) =>
        EventStreamReader.open(server.port, '/v1/channels/load/one', (sequence) => {
          assert.equal(sequence, next[which], 'every message once, in order');
          next[which]++;
        }),
      ),
    );
    const [slow, ...quick] = readers;
    let sequence = 0;
    const publish = async (): Promise<void> => {
      const entries = Array.from({ length: 200 }, () => ({
        channel: 'load/one',
        data: `${sequence++} ${PADDING}`,
      }));
      const response = await fetch(`${server.url}/v1/publish`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(entries),
      });
      assert.equal(response.status, 200);
      await response.arrayBuffer();
    };
    const publishFor = async (durationMs: number): Promise<void> => {
      const until = performance.now() + durationMs;
      while (performance.now() < until) {
        await publish();
        // The load is as full as the quick readers allow: what is measured is the one that stands still.
        while (quick.some((reader) => sequence - reader.received > 50_000)) await delay(1);
      }
    };
    await publishFor(1000);
    slow.stopReading();
    await publishFor(stillMs / 4);
    const early = anonymousMiB(server.pid);
    await publishFor((stillMs * 3) / 4);
    const late = anonymousMiB(server.pid);
    const backlogMiB = ((sequence - slow.received) * 100) / 1024 / 1024;
    assert.ok(slow.received < sequence, 'the slow reader is behind');
    const metrics = await (await fetch(`${server.adminUrl}/metrics`)).text();
    const behind = Number(/^tidegate_subscriptions_behind (\d+)/m.exec(metrics)?.[1]);
    assert.ok(behind >= 1, 'the metrics tell that somebody is behind');
    if (durability === 'synced') {
      assert.ok(
        late - early < Math.max(96, backlogMiB / 4),
        `memory grew from ${early} to ${late} MiB with a backlog of ${backlogMiB} MiB`,
      );
    }
    slow.goOn();
    const deadline = performance.now() + 60_000;
    while (readers.some((reader) => reader.received < sequence)) {
      assert.ok(
        performance.now() < deadline,
        `received ${readers.map((reader) => reader.received)} of ${sequence}`,
      );
      await delay(20);
    }
    // Caught up, it is live again.
    await publish();
    while (readers.some((reader) => reader.received < sequence)) await delay(5);
    for (const reader of readers) reader.close();
  } finally {
    await server.remove();
  }
}
