import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openMemoryLog } from '../../src/log/index.ts';
import { appendTo, logOptions, range, readAll, record, topicSpec } from './log-fixture.ts';
import { describeLog } from './log-suite.ts';

describeLog({
  name: 'memory',
  durability: 'none',
  open: async (settings) => openMemoryLog(logOptions('', settings)),
});

test('a partition in memory keeps at most limits.memoryPartitionBytesMax', async () => {
  const log = openMemoryLog(logOptions('', { limits: { memoryPartitionBytesMax: 64 * 1024 } }));
  await log.createTopic(topicSpec('t', { durability: 'none' }));
  for (const i of range(0, 500)) await appendTo(log, 't', [record(`${i}`.padEnd(1000))]);
  const { start, end } = log.bounds('t', 0);
  assert.equal(end, 500);
  assert.ok(log.statistics('t').bytesStored <= 64 * 1024);
  assert.ok(start > 400, String(start));
  assert.equal(readAll(log, 't').records.length, end - start);
  await log.close();
});

test('a publisher that appends again from the answer does not keep others from their turn', async () => {
  const log = openMemoryLog(logOptions(''));
  await log.createTopic(topicSpec('t', { durability: 'none' }));
  let appends = 0;
  const again = (): void => {
    appends++;
    if (appends < 1_000_000) log.append([{ topic: 't', records: [record('x')] }], again);
  };
  again();
  for (const _ of range(0, 10)) await new Promise(setImmediate);
  assert.ok(appends < 100, String(appends));
  appends = 1_000_000;
  await log.close();
});
