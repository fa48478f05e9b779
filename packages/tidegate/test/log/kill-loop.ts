import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { seededRandom } from '../../src/kernel/index.ts';
import { type Log, openLog } from '../../src/log/index.ts';
import { logOptions, range, readAll, scratchFolder } from './log-fixture.ts';

const WRITER = join(import.meta.dirname, 'writer.ts');
const DURABILITIES = ['written', 'synced'] as const;
type Acknowledged = Record<(typeof DURABILITIES)[number], number>;

/** Runs the writer until some time after it began to be answered, and kills it. Returns what was acknowledged. */
async function writeAndKill(
  folder: string,
  seed: number,
  from: Acknowledged,
  afterMs: number,
): Promise<Acknowledged> {
  const acknowledged = { ...from };
  const args = [WRITER, folder, String(seed), String(from.written), String(from.synced), '1000000'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  let isTimed = false;
  for await (const line of createInterface({ input: child.stdout })) {
    const [word, durability, next] = line.split(' ');
    assert.equal(word, 'ack');
    acknowledged[durability as keyof Acknowledged] = Number(next);
    if (!isTimed) setTimeout(() => child.kill('SIGKILL'), afterMs);
    isTimed = true;
  }
  const [, signal] = await exited;
  assert.equal(signal, 'SIGKILL', 'The writer ended by itself');
  return acknowledged;
}

/** Every acknowledged record once, in its place; what was not acknowledged whole or not at all. Returns how many there are. */
export function assertWhole(log: Log, durability: 'written' | 'synced', acknowledged: number): number {
  const [a, b] = [`a-${durability}`, `b-${durability}`].map((topic) => {
    const { records, damaged } = readAll(log, topic, 0, { bytesMax: 1 << 20 });
    assert.deepEqual(damaged, []);
    assert.equal(log.bounds(topic, 0).start, 0);
    assert.equal(log.bounds(topic, 0).end, records.length);
    for (const [i, { offset, key, data }] of records.entries()) {
      assert.equal(offset, i, 'No hole among the offsets');
      assert.equal(Number.parseInt(data!, 10), i, 'Each record once, in order');
      assert.equal(key, `k${i % 5}`);
      assert.match(data!, /^[0-9]+:x*$/);
    }
    for (const key of range(0, 5)) {
      const found = readAll(log, topic, 0, { key: `k${key}`, bytesMax: 1 << 20 }).records.length;
      assert.equal(found, Math.floor((records.length + 4 - key) / 5), 'The key index agrees');
    }
    return records.length;
  });
  assert.equal(a, b, 'An append to two topics is there in both or in neither');
  assert.ok(a >= acknowledged, `${acknowledged} records of ${durability} were acknowledged, ${a} are there`);
  return a;
}

/**
 * Kills a publishing server over and over. Each next one goes on with the first record that was not acknowledged, under the same ids, so
 * what was stored and not acknowledged is offered twice and must be there once.
 */
export async function killLoop(kills: number, seed: number): Promise<void> {
  const { folder, remove } = scratchFolder();
  const random = seededRandom(seed);
  let acknowledged: Acknowledged = { written: 0, synced: 0 };
  let folderNow = folder;
  let removeNow = remove;
  for (let kill = 0; kill < kills; kill++) {
    acknowledged = await writeAndKill(folderNow, random.uint32(), acknowledged, random.uint32() % 150);
    const log = await openLog(logOptions(folderNow));
    for (const durability of DURABILITIES) assertWhole(log, durability, acknowledged[durability]);
    await log.close();
    // The whole log is read after each kill: begin anew before that takes long.
    if (acknowledged.written > 100_000 || acknowledged.synced > 100_000) {
      removeNow();
      ({ folder: folderNow, remove: removeNow } = scratchFolder());
      acknowledged = { written: 0, synced: 0 };
    }
  }
  removeNow();
}
