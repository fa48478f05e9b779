import { setTimeout as delay } from 'node:timers/promises';
import { availablePeers, type BenchPeer, fanOutPeers } from './peers/index.ts';
import { warmUp } from './support/fan-out.ts';
import { machineNote } from './support/machine.ts';
import { type Protocol, printTable, progress, readOptions } from './support/options.ts';
import { type Memory, memoryOf } from './support/process-figures.ts';
import { Subscribers } from './support/subscribers.ts';
import type { Cell } from './support/table.ts';

const PURPOSE = 'Idle subscribers: what each costs in memory while it waits for a message.';
/** The server has had a few subscribers before, so that code loaded by the first of them does not count. */
const SUBSCRIBERS_BEFORE = 100;

const options = readOptions(PURPOSE, { subscribers: '10000', 'settle-seconds': '5' });

interface Row {
  readonly peer: BenchPeer;
  readonly protocol: Protocol;
  readonly subscribers: number;
  readonly before: Memory;
  readonly after: Memory;
}

const rows: Row[] = [];
const versions = new Set<string>();

async function measure(peer: BenchPeer, protocol: Protocol, count: number): Promise<void> {
  const server = await peer.start();
  versions.add(server.version);
  const open = (connections: number) =>
    Subscribers.open({
      port: server.subscribePort,
      requests: [server.subscribeRequest(protocol)],
      connections,
      protocol,
    });
  const settleMs = Number(options.own('settle-seconds')) * 1000;
  try {
    const first = await open(SUBSCRIBERS_BEFORE);
    await warmUp(server.singlePosts(protocol), first);
    await first.close();
    await delay(settleMs);
    const before = memoryOf(server.pid);
    const subscribers = await open(count);
    await delay(settleMs);
    const after = memoryOf(server.pid);
    rows.push({ peer, protocol, subscribers: count, before, after });
    await subscribers.close();
  } finally {
    await server.stop();
  }
}

function cells(row: Row): Cell[] {
  const each = (kind: keyof Memory) => (row.after[kind] - row.before[kind]) / row.subscribers / 1024;
  return [
    row.subscribers,
    row.protocol,
    row.peer.name,
    each('anonymous'),
    each('proportional'),
    row.before.anonymous / 2 ** 20,
    row.after.anonymous / 2 ** 20,
  ];
}

for (const count of options.numbers('subscribers')) {
  for (const protocol of options.protocols) {
    for (const peer of availablePeers(fanOutPeers, options)) {
      // The limits of Pushpin's stock profile do not concern idle subscribers, nor does the durability of a topic.
      if (peer.name === 'pushpin-stock' || (peer.name === 'tidegate' && peer.durability !== 'synced'))
        continue;
      progress(`${peer.name}, ${protocol}, ${count} subscribers`);
      await measure(peer, protocol, count);
    }
  }
}

printTable(options, {
  title: 'Idle subscribers: memory of the server',
  columns: [
    'subscribers',
    'protocol',
    'server',
    'anonymous KiB each',
    'all KiB each',
    'anonymous MiB before',
    'after',
  ],
  rows: rows.map(cells),
  notes: [
    `${machineNote()} ${[...versions].join('; ')}.`,
    'From /proc/<pid>/smaps_rollup, summed over the processes of the server; no garbage collection was forced. ' +
      'Anonymous leaves shared memory out, where Nchan keeps its channels; all (Pss) has it in.',
  ],
});
