import { BareHttpServer } from './peers/bare-http.ts';
import { type Durability, nameOf, TidegateProcess } from './peers/tidegate.ts';
import { machineNote } from './support/machine.ts';
import { printTable, progress, readOptions, wanted } from './support/options.ts';
import { Publisher, publishFor, type WayIn } from './support/publisher.ts';
import { removeScratchFolder, scratchFolder } from './support/scratch.ts';
import type { Cell } from './support/table.ts';

const PURPOSE =
  'Single publishes over HTTP, one message per request, against a node:http server that does nothing.';
const WARM_SECONDS = 2;

const options = readOptions(PURPOSE, { connections: '64', bytes: '100' });
const [connections = 64] = options.numbers('connections');
const [payloadBytes = 100] = options.numbers('bytes');
const rows: Cell[][] = [];
let bound = Number.NaN;

async function measure(name: string, durability: string, pid: number, way: WayIn): Promise<number> {
  progress(`${name}, durability ${durability}`);
  await publishFor(way, WARM_SECONDS);
  const publisher = await Publisher.connect(way, options.seconds);
  const { result, seconds, cpu } = await publisher.runOn(pid);
  const perSecond = result.accepted / seconds;
  const ms = (percent: number) => result.latencies.percentile(percent) / 1000;
  const times = [ms(50), ms(90), ms(99), ms(99.9), result.latencies.maximum / 1000];
  const lost = result.refused + result.unanswered;
  rows.push([
    name,
    durability,
    Math.round(perSecond),
    perSecond / bound,
    ...times,
    lost,
    cpu.server,
    cpu.load,
  ]);
  return perSecond;
}

if (wanted(options, 'bare')) {
  const bare = await BareHttpServer.start();
  bound = await measure('bare node:http', '-', bare.pid, bare.singlePosts(connections, payloadBytes));
  rows[0]![3] = 1;
  await bare.stop();
}
const profiles: readonly (readonly [Durability, workers: number])[] = [
  ['none', 1],
  ['written', 1],
  ['synced', 1],
  ['none', 2],
  ['synced', 2],
];
for (const [durability, workers] of profiles) {
  if (!wanted(options, nameOf(workers))) continue;
  const folder = scratchFolder('data');
  const server = await TidegateProcess.start(folder, { workers });
  await measure(
    nameOf(workers),
    durability,
    server.pid,
    server.singlePosts(`${durability}/bench`, connections, payloadBytes),
  );
  await server.stop();
  removeScratchFolder(folder);
}

printTable(options, {
  title: `Single publishes over HTTP: ${payloadBytes} bytes, ${connections} keep-alive connections, answers in milliseconds`,
  columns: [
    'server',
    'durability',
    'publishes/s',
    'x bare',
    'p50',
    'p90',
    'p99',
    'p99.9',
    'max',
    'not accepted',
    'CPU server %',
    'publisher %',
  ],
  rows,
  notes: [
    `${machineNote()} Each connection sends as soon as it has its answer, so the times are those of a full server.`,
  ],
});
