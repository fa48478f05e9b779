import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openLog } from '../../src/log/index.ts';
import {
  appendTo,
  dataOf,
  logOptions,
  range,
  readAll,
  record,
  scratchFolder,
  topicSpec,
} from './log-fixture.ts';

const MIB = 1 << 20;
const FILLER = 'x'.repeat(64 * 1024);

/** A log with small caches where every `every`th batch of 64 KiB has a record of the key `wanted`. */
async function sparseLog(folder: string, options: { batches: number; every: number; partitions: number }) {
  const limits = { tailCacheBytesMax: MIB, readCacheBytesMax: MIB };
  const log = await openLog(logOptions(folder, { limits }));
  await log.createTopic(
    topicSpec('t', { durability: 'written', keyIndex: true, partitions: options.partitions }),
  );
  const partition = log.partitionOf(log.topics.get('t')!, 'wanted');
  for (const batch of range(0, options.batches)) {
    // Other keys of the same partition, so that the stretch between two wanted records is full.
    const other = range(0, 1000).find(
      (n) => log.partitionOf(log.topics.get('t')!, `other-${batch}-${n}`) === partition,
    );
    await appendTo(log, 't', [
      record(FILLER, { key: `other-${batch}-${other}` }),
      ...(batch % options.every === 0 ? [record(`${batch}`, { key: 'wanted' })] : []),
    ]);
  }
  return { log, partition };
}

for (const partitions of [1, 4]) {
  test(`a reading by the index passes over no more than the cache holds for readers side by side, ${partitions} partitions`, async () => {
    const { folder, remove } = scratchFolder();
    const { log, partition } = await sparseLog(folder, { batches: 120, every: 2, partitions });
    const { end } = log.bounds('t', partition);
    const spans: number[] = [];
    for (let from = 0; from < end; ) {
      const { next } = log.read({ topic: 't', partition, from, key: 'wanted', bytesMax: 64 * MIB });
      assert.ok(next > from);
      spans.push(next - from);
      from = next;
    }
    // A batch has 1.5 records and weighs 64 KiB.
    const stretchRecords = (MIB / 2 / (64 * 1024)) * 1.5;
    const longest = Math.max(...spans);
    assert.ok(longest <= (stretchRecords / partitions) * 2 + 3, `${longest} records`);
    assert.deepEqual(
      dataOf(readAll(log, 't', partition, { key: 'wanted' }).records),
      range(0, 60).map((n) => `${2 * n}`),
    );
    await log.close();
    remove();
  });
}

test('a reading by the index takes long stretches without the key in one go', async () => {
  const { folder, remove } = scratchFolder();
  const { log, partition } = await sparseLog(folder, { batches: 120, every: 119, partitions: 1 });
  let from = 0;
  let readings = 0;
  const data: string[] = [];
  const { end } = log.bounds('t', partition);
  while (from < end) {
    readings++;
    const result = log.read({ topic: 't', partition, from, key: 'wanted', bytesMax: MIB });
    for (const batch of result.batches) data.push(`${batch.baseOffset}`);
    from = result.next;
  }
  assert.deepEqual(data, ['0', '120']);
  assert.ok(readings <= 3, `${readings} readings`);
  await log.close();
  remove();
});

test('a reading by the index stops at the end that it was given', async () => {
  const { folder, remove } = scratchFolder();
  const { log, partition } = await sparseLog(folder, { batches: 40, every: 1, partitions: 1 });
  const { next, batches } = log.read({
    topic: 't',
    partition,
    from: 2,
    to: 6,
    key: 'wanted',
    bytesMax: 64 * MIB,
  });
  assert.equal(next, 6);
  assert.deepEqual(
    batches.map(({ baseOffset }) => baseOffset),
    [2, 4],
  );
  await log.close();
  remove();
});

test('a key is found by the index at every moment of a commit that merges its batch with others', async () => {
  const { folder, remove } = scratchFolder();
  const log = await openLog(logOptions(folder));
  await log.createTopic(topicSpec('t', { keyIndex: true, compacted: true }));
  for (const key of ['a', 'b']) await appendTo(log, 't', [record(key, { key })]);
  let isDone = false;
  const compacted = log.maintain().then(() => {
    isDone = true;
  });
  // Storage shows the commit while this turn lasts, which is before the log has heard that it is done.
  for (let first = 1; !isDone; await new Promise(setImmediate)) {
    for (let readings = 0; readings < 20_000 && first === 1; readings++) {
      const { batches } = log.read({ topic: 't', partition: 0, from: 0, key: 'b', bytesMax: MIB });
      assert.equal(batches.length, 1);
      assert.equal(batches[0].indexOfKey('b') === -1, false);
      assert.equal(log.offsetOfLast('t', 0, 1, 'b'), 1);
      first = batches[0].baseOffset;
    }
  }
  await compacted;
  await log.close();
  remove();
});
