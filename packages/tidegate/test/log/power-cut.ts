import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Random, seededRandom } from '../../src/kernel/index.ts';
import { openLog } from '../../src/log/index.ts';
import { assertWhole } from './kill-loop.ts';
import { logOptions, scratchFolder } from './log-fixture.ts';
import { type FileEvent, record } from './system-calls.ts';

const WRITER = join(import.meta.dirname, 'writer.ts');
const FILES = ['synced.mdb', 'written.mdb'] as const;
/** What a disk writes whole. */
const SECTOR_BYTES = 512;

type Acknowledged = { written: number; synced: number };

/** One file as the disk has it: what is surely there, and the writes that may be there or not. */
class DiskFile {
  #durable: Buffer = Buffer.alloc(0);
  #pending: { readonly at: number; readonly bytes: Buffer }[] = [];

  get pendingWrites(): number {
    return this.#pending.length;
  }

  write(at: number, bytes: Buffer): void {
    this.#pending.push({ at, bytes });
  }

  writeThrough(at: number, bytes: Buffer): void {
    this.#durable = apply(this.#durable, at, bytes);
  }

  sync(): void {
    for (const { at, bytes } of this.#pending) this.#durable = apply(this.#durable, at, bytes);
    this.#pending = [];
  }

  /** What a loss of power may leave: any of the pending writes, any sectors of them. */
  afterPowerCut(random: Random): Buffer {
    let image: Buffer = Buffer.from(this.#durable);
    for (const { at, bytes } of this.#pending) {
      const fate = random.uint32() % 3;
      if (fate === 0) continue;
      for (let from = 0; from < bytes.length; from += SECTOR_BYTES) {
        if (fate === 1 && random.uint32() % 2 === 0) continue;
        image = apply(image, at + from, bytes.subarray(from, from + SECTOR_BYTES));
      }
    }
    return image;
  }
}

function apply(image: Buffer, at: number, bytes: Buffer): Buffer {
  const target =
    at + bytes.length <= image.length
      ? image
      : Buffer.concat([image, Buffer.alloc(at + bytes.length - image.length)]);
  bytes.copy(target, at);
  return target;
}

/** Records a publishing server's writes and syncs. */
export async function recordWriter(
  folder: string,
  seed: number,
  count: number,
): Promise<readonly FileEvent[]> {
  return record(join(folder, 'trace'), [WRITER, join(folder, 'data'), String(seed), '0', '0', String(count)]);
}

/** Before each acknowledgement of a synced topic, nothing that was written to its file is still to be flushed. */
export function assertSyncedBeforeAcknowledged(events: readonly FileEvent[]): void {
  let unflushed = 0;
  let syncs = 0;
  let writes = 0;
  let acknowledgements = 0;
  for (const event of events) {
    if (event.kind === 'print') {
      if (!event.text.includes('ack synced')) continue;
      acknowledgements++;
      assert.equal(unflushed, 0, 'Something was acknowledged that was not flushed');
      assert.ok(syncs > 0 && writes > 0);
    } else if (event.path.endsWith('synced.mdb')) {
      if (event.kind === 'sync') {
        unflushed = 0;
        syncs++;
      } else {
        writes++;
        // The page that makes a commit current is written through a descriptor with O_DSYNC, after the sync of what it points to.
        if (event.throughToDisk)
          assert.equal(unflushed, 0, 'A commit was made current before its pages were flushed');
        else unflushed++;
      }
    }
  }
  assert.ok(acknowledgements > 3);
  assert.ok(syncs >= acknowledgements / 4);
}

/** Cuts the power at `cuts` places of the recording, and opens what the disk may then hold. */
export async function replayPowerCuts(
  events: readonly FileEvent[],
  cuts: number,
  seed: number,
): Promise<void> {
  const random = seededRandom(seed);
  const disk = new Map(FILES.map((name) => [name as string, new DiskFile()]));
  const acknowledged: Acknowledged = { written: 0, synced: 0 };
  const every = Math.max(1, Math.floor(events.length / cuts));
  let hadPending = 0;
  for (const [i, event] of events.entries()) {
    if (event.kind === 'print') {
      for (const [, durability, next] of event.text.matchAll(/ack (written|synced) ([0-9]+)/g)) {
        acknowledged[durability as keyof Acknowledged] = Number(next);
      }
    } else {
      const file = disk.get(event.path.slice(event.path.lastIndexOf('/') + 1));
      if (file !== undefined && event.kind === 'sync') file.sync();
      else if (file !== undefined && event.kind === 'write' && event.throughToDisk)
        file.writeThrough(event.at, event.bytes);
      else if (file !== undefined && event.kind === 'write') file.write(event.at, event.bytes);
    }
    // Until the topics are there, there is nothing to check.
    if (acknowledged.synced === 0 || acknowledged.written === 0 || i % every !== 0) continue;
    hadPending += [...disk.values()].filter((file) => file.pendingWrites > 0).length;
    await checkImage(disk, acknowledged, random);
  }
  assert.ok(hadPending > 0, 'No cut fell between a write and its sync');
}

async function checkImage(
  disk: ReadonlyMap<string, DiskFile>,
  acknowledged: Acknowledged,
  random: Random,
): Promise<void> {
  const { folder, remove } = scratchFolder();
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'FORMAT'), 'tidegate-log 1\n');
  for (const [name, file] of disk) writeFileSync(join(folder, name), file.afterPowerCut(random));
  const log = await openLog(logOptions(folder));
  assertWhole(log, 'synced', acknowledged.synced);
  // What was only written may be lost, but what is left is whole.
  assertWhole(log, 'written', 0);
  await log.close();
  rmSync(folder, { recursive: true });
  remove();
}
