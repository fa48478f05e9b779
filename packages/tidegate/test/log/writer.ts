/*
 * A server that publishes until it is killed: node writer.ts FOLDER SEED FIRST COUNT
 *
 * Appends the records FIRST to FIRST + COUNT - 1, in order, a few at a time, each to the topics `a` and `b` of both durabilities at once, with
 * ids; and writes `ack DURABILITY NEXT` to the standard output when all records before NEXT are acknowledged.
 */
import { writeSync } from 'node:fs';
import {
  noMetrics,
  resolveLimits,
  seededRandom,
  silentLogger,
  systemClock,
  systemRandom,
} from '../../src/kernel/index.ts';
import { openLog } from '../../src/log/index.ts';
import { topicSpec } from './log-fixture.ts';

const [folder, seed, firstWritten, firstSynced, count] = process.argv.slice(2);
const random = seededRandom(Number(seed));
const log = await openLog({
  folder,
  clock: systemClock,
  random: systemRandom,
  logger: silentLogger,
  metrics: noMetrics,
  limits: resolveLimits({ diskReserveBytes: 0 }),
});

async function publish(durability: 'written' | 'synced', first: number): Promise<void> {
  const topics = [`a-${durability}`, `b-${durability}`];
  for (const name of topics) await log.createTopic(topicSpec(name, { durability, keyIndex: true }));
  let next = first;
  const end = first + Number(count);
  const under = new Set<Promise<void>>();
  while (next < end) {
    const size = Math.min(end - next, 1 + (random.uint32() % 40));
    const records = Array.from({ length: size }, (_, i) => ({
      key: `k${(next + i) % 5}`,
      data: Buffer.from(`${next + i}:${'x'.repeat(random.uint32() % 400)}`),
      headers: null,
      flags: 0,
      identity: `id-${next + i}`,
    }));
    next += size;
    const acknowledged = next;
    const done = new Promise<void>((resolve, reject) => {
      log.append(
        topics.map((topic) => ({ topic, records })),
        (error) => {
          if (error !== null) reject(error);
          writeSync(1, `ack ${durability} ${acknowledged}\n`);
          resolve();
        },
      );
    });
    under.add(done);
    void done.then(() => under.delete(done));
    if (under.size >= 4) await Promise.race(under);
    if (random.uint32() % 50 === 0) void log.maintain();
  }
  await Promise.all(under);
}

await Promise.all([publish('written', Number(firstWritten)), publish('synced', Number(firstSynced))]);
await log.close();
