import { setTimeout as delay } from 'node:timers/promises';
import { subscribeRequest, TidegateProcess } from './peers/tidegate.ts';
import { centrifugePosition, centrifugeSubscribers } from './peers/tidegate-centrifuge.ts';
import { EntryPublisher } from './support/entries.ts';
import { fanOut, warmUp } from './support/fan-out.ts';
import { machineNote } from './support/machine.ts';
import { printTable, progress, readOptions } from './support/options.ts';
import { numberedPayload } from './support/payload.ts';
import { memoryOf } from './support/process-figures.ts';
import { removeScratchFolder, scratchFolder } from './support/scratch.ts';
import { storm } from './support/storm.ts';
import { Subscribers, type SubscribersOptions } from './support/subscribers.ts';
import type { Cell } from './support/table.ts';

const PURPOSE =
  "Centrifuge's protocol in JSON over WebSocket, beside Tidegate's own WebSocket: memory of idle clients, fan-out, and a recovery storm.";
/** The server has had a few clients before, so that code loaded by the first of them does not count. */
const CLIENTS_BEFORE = 100;
const WARM_SECONDS = 1.5;
const PARTS = ['idle', 'fanout', 'recovery'] as const;
type Part = (typeof PARTS)[number];

const options = readOptions(PURPOSE, {
  parts: PARTS.join(','),
  idle: '10000',
  'settle-seconds': '5',
  subscribers: '1000',
  recovering: '5000',
  behind: '200',
});
const [idleCount = 10_000] = options.numbers('idle');
const [subscriberCount = 1000] = options.numbers('subscribers');
const [recoveringCount = 5000] = options.numbers('recovering');
const [behind = 200] = options.numbers('behind');

type ClientKind = 'centrifuge' | 'websocket';
const KINDS: readonly ClientKind[] = ['centrifuge', 'websocket'];

function clients(
  server: TidegateProcess,
  kind: ClientKind,
  channel: string,
  count: number,
): SubscribersOptions {
  if (kind === 'centrifuge') return centrifugeSubscribers(server, channel, count);
  const requests = [subscribeRequest(channel, 'websocket')];
  return { port: server.port, requests, connections: count, protocol: 'websocket' };
}

async function withTidegate(work: (server: TidegateProcess) => Promise<void>): Promise<void> {
  const folder = scratchFolder('data');
  const server = await TidegateProcess.start(folder);
  try {
    await work(server);
  } finally {
    await server.stop();
    removeScratchFolder(folder);
  }
}

async function idle(server: TidegateProcess, kind: ClientKind): Promise<Cell[]> {
  const channel = 'synced/bench';
  const settleMs = Number(options.own('settle-seconds')) * 1000;
  const first = await Subscribers.open(clients(server, kind, channel, CLIENTS_BEFORE));
  await warmUp(server.singlePosts(channel), first);
  await first.close();
  await delay(settleMs);
  const before = memoryOf(server.pid);
  const subscribers = await Subscribers.open(clients(server, kind, channel, idleCount));
  await delay(settleMs);
  const after = memoryOf(server.pid);
  await subscribers.close();
  const each = (name: 'anonymous' | 'proportional') => (after[name] - before[name]) / idleCount / 1024;
  const mebibytes = [before.anonymous / 2 ** 20, after.anonymous / 2 ** 20];
  return [kind, idleCount, each('anonymous'), each('proportional'), ...mebibytes];
}

async function fanOutRow(server: TidegateProcess, kind: ClientKind, durability: string): Promise<Cell[]> {
  const channel = `${durability}/bench`;
  const subscribers = await Subscribers.open(clients(server, kind, channel, subscriberCount));
  const way = server.singlePosts(channel);
  await warmUp(way, subscribers);
  await fanOut(server.pid, way, subscribers, WARM_SECONDS);
  const figures = await fanOut(server.pid, way, subscribers, options.seconds);
  await subscribers.close();
  return [
    kind,
    subscriberCount,
    durability,
    way.label,
    Math.round(figures.publishesPerSecond),
    Math.round(figures.deliveriesPerSecond),
    figures.lost,
    figures.received.missing + figures.received.repeated,
    figures.cpu.server,
    figures.cpu.publisher,
    figures.cpu.subscribers,
  ];
}

async function recovery(server: TidegateProcess): Promise<Cell[]> {
  const channel = 'synced/storm';
  const publisher = new EntryPublisher(server.port);
  const position = await centrifugePosition(server, channel);
  for (let sequence = 0; sequence < behind; sequence++)
    await publisher.publish([channel], numberedPayload(sequence));
  await publisher.settle();
  const figures = await storm({
    serverPid: server.pid,
    subscribers: centrifugeSubscribers(server, channel, recoveringCount, position),
    missed: behind,
    publishNext: async (sequence) => {
      await publisher.publish([channel], numberedPayload(sequence));
      await publisher.settle();
    },
  });
  publisher.close();
  return [
    recoveringCount,
    behind,
    figures.caughtUpMs,
    figures.liveMs,
    figures.deliveriesPerSecond,
    figures.report.open,
    figures.lost,
    figures.outOfOrder,
    figures.report.refused,
    figures.beforeMebibytes,
    figures.peakMebibytes,
    figures.cpu.server,
    figures.cpu.subscribers,
  ];
}

async function rowsOf(
  label: string,
  work: (server: TidegateProcess, kind: ClientKind) => Promise<Cell[]>,
): Promise<Cell[][]> {
  const rows: Cell[][] = [];
  for (const kind of KINDS) {
    progress(`${label}, ${kind}`);
    await withTidegate(async (server) => {
      rows.push(await work(server, kind));
    });
  }
  return rows;
}

async function printIdle(): Promise<void> {
  printTable(options, {
    title: 'Idle clients with one subscription: memory of the server',
    columns: ['client', 'clients', 'anonymous KiB each', 'all KiB each', 'anonymous MiB before', 'after'],
    rows: await rowsOf('idle', idle),
    notes: [`${machineNote()} From /proc/<pid>/smaps_rollup; no garbage collection was forced.`],
  });
}

async function printFanOut(): Promise<void> {
  const rows: Cell[][] = [];
  for (const durability of ['none', 'synced'])
    rows.push(
      ...(await rowsOf(`fan-out, ${durability}`, (server, kind) => fanOutRow(server, kind, durability))),
    );
  printTable(options, {
    title: 'Fan-out: one channel, 100-byte messages, publisher saturating',
    columns: [
      'client',
      'clients',
      'durability',
      'way in',
      'publishes/s',
      'deliveries/s',
      'lost',
      'out of order',
      'CPU server %',
      'publisher %',
      'clients %',
    ],
    rows,
    notes: [`${machineNote()} centrifuge: JSON over WebSocket; websocket: Tidegate's own.`],
  });
}

async function printRecovery(): Promise<void> {
  progress('recovery');
  const rows: Cell[][] = [];
  await withTidegate(async (server) => {
    rows.push(await recovery(server));
  });
  printTable(options, {
    title: 'Recovery storm: Centrifuge clients in JSON over WebSocket, one channel, 100-byte messages',
    columns: [
      'clients',
      'missed by each',
      'all caught up ms',
      'all live ms',
      'deliveries/s',
      'open',
      'lost',
      'out of order',
      'refused',
      'anonymous MiB before',
      'peak',
      'CPU server %',
      'clients %',
    ],
    rows,
    notes: [
      `${machineNote()} Durability synced. All connect as fast as the system lets them, each with epoch and offset. Live: has had every missed message ` +
        'and one that was published after the last of them had caught up.',
    ],
  });
}

const printed: Readonly<Record<Part, () => Promise<void>>> = {
  idle: printIdle,
  fanout: printFanOut,
  recovery: printRecovery,
};
const wantedParts = options.own('parts').split(',');
for (const part of PARTS) if (wantedParts.includes(part)) await printed[part]();
