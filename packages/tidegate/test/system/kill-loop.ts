import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { seededRandom } from '../../src/kernel/index.ts';
import { ServerProcess } from '../support/server-process.ts';
import { childrenOf } from '../support/worker-processes.ts';

const CHANNELS = ['orders/1', 'orders/2', 'chat'];

/** One event, tried again with the same id until it is acknowledged; returns its cursor. */
async function publishUntilAcknowledged(url: string, channel: string, id: string): Promise<string> {
  for (;;) {
    try {
      const response = await fetch(`${url}/v1/channels/${channel}`, {
        method: 'POST',
        headers: { 'content-type': 'text/plain', 'idempotency-key': id },
        body: id,
      });
      const answer = (await response.json()) as { cursor?: string };
      if (response.ok && answer.cursor !== undefined) return answer.cursor;
    } catch {
      // The server was killed before, while or after it stored the event: only trying again can tell.
    }
    await delay(5);
  }
}

interface Page {
  readonly messages: readonly { readonly data: string; readonly cursor: string }[];
  readonly next: string;
}

async function history(url: string, channel: string): Promise<Page['messages']> {
  const all: Page['messages'][number][] = [];
  for (let from = 'earliest'; ; ) {
    const response = await fetch(`${url}/v1/history/${channel}?from=${from}`);
    assert.equal(response.status, 200);
    const page = (await response.json()) as Page;
    if (page.messages.length === 0) return all;
    all.push(...page.messages);
    from = page.next;
  }
}

export interface KillLoopOptions {
  /** What is killed: the whole server, or its worker that does not own the log. */
  readonly victim: 'server' | 'worker';
  readonly kills: number;
  readonly seed: number;
}

/**
 * Publishers that never stop, and a server that is killed again and again at moments that the seed decides. Afterwards each
 * acknowledged event must be there once, under the cursor that was acknowledged, in the order of its publisher.
 */
export async function runKillLoop(options: KillLoopOptions): Promise<void> {
  const random = seededRandom(options.seed);
  const server = await ServerProcess.start({ config: 'topics: { orders: {} }', args: ['--workers', '2'] });
  try {
    const state = { stop: false };
    const acknowledged = CHANNELS.map(() => [] as { id: string; cursor: string }[]);
    const publishers = CHANNELS.map(async (channel, which) => {
      for (let sequence = 0; !state.stop; sequence++) {
        const id = `${which}-${sequence}`;
        acknowledged[which].push({ id, cursor: await publishUntilAcknowledged(server.url, channel, id) });
      }
    });
    for (let kill = 0; kill < options.kills; kill++) {
      // On a slow machine, too, something is published between any two kills.
      const before = acknowledged.map(({ length }) => length);
      while (acknowledged.some(({ length }, which) => length < before[which] + 2)) await delay(5);
      await delay(20 + (random.uint32() % 150));
      if (options.victim === 'server') {
        await server.kill();
        await server.start();
      } else {
        const [worker] = childrenOf(server.pid);
        // The one before may not have been replaced yet.
        if (worker !== undefined) process.kill(worker, 'SIGKILL');
      }
    }
    state.stop = true;
    await Promise.all(publishers);
    for (const [which, channel] of CHANNELS.entries()) {
      const stored = await history(server.url, channel);
      assert.deepEqual(
        stored.map(({ data, cursor }) => ({ id: data, cursor })),
        acknowledged[which],
        `after ${options.kills} kills, seed ${options.seed}: ${channel}`,
      );
      assert.ok(stored.length > options.kills, 'enough was published to mean something');
    }
  } finally {
    await server.remove();
  }
}
