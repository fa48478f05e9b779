/*
 * The log through its port, on this machine's disk: appends of 1,000 records, synced, and reading back with every field out.
 *
 *   node bench/log.ts [--data DIR] [--seconds N]
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  noMetrics,
  resolveLimits,
  silentLogger,
  systemClock,
  systemRandom,
} from '../packages/tidegate/src/kernel/index.ts';
import {
  type AppendRecord,
  encodeHeaders,
  findHeader,
  type Log,
  openLog,
} from '../packages/tidegate/src/log/index.ts';

const { values: options } = parseArgs({
  options: {
    data: { type: 'string', default: tmpdir() },
    seconds: { type: 'string', default: '4' },
  },
});
const RECORDS_PER_APPEND = 1000;
const APPENDS_UNDER_WAY = 32;
const KEYS = 100;
const durationMs = Number(options.seconds) * 1000;

interface Row {
  readonly work: string;
  readonly recordsPerSecond: number;
  readonly megabytesPerSecond: number;
  readonly note: string;
}

const open = (folder: string): Promise<Log> =>
  openLog({
    folder,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    metrics: noMetrics,
    limits: resolveLimits(),
  });

const headers = encodeHeaders([['ce_type', 'reading']]);

/** The same thousand records every time; only the ids are new. */
function recordsOf(dataBytes: number): readonly AppendRecord[] {
  return Array.from({ length: RECORDS_PER_APPEND }, (_, i) => ({
    key: `sensor/${i % KEYS}`,
    data: Buffer.alloc(dataBytes, `${i}`),
    headers,
    flags: 0,
    identity: null,
  }));
}

async function measureAppend(
  log: Log,
  topic: string,
  dataBytes: number,
  ids: 'with ids' | 'without ids',
): Promise<Row> {
  await log.createTopic({
    name: topic,
    partitions: 1,
    durability: 'synced',
    retentionMs: null,
    retentionBytes: null,
    compacted: false,
    tombstoneRetentionMs: 0,
    keyIndex: false,
  });
  const template = recordsOf(dataBytes);
  let appends = 0;
  let latencyMs = 0;
  const next = (): readonly AppendRecord[] => {
    if (ids === 'without ids') return template;
    const first = appends * RECORDS_PER_APPEND;
    return template.map((record, i) => ({
      ...record,
      identity: `sensors\u0000/plant/7\u0000reading-${first + i}`,
    }));
  };
  const startedMs = performance.now();
  const elapsedMs = await new Promise<number>((resolve, reject) => {
    let underWay = 0;
    const more = (): void => {
      while (underWay < APPENDS_UNDER_WAY && performance.now() - startedMs < durationMs) {
        const sentMs = performance.now();
        underWay++;
        const records = next();
        appends++;
        log.append([{ topic, records }], (error) => {
          underWay--;
          if (error !== null) {
            reject(error);
            return;
          }
          latencyMs += performance.now() - sentMs;
          if (underWay === 0 && performance.now() - startedMs >= durationMs)
            resolve(performance.now() - startedMs);
          else setImmediate(more);
        });
      }
    };
    more();
  });
  const records = appends * RECORDS_PER_APPEND;
  if (log.bounds(topic, 0).end !== records) throw new Error('Records are missing');
  const bytes = records * dataBytes;
  return {
    work: `append ${dataBytes} B, synced, ${ids}`,
    recordsPerSecond: (records / elapsedMs) * 1000,
    megabytesPerSecond: bytes / elapsedMs / 1000,
    note: `${appends} appends of ${RECORDS_PER_APPEND}, ${APPENDS_UNDER_WAY} under way, ${(latencyMs / appends).toFixed(1)} ms each`,
  };
}

/** Reads a topic from its start: key as a string, one header as a string, every byte of the data counted. */
function readOnce(log: Log, topic: string): { records: number; bytes: number; sum: number } {
  const { start, end } = log.bounds(topic, 0);
  let records = 0;
  let bytes = 0;
  let sum = 0;
  for (let from = start; from < end; ) {
    const { batches, next, damaged } = log.read({ topic, partition: 0, from, bytesMax: 1024 * 1024 });
    if (damaged.length > 0) throw new Error('Records are damaged');
    for (const batch of batches) {
      for (let i = batch.lowerBound(from); i < batch.count; i++) {
        const key = batch.keyAt(batch.keyIndex(i));
        const type = findHeader(batch.bytes, batch.headersStart(i), batch.headersEnd(i), 'ce_type');
        const data = batch.bytes.subarray(batch.dataStart(i), batch.dataEnd(i));
        sum +=
          key.length +
          type!.length +
          data[0] +
          data[data.length - 1] +
          batch.flags(i) +
          (batch.timestampMs(i) & 1);
        bytes += data.length;
        records++;
      }
    }
    from = next;
  }
  return { records, bytes, sum };
}

function measureRead(log: Log, topic: string, work: string, note: string): Row {
  const startedMs = performance.now();
  const { records, bytes, sum } = readOnce(log, topic);
  const elapsedMs = performance.now() - startedMs;
  if (sum === 0) throw new Error('Nothing was read');
  return {
    work,
    recordsPerSecond: (records / elapsedMs) * 1000,
    megabytesPerSecond: bytes / elapsedMs / 1000,
    note,
  };
}

async function measure(): Promise<readonly Row[]> {
  const folder = mkdtempSync(join(options.data, 'tidegate-bench-'));
  const rows: Row[] = [];
  try {
    let log = await open(folder);
    for (const ids of ['without ids', 'with ids'] as const) {
      for (const dataBytes of [100, 1000]) {
        rows.push(await measureAppend(log, `append-${dataBytes}-${ids.replace(' ', '-')}`, dataBytes, ids));
      }
    }
    await log.close();
    const openedMs = performance.now();
    log = await open(folder);
    const openMs = performance.now() - openedMs;
    const sizeMb = statSync(join(folder, 'synced.mdb')).size / 1e6;
    for (const dataBytes of [100, 1000]) {
      const topic = `append-${dataBytes}-without-ids`;
      rows.push(
        measureRead(
          log,
          topic,
          `read ${dataBytes} B, from the file, first pass`,
          'checksums verified; code still cold',
        ),
      );
      rows.push(
        measureRead(
          log,
          topic,
          `read ${dataBytes} B, from the file`,
          'checksums verified; more than the caches hold',
        ),
      );
    }
    const hot = 'hot';
    await measureHot(log, hot, rows);
    rows.push({
      work: 'open',
      recordsPerSecond: 0,
      megabytesPerSecond: 0,
      note: `${openMs.toFixed(1)} ms with ${sizeMb.toFixed(0)} MB`,
    });
    await log.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return rows;
}

/** What is at the end of a topic is in memory, verified when it was stored. */
async function measureHot(log: Log, topic: string, rows: Row[]): Promise<void> {
  const spec = { partitions: 1, durability: 'synced', retentionMs: null, retentionBytes: null } as const;
  await log.createTopic({ ...spec, name: topic, compacted: false, tombstoneRetentionMs: 0, keyIndex: false });
  for (let i = 0; i < 100; i++) {
    await new Promise<void>((resolve, reject) => {
      log.append([{ topic, records: recordsOf(100) }], (error) =>
        error === null ? resolve() : reject(error),
      );
    });
  }
  readOnce(log, topic);
  rows.push(measureRead(log, topic, 'read 100 B, from memory', 'the newest 100,000 records'));
}

const [cpu] = cpus();
console.log(`Node ${process.version}, ${availableParallelism()} x ${cpu.model.trim()}, ${options.data}\n`);
const rows = await measure();
const columns = ['work', 'records/s', 'MB/s', 'note'];
const cells = rows.map(({ work, recordsPerSecond, megabytesPerSecond, note }) => [
  work,
  recordsPerSecond === 0 ? '' : Math.round(recordsPerSecond).toLocaleString('en'),
  megabytesPerSecond === 0 ? '' : megabytesPerSecond.toFixed(0),
  note,
]);
const widths = columns.map((column, i) => Math.max(column.length, ...cells.map((row) => row[i].length)));
for (const row of [columns, widths.map((width) => '-'.repeat(width)), ...cells]) {
  console.log(
    `| ${row.map((cell, i) => (i === 1 || i === 2 ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join(' | ')} |`,
  );
}
