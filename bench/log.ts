import { statSync } from 'node:fs';
import { join } from 'node:path';
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
import { machineNote } from './support/machine.ts';
import { printTable, progress, readOptions } from './support/options.ts';
import { removeScratchFolder, scratchFolder } from './support/scratch.ts';

const PURPOSE =
  'The log through its port: appends of 1,000 records, synced, and reading back with every field out.';

const options = readOptions(PURPOSE, { seconds: '4', bytes: '100,1000' });
const sizes = options.numbers('bytes');
const RECORDS_PER_APPEND = 1000;
/** Of the largest records, just below limits.appendBytesPendingMax. */
const APPENDS_UNDER_WAY = 48;
const KEYS = 100;
const durationMs = options.seconds * 1000;

interface Row {
  readonly work: string;
  readonly recordsPerSecond: number;
  readonly megabytesPerSecond: number;
  /** Of one append; not a number for reads. */
  readonly appendMs: number;
  /** Of all its threads, in percent of one core. */
  readonly cpuPercent: number;
}

/** Processor time of this process since a point, in percent of one core. */
function cpuMeter(): () => number {
  const before = process.cpuUsage();
  const startedMs = performance.now();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return ((user + system) / 1000 / (performance.now() - startedMs)) * 100;
  };
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

const SPEC = {
  partitions: 1,
  durability: 'synced',
  retentionMs: null,
  retentionBytes: null,
  compacted: false,
  tombstoneRetentionMs: 0,
  keyIndex: false,
} as const;

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
  progress(`append ${dataBytes} B, synced, ${ids}`);
  await log.createTopic({ ...SPEC, name: topic });
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
  const cpu = cpuMeter();
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
    appendMs: latencyMs / appends,
    cpuPercent: cpu(),
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

function measureRead(log: Log, topic: string, work: string): Row {
  progress(work);
  const cpu = cpuMeter();
  const startedMs = performance.now();
  const { records, bytes, sum } = readOnce(log, topic);
  const elapsedMs = performance.now() - startedMs;
  if (sum === 0) throw new Error('Nothing was read');
  return {
    work,
    recordsPerSecond: (records / elapsedMs) * 1000,
    megabytesPerSecond: bytes / elapsedMs / 1000,
    appendMs: Number.NaN,
    cpuPercent: cpu(),
  };
}

/** What is at the end of a topic is in memory, verified when it was stored. */
async function measureNewest(log: Log, dataBytes: number): Promise<Row> {
  const topic = `newest-${dataBytes}`;
  await log.createTopic({ ...SPEC, name: topic });
  for (let i = 0; i < 20; i++) {
    await new Promise<void>((resolve, reject) => {
      log.append([{ topic, records: recordsOf(dataBytes) }], (error) =>
        error === null ? resolve() : reject(error),
      );
    });
  }
  // Several passes, because one is over too soon to be measured.
  for (let pass = 0; pass < 5; pass++) readOnce(log, topic);
  return measureRead(log, topic, `read ${dataBytes} B, the newest 20,000, from memory`);
}

const folder = scratchFolder('log');
let log = await open(folder);
const rows: Row[] = [];
for (const ids of ['without ids', 'with ids'] as const) {
  for (const dataBytes of sizes) {
    rows.push(await measureAppend(log, `append-${dataBytes}-${ids.replace(' ', '-')}`, dataBytes, ids));
  }
}
await log.close();
const openedMs = performance.now();
log = await open(folder);
const openMs = performance.now() - openedMs;
const megabytes = statSync(join(folder, 'synced.mdb')).size / 1e6;
for (const dataBytes of sizes) {
  const topic = `append-${dataBytes}-without-ids`;
  rows.push(measureRead(log, topic, `read ${dataBytes} B, from the file, first pass`));
  rows.push(measureRead(log, topic, `read ${dataBytes} B, from the file`));
  rows.push(await measureNewest(log, dataBytes));
}
await log.close();
removeScratchFolder(folder);

printTable(options, {
  title: `The log: ${RECORDS_PER_APPEND.toLocaleString('en')} records in an append, ${APPENDS_UNDER_WAY} appends under way`,
  columns: ['work', 'records/s', 'MB/s of data', 'ms per append', 'CPU %'],
  rows: rows.map(({ work, recordsPerSecond, megabytesPerSecond, appendMs, cpuPercent }) => [
    work,
    Math.round(recordsPerSecond),
    megabytesPerSecond,
    appendMs,
    cpuPercent,
  ]),
  notes: [
    `Each record has one of ${KEYS} keys and a header. Reading takes out the key and the header as text and the data as bytes; what comes from the file is more than the caches hold, and its checksums are verified. Durability synced.`,
    `Opening the log with ${megabytes.toFixed(0)} MB took ${openMs.toFixed(1)} ms.`,
    machineNote(),
  ],
});
