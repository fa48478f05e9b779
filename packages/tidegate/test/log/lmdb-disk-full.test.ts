import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { TidegateError } from '../../src/kernel/index.ts';
import { type Log, openLog } from '../../src/log/index.ts';
import {
  appendTo,
  logOptions,
  range,
  readAll,
  record,
  SteppedClock,
  scratchFolder,
  topicSpec,
} from './log-fixture.ts';

const MIB = 1024 * 1024;
let scratch = '';
let disk = '';
let remove = (): void => {};

const probe = scratchFolder();
const mountable = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', probe.folder]).status === 0;
if (mountable) spawnSync('umount', [probe.folder]);
probe.remove();
const skip = mountable ? false : 'needs the right to mount a small disk';

beforeEach(() => {
  if (!mountable) return;
  ({ folder: scratch, remove } = scratchFolder());
  disk = join(scratch, 'disk');
  mkdirSync(disk);
  assert.equal(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', disk]).status, 0);
  writeFileSync(join(disk, 'filler'), Buffer.alloc(8 * MIB));
  writeFileSync(join(disk, 'spare'), Buffer.alloc(MIB));
});
afterEach(() => {
  if (!mountable) return;
  spawnSync('umount', ['-l', disk]);
  remove();
});

/** Appends until the log refuses; returns what was acknowledged, and the refusal. */
async function fill(log: Log): Promise<{ readonly acknowledged: number; readonly refusal: TidegateError }> {
  for (let i = log.bounds('t', 0).end; ; i++) {
    try {
      await appendTo(log, 't', [record(`${i}:`.padEnd(60_000, 'x'), { identity: `id-${i}` })]);
    } catch (error) {
      return { acknowledged: i, refusal: error as TidegateError };
    }
    assert.ok(i < 2000);
  }
}

function assertThere(log: Log, count: number): void {
  const { records, damaged } = readAll(log, 't', 0, { bytesMax: MIB });
  assert.deepEqual(damaged, []);
  assert.deepEqual(
    records.map(({ data }) => Number.parseInt(data!, 10)),
    range(0, count),
  );
}

for (const durability of ['written', 'synced'] as const) {
  test(`on a full disk publishing is refused, reading goes on, and publishing works again with space (${durability})`, {
    skip,
  }, async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', note);
    const folder = join(disk, 'data');
    let log = await openLog(logOptions(folder));
    await log.createTopic(topicSpec('t', { durability }));
    const { acknowledged, refusal } = await fill(log);
    assert.equal(refusal.code, 'log_disk_full');
    assert.ok(refusal.detail.includes(folder));
    assert.ok(acknowledged > 50, String(acknowledged));
    assertThere(log, acknowledged);
    // Again, several at once, while the disk is full.
    const results = await Promise.allSettled(
      range(0, 5).map(() => appendTo(log, 't', [record('y'.repeat(900_000))])),
    );
    for (const result of results) assert.equal(result.status, 'rejected');
    assertThere(log, acknowledged);
    rmSync(join(disk, 'filler'));
    const { acknowledged: more } = await fill(log);
    assert.ok(more > acknowledged + 50, `${acknowledged}, then ${more}`);
    assertThere(log, more);
    await log.close();
    // A start records its owner, for which a page must be free.
    rmSync(join(disk, 'spare'));
    log = await openLog(logOptions(folder));
    assertThere(log, more);
    const again = await appendTo(log, 't', [record('0:', { identity: 'id-0' })]);
    assert.deepEqual([again.offsets, again.duplicates?.size], [[0], 1]);
    await log.close();
    await new Promise(setImmediate);
    process.off('unhandledRejection', note);
    assert.deepEqual(unhandled, []);
  });
}

test('publishing stops while less than limits.diskReserveBytes is free, and retention still makes room', {
  skip,
}, async () => {
  const clock = new SteppedClock();
  const log = await openLog(logOptions(join(disk, 'data'), { clock, limits: { diskReserveBytes: 4 * MIB } }));
  await log.createTopic(topicSpec('t', { retentionMs: 60_000 }));
  const { acknowledged, refusal } = await fill(log);
  assert.equal(refusal.code, 'log_disk_full');
  assert.match(refusal.detail, /limits\.diskReserveBytes/);
  assertThere(log, acknowledged);
  clock.advance(120_000);
  await log.maintain();
  assert.equal(log.bounds('t', 0).start, acknowledged);
  rmSync(join(disk, 'filler'));
  clock.advance(1000);
  const { offsets } = await appendTo(log, 't', [record('again')]);
  assert.deepEqual(offsets, [acknowledged]);
  await log.close();
});
