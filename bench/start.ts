import { join } from 'node:path';
import { TidegateProcess } from './peers/tidegate.ts';
import { machineNote } from './support/machine.ts';
import { printTable, progress, readOptions } from './support/options.ts';
import { memoryOf } from './support/process-figures.ts';
import { publishFor } from './support/publisher.ts';
import { removeScratchFolder, scratchFolder } from './support/scratch.ts';
import type { Cell } from './support/table.ts';

const PURPOSE = "Start: from the process's exec until /readyz answers 200, with a full log.";
const FILL_SECONDS = 2;
/** A server is ready when all its processes serve. */
const WORKERS = 2;

const options = readOptions(PURPOSE, { megabytes: '1000', bytes: '1024', starts: '9' });
const [megabytes = 1000] = options.numbers('megabytes');
const [payloadBytes = 1024] = options.numbers('bytes');
const [starts = 9] = options.numbers('starts');

const folder = scratchFolder('start');
/** A compile cache of our own: the first start begins without one, as after an installation. */
const environment = { NODE_COMPILE_CACHE: join(folder, 'compile-cache') };

async function fill(): Promise<number> {
  const server = await TidegateProcess.start(folder);
  const way = server.batches('synced/bench', 1000, 2, payloadBytes);
  let bytes = 0;
  while (bytes < megabytes * 1e6) {
    const published = await publishFor(way, FILL_SECONDS);
    if (published.accepted === 0) throw new Error('nothing could be published');
    bytes += published.accepted * payloadBytes;
    progress(`  ${Math.round(bytes / 1e6)} MB published`);
  }
  await server.stop();
  return bytes;
}

interface Start {
  readonly readyMs: number;
  readonly anonymous: number;
}

async function startOnce(end: 'stop' | 'kill', workers = 1): Promise<Start> {
  const server = await TidegateProcess.start(folder, { environment, workers });
  const { anonymous } = memoryOf(server.pid);
  await server[end]();
  return { readyMs: server.readyMs, anonymous };
}

async function startRepeatedly(end: 'stop' | 'kill', workers = 1): Promise<readonly Start[]> {
  const measured: Start[] = [];
  for (let count = 0; count < starts; count++) measured.push(await startOnce(end, workers));
  return measured;
}

function cells(label: string, measured: readonly Start[]): Cell[] {
  const times = measured.map((start) => start.readyMs).sort((a, b) => a - b);
  const memory = Math.max(...measured.map((start) => start.anonymous)) / 2 ** 20;
  return [
    label,
    measured.length,
    Math.round(times[Math.floor(times.length / 2)]!),
    Math.round(times.at(-1)!),
    Math.round(memory),
  ];
}

progress('filling the log');
const filled = await fill();
progress('starting');
const first = [await startOnce('stop')];
const later = await startRepeatedly('stop');
// The first of these follows a clean end, so it belongs to none.
await startOnce('kill');
const afterKill = await startRepeatedly('kill');
await startOnce('stop', WORKERS);
const withWorkers = await startRepeatedly('stop', WORKERS);
removeScratchFolder(folder);

printTable(options, {
  title: `Start with ${Math.round(filled / 1e6).toLocaleString('en-US')} MB of messages of ${payloadBytes} bytes in a synced topic`,
  columns: ['start', 'times', 'median ms', 'worst ms', 'anonymous MiB after'],
  rows: [
    cells('first, nothing compiled', first),
    cells('second and later', later),
    cells('after kill -9', afterKill),
    cells(`second and later, ${WORKERS} workers`, withWorkers),
  ],
  notes: [`${machineNote()} The log is in the page cache.`],
});
