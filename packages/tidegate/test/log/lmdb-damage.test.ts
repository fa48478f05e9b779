import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { type Database, open, type RootDatabase } from 'lmdb';
import { type LogFields, silentLogger } from '../../src/kernel/index.ts';
import { type Log, openLog } from '../../src/log/index.ts';
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

let folder = '';
let remove = (): void => {};
const APPENDS = 20;
const PER_APPEND = 5;

beforeEach(async () => {
  ({ folder, remove } = scratchFolder());
  const log = await openLog(logOptions(folder));
  await log.createTopic(topicSpec('t', { keyIndex: true, retentionMs: 1000 }));
  for (const i of range(0, APPENDS)) {
    await appendTo(
      log,
      't',
      range(0, PER_APPEND).map((j) => record(`r${i * PER_APPEND + j}`, { key: `k${i % 4}` })),
    );
  }
  await log.close();
});
afterEach(() => remove());

/** Changes what is stored, behind the log's back. */
async function tamper(
  change: (batches: Database<Buffer, Buffer>, keys: readonly Buffer[]) => void,
): Promise<void> {
  const root: RootDatabase<Buffer, Buffer> = open({
    path: join(folder, 'synced.mdb'),
    noSubdir: true,
    encoding: 'binary',
    keyEncoding: 'binary',
    overlappingSync: false,
  });
  const batches = root.openDB<Buffer, Buffer>({ name: 'batches', encoding: 'binary', keyEncoding: 'binary' });
  const keys = [...batches.getKeys({})].map((key) => Buffer.from(key));
  assert.equal(keys.length, APPENDS);
  root.transactionSync(() => change(batches, keys));
  await root.close();
}

function flip(batches: Database<Buffer, Buffer>, key: Buffer, at: number): void {
  const bytes = Buffer.from(batches.getBinary(key)!);
  bytes[at < 0 ? bytes.length + at : at] ^= 0x10;
  batches.putSync(key, bytes);
}

const all = range(0, APPENDS * PER_APPEND);
const without = (...ranges: (readonly [number, number])[]): string[] =>
  all
    .filter((offset) => !ranges.some(([from, to]) => offset >= from && offset < to))
    .map((offset) => `r${offset}`);

async function withLog(
  use: (log: Log) => void | Promise<void>,
  clock = new SteppedClock(),
): Promise<LogFields[]> {
  const errors: LogFields[] = [];
  const logger = { ...silentLogger, error: (fields: LogFields) => void errors.push(fields) };
  const log = await openLog(logOptions(folder, { logger, clock }));
  await use(log);
  await log.close();
  return errors;
}

for (const [what, at] of [
  ['a payload', -1],
  ['a record entry', 70],
  ['the end offset', 24],
  ['the base offset', 17],
  ['the checksum', 5],
  ['the magic', 0],
] as const) {
  test(`a flipped bit in ${what} is reported with its offsets, and the rest stays readable`, async () => {
    await tamper((batches, keys) => flip(batches, keys[7], at));
    const errors = await withLog((log) => {
      const { records, damaged } = readAll(log, 't');
      assert.deepEqual(damaged, [{ from: 35, to: 40 }]);
      assert.deepEqual(dataOf(records), without([35, 40]));
      assert.deepEqual(readAll(log, 't', 0, { from: 37 }).damaged, [{ from: 37, to: 40 }]);
      assert.deepEqual(readAll(log, 't', 0, { from: 40 }).damaged, []);
      assert.deepEqual(log.bounds('t', 0), { start: 0, end: 100 });
    });
    assert.equal(errors.length, 1, 'It is logged once, however often it is met');
    assert.deepEqual({ ...errors[0] }, { topic: 't', partition: 0, from: 35, to: 40 });
  });
}

test('damage at the start, at the end and next to each other is one range each', async () => {
  await tamper((batches, keys) => {
    for (const i of [0, 8, 9, 19]) flip(batches, keys[i], 100);
  });
  await withLog((log) => {
    const { records, damaged } = readAll(log, 't');
    assert.deepEqual(damaged, [
      { from: 0, to: 5 },
      { from: 40, to: 50 },
      { from: 95, to: 100 },
    ]);
    assert.deepEqual(dataOf(records), without([0, 5], [40, 50], [95, 100]));
  });
});

test('a missing batch breaks the chain of offsets and is reported as damage', async () => {
  await tamper((batches, keys) => {
    for (const i of [0, 11, 12, 19]) batches.removeSync(keys[i]);
  });
  await withLog((log) => {
    const { records, damaged } = readAll(log, 't');
    assert.deepEqual(damaged, [
      { from: 0, to: 5 },
      { from: 55, to: 65 },
      { from: 95, to: 100 },
    ]);
    assert.deepEqual(dataOf(records), without([0, 5], [55, 65], [95, 100]));
  });
});

test('a batch that stands in the place of another is damage, not data', async () => {
  await tamper((batches, keys) => batches.putSync(keys[3], Buffer.from(batches.getBinary(keys[4])!)));
  await withLog((log) => {
    const { records, damaged } = readAll(log, 't');
    assert.deepEqual(damaged, [{ from: 15, to: 20 }]);
    assert.deepEqual(dataOf(records), without([15, 20]));
  });
});

test("one key's records are found around damage", async () => {
  await tamper((batches, keys) => flip(batches, keys[5], -2));
  await withLog((log) => {
    const { records, damaged } = readAll(log, 't', 0, { key: 'k1' });
    assert.deepEqual(damaged, [{ from: 25, to: 30 }]);
    assert.deepEqual(
      records.map(({ offset }) => offset),
      all.filter((offset) => Math.floor(offset / 5) % 4 === 1 && (offset < 25 || offset >= 30)),
    );
    assert.equal(log.offsetOfLast('t', 0, 100, 'k1'), 5);
    assert.equal(log.offsetOfLast('t', 0, 100), 0);
  });
});

test('appending goes on after a damaged end', async () => {
  await tamper((batches, keys) => flip(batches, keys[19], -2));
  await withLog(async (log) => {
    const { offsets } = await appendTo(log, 't', [record('new')]);
    assert.deepEqual(offsets, [100]);
    const { records, damaged } = readAll(log, 't');
    assert.deepEqual(damaged, [{ from: 95, to: 100 }]);
    assert.deepEqual(dataOf(records), [...without([95, 100]), 'new']);
  });
});

test('retention drops damaged batches with what follows them', async () => {
  await tamper((batches, keys) => {
    flip(batches, keys[0], -1);
    flip(batches, keys[6], -1);
  });
  const clock = new SteppedClock();
  await withLog(async (log) => {
    clock.advance(5000);
    await appendTo(log, 't', [record('young')]);
    await log.maintain();
    assert.deepEqual(log.bounds('t', 0), { start: 100, end: 101 });
    assert.deepEqual(readAll(log, 't'), { records: readAll(log, 't').records, damaged: [] });
    clock.advance(5000);
    await log.maintain();
    assert.deepEqual(log.statistics('t'), { recordsStored: 0, bytesStored: 0 });
  }, clock);
});

test('the place of a time is found around damage, and damage whose time is unknown is not skipped', async () => {
  const ranges = [
    [0, 5],
    [45, 55],
    [95, 100],
  ] as const;
  await tamper((batches, keys) => {
    for (const i of [0, 9, 10, 19]) flip(batches, keys[i], -1);
  });
  await withLog((log) => {
    const { records } = readAll(log, 't');
    const wanted = (timeMs: number): number => {
      const first = records.find((one) => one.timestampMs >= timeMs)?.offset ?? 100;
      return ranges.find(([, to]) => to === first)?.[0] ?? first;
    };
    for (const { timestampMs } of records) {
      assert.equal(log.offsetAtTime('t', 0, timestampMs), wanted(timestampMs));
      assert.equal(log.offsetAtTime('t', 0, timestampMs + 1), wanted(timestampMs + 1));
    }
    assert.equal(log.offsetAtTime('t', 0, 0), 0);
    assert.equal(log.offsetAtTime('t', 0, Number.MAX_SAFE_INTEGER), 95);
  });
});
