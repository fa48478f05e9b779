import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { open, type RootDatabase } from 'lmdb';
import { type LogFields, silentLogger } from '../../src/kernel/index.ts';
import { type Log, openLog } from '../../src/log/index.ts';
import { Follower, killFollowers } from './follower-lab.ts';
import {
  appendTo,
  dataOf,
  logOptions,
  range,
  readAll,
  record,
  SteppedClock,
  scratchFolder,
  topicSpec,
} from './log-fixture.ts';

const MIB = 1024 * 1024;
let folder = '';
let remove = (): void => {};

beforeEach(() => {
  ({ folder, remove } = scratchFolder());
});
afterEach(() => remove());

/** The log's own file; within a process, lmdb opens a file once and shares it. */
const environmentOf = (name: 'synced' | 'written'): RootDatabase =>
  open({
    path: join(folder, `${name}.mdb`),
    noSubdir: true,
    encoding: 'binary',
    keyEncoding: 'binary',
    overlappingSync: false,
  });

/**
 * Transactions that readers of a file hold now: `-` marks a reader that holds none. To open the file clears the places of dead
 * readers, so it is opened before.
 */
const heldTransactions = (environment: RootDatabase): string[] =>
  environment
    .readerList()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((words) => /^[0-9]+$/.test(words[0]) && words[2] !== '-')
    .map((words) => words[2]);

/** Reads that touch the file: the caches are as small as they may be. */
const SMALL_CACHES = { tailCacheBytesMax: MIB, readCacheBytesMax: MIB };

async function fill(log: Log, appends: number): Promise<void> {
  for (const i of range(0, appends)) {
    await appendTo(
      log,
      't',
      range(0, 100).map((j) => record(`${i}-${j}`.padEnd(1000), { key: `k${j}` })),
    );
  }
}

for (const durability of ['written', 'synced'] as const) {
  test(`no read transaction is held after a read, whatever was read (${durability})`, async () => {
    const log = await openLog(logOptions(folder, { limits: SMALL_CACHES }));
    await log.createTopic(topicSpec('t', { durability, keyIndex: true, compacted: true }));
    await fill(log, 50);
    const environment = environmentOf(durability);
    const reads: (() => unknown)[] = [
      () => log.read({ topic: 't', partition: 0, from: 0, bytesMax: 1 }),
      () => log.read({ topic: 't', partition: 0, from: 1234, bytesMax: 1, key: 'k7' }),
      () => log.read({ topic: 't', partition: 0, from: 0, bytesMax: 1, key: 'nobody' }),
      () => log.offsetOfLast('t', 0, 30, 'k9'),
      () => log.offsetOfLast('t', 0, 3000),
      () => log.offsetAtTime('t', 0, 0),
      () => readAll(log, 't').records.length,
    ];
    for (const read of reads) {
      read();
      assert.deepEqual(heldTransactions(environment), [], String(read));
    }
    await log.maintain();
    await new Promise(setImmediate);
    assert.deepEqual(heldTransactions(environment), []);
    await log.close();
  });

  test(`a file whose records come and go does not grow, though it is read all along (${durability})`, async () => {
    const log = await openLog(logOptions(folder, { limits: SMALL_CACHES }));
    await log.createTopic(topicSpec('t', { durability, retentionBytes: 2 * MIB }));
    for (const _round of range(0, 60)) {
      await fill(log, 10);
      assert.ok(readAll(log, 't').records.length > 500);
      await log.maintain();
    }
    // Some 60 MiB went through. Freed pages wait for one or two commits, and large values want them in a row.
    const { size } = statSync(join(folder, `${durability}.mdb`));
    assert.ok(size < 20 * MIB, String(size));
    await log.close();
  });
}

test('no read transaction is held by a follower between its readings', async () => {
  const log = await openLog(logOptions(folder));
  await log.createTopic(topicSpec('t', { keyIndex: true, compacted: true, retentionBytes: MIB }));
  await fill(log, 20);
  const environment = environmentOf('synced');
  const follower = await Follower.start(log, folder);
  await follower.ask({ about: 'deafen' });
  for (const isMaintained of [false, true]) {
    if (isMaintained) await log.maintain();
    for (const question of [
      { about: 'read', topic: 't', partition: 0 },
      { about: 'read', topic: 't', partition: 0, key: 'k7' },
      { about: 'last', topic: 't', count: 30, key: 'k9' },
      { about: 'last', topic: 't', count: 3000 },
    ] as const) {
      await follower.ask(question);
      assert.deepEqual(heldTransactions(environment), [], JSON.stringify(question));
    }
  }
  killFollowers();
  await log.close();
});

test('the place of a reader that was killed is cleared while the log is open', async () => {
  const cleared: LogFields[] = [];
  const logger = { ...silentLogger, info: (fields: LogFields) => void cleared.push(fields) };
  const log = await openLog(logOptions(folder, { logger }));
  await log.createTopic(topicSpec('t'));
  await fill(log, 2);
  const environment = environmentOf('synced');
  const program = `
    import { open } from ${JSON.stringify(import.meta.resolve('lmdb'))};
    const root = open({ path: ${JSON.stringify(join(folder, 'synced.mdb'))}, noSubdir: true, readOnly: true });
    const transaction = root.useReadTransaction();
    process.stdout.write('reading');
    setInterval(() => transaction, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: import.meta.dirname,
  });
  await once(child.stdout, 'data');
  assert.equal(heldTransactions(environment).length, 1);
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal(heldTransactions(environment).length, 1, 'A dead reader keeps its place');
  await log.maintain();
  assert.deepEqual(heldTransactions(environment), []);
  assert.deepEqual(cleared, [{ cleared: 1 }]);
  await log.close();
});

test('a batch that was read stays as it was, though its pages are used again', async () => {
  const clock = new SteppedClock();
  const log = await openLog(logOptions(folder, { limits: SMALL_CACHES, clock }));
  await log.createTopic(topicSpec('t', { retentionMs: 1000 }));
  await fill(log, 30);
  const { batches } = log.read({ topic: 't', partition: 0, from: 0, bytesMax: 500_000 });
  assert.ok(batches.length > 2);
  const before = batches.map(({ bytes }) => Buffer.from(bytes));
  for (const _round of range(0, 5)) {
    clock.advance(2000);
    await log.maintain();
    await fill(log, 30);
    readAll(log, 't');
  }
  for (const [i, { bytes }] of batches.entries()) assert.deepEqual(Buffer.from(bytes), before[i]);
  await log.close();
});

test('values of any size come back whole after a restart', async () => {
  const sizes = [0, 1, 15, 2000, 4000, 4096, 32_767, 32_768, 131_072, 1_000_000, MIB];
  const contents = sizes.map((size, i) => `${i}`.padEnd(size, 'abcdefgh').slice(0, size));
  let log = await openLog(logOptions(folder));
  await log.createTopic(topicSpec('t'));
  for (const data of contents) await appendTo(log, 't', [record(data)]);
  await log.close();
  log = await openLog(logOptions(folder));
  assert.deepEqual(dataOf(readAll(log, 't').records), contents);
  // From the largest to the smallest, so that a small value is read into the buffer that a large one left.
  for (const i of range(0, sizes.length).reverse()) {
    assert.equal(readAll(log, 't', 0, { from: i, to: i + 1 }).records[0].data, contents[i]);
  }
  await log.close();
});

test('what comes with a commit can be read in the turn that announces it', async () => {
  const log = await openLog(logOptions(folder, { limits: SMALL_CACHES }));
  for (const durability of ['written', 'synced'] as const) {
    await log.createTopic(topicSpec(durability, { durability, keyIndex: true }));
  }
  const seen: Record<string, number> = { written: 0, synced: 0 };
  log.onTail(({ name }, partition, end) => {
    seen[name] += readAll(log, name, partition, { from: seen[name], to: end, key: 'k' }).records.length;
    assert.equal(seen[name], end);
  });
  for (const i of range(0, 100)) {
    await Promise.all(
      ['written', 'synced'].map((topic) =>
        appendTo(log, topic, [record(`${i}`.padEnd(20_000), { key: 'k' })]),
      ),
    );
  }
  assert.deepEqual(seen, { written: 100, synced: 100 });
  await log.close();
});
