import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { Hub } from '../../../src/channels/index.ts';
import { noMetrics, resolveLimits, silentLogger } from '../../../src/kernel/index.ts';
import { clock, eachTestHasAHub, hub, log, send } from '../../support/hub-fixture.ts';
import { LaggingLog } from '../../support/lagging-log.ts';
import { SessionLab, TestClient } from './session-lab.ts';
import { TableAccess } from './table-access.ts';

/*
 * A client of a process that reads another's log, and has not heard yet of what the client was told elsewhere.
 */

eachTestHasAHub();

let followed: LaggingLog;
let client: TestClient;
let epoch: string;

beforeEach(async () => {
  followed = new LaggingLog(log);
  const worker = new Hub({
    log: followed,
    publisher: hub,
    clock,
    logger: silentLogger,
    metrics: noMetrics,
    limits: resolveLimits(),
    prefixes: new Map(),
  });
  client = new TestClient({ ...new SessionLab().context, access: new TableAccess(worker, {}) });
  await client.ask({ id: 1, connect: {} });
  await send('news', '"a"', '"b"', '"c"');
  epoch = log.topics.get('default')?.epoch ?? '';
});

/** The reply, which comes once the owner has answered. */
async function replyTo(command: object): Promise<Record<string, unknown>> {
  assert.deepEqual(await client.ask({ id: 2, ...command }), []);
  followed.answer();
  await clock.settle();
  const [reply] = client.take();
  return reply as Record<string, unknown>;
}

for (const [offset, missed] of [
  [3, 0],
  [2, 1],
] as const) {
  test(`recovers from offset ${offset} of which the process has not heard yet`, async () => {
    const { subscribe } = await replyTo({ subscribe: { channel: 'news', recover: true, epoch, offset } });
    const { recovered, publications = [] } = subscribe as { recovered: boolean; publications?: unknown[] };
    assert.deepEqual([recovered, publications.length], [true, missed]);
  });
}

test('history has what was acknowledged', async () => {
  const { history } = await replyTo({ history: { channel: 'news', limit: 10 } });
  const { publications, offset } = history as { publications: unknown[]; offset: number };
  assert.deepEqual([publications.length, offset], [3, 3]);
});
