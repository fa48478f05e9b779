import { availablePeers, type BenchPeer, fanOutPeers } from './peers/index.ts';
import { type FanOutFigures, fanOut, warmUp } from './support/fan-out.ts';
import type { Histogram } from './support/histogram.ts';
import { machineNote } from './support/machine.ts';
import { type Protocol, printTable, progress, readOptions } from './support/options.ts';
import { Subscribers } from './support/subscribers.ts';
import type { Cell } from './support/table.ts';

const PURPOSE = 'Latency: from when a message is due to be sent until a subscriber has it, at a fixed rate.';
const WARM_SECONDS = 2;

const options = readOptions(PURPOSE, { seconds: '20', subscribers: '1000', rate: '50' });
const rate = Number(options.own('rate'));

interface Row {
  readonly peer: BenchPeer;
  readonly protocol: Protocol;
  readonly subscribers: number;
  readonly figures: FanOutFigures;
  readonly latencies: Histogram;
}

const rows: Row[] = [];
const versions = new Set<string>();

async function measure(peer: BenchPeer, protocol: Protocol, count: number): Promise<void> {
  const server = await peer.start();
  versions.add(server.version);
  try {
    const subscribers = await Subscribers.open({
      port: server.subscribePort,
      requests: [server.subscribeRequest(protocol)],
      connections: count,
      protocol,
    });
    const way = server.singlePosts(protocol);
    await warmUp(way, subscribers);
    await fanOut(server.pid, way, subscribers, WARM_SECONDS, rate);
    const figures = await fanOut(server.pid, way, subscribers, options.seconds, rate);
    rows.push({ peer, protocol, subscribers: count, figures, latencies: await subscribers.latencies() });
    await subscribers.close();
  } finally {
    await server.stop();
  }
}

/** The better profile of Nchan in the same discipline, by its median. */
function rivalOf(row: Row): Row | undefined {
  return rows
    .filter(
      (other) =>
        other.peer.name.startsWith('nchan') &&
        other.protocol === row.protocol &&
        other.subscribers === row.subscribers,
    )
    .sort((a, b) => a.latencies.percentile(50) - b.latencies.percentile(50))[0];
}

function cells(row: Row): Cell[] {
  const { figures, latencies } = row;
  const rival = rivalOf(row)?.latencies;
  const ms = (percent: number) => latencies.percentile(percent) / 1000;
  const ratio = (percent: number) =>
    rival === undefined ? Number.NaN : latencies.percentile(percent) / rival.percentile(percent);
  return [
    row.subscribers,
    row.protocol,
    row.peer.name,
    row.peer.durability,
    ms(50),
    ms(90),
    ms(99),
    ms(99.9),
    latencies.maximum / 1000,
    ratio(50),
    ratio(99),
    figures.lost,
    figures.published.lateUs / 1000,
    figures.cpu.server,
    figures.cpu.publisher,
    figures.cpu.subscribers,
  ];
}

for (const count of options.numbers('subscribers')) {
  for (const protocol of options.protocols) {
    for (const peer of availablePeers(fanOutPeers, options)) {
      // At its limit of 2,500 deliveries a second it has no latency at this load, only losses.
      if (peer.name === 'pushpin-stock') continue;
      progress(`${peer.name}, durability ${peer.durability}, ${protocol}, ${count} subscribers`);
      await measure(peer, protocol, count);
    }
  }
}

printTable(options, {
  title: `Latency: ${rate} messages/s of 100 bytes to every subscriber, milliseconds`,
  columns: [
    'subscribers',
    'protocol',
    'server',
    'durability',
    'p50',
    'p90',
    'p99',
    'p99.9',
    'max',
    'p50 x Nchan',
    'p99 x Nchan',
    'lost',
    'sender late',
    'CPU server %',
    'publisher %',
    'subscribers %',
  ],
  rows: rows.map(cells),
  notes: [
    `${machineNote()} ${[...versions].join('; ')}.`,
    'From the intended time of sending, by a schedule that does not wait for answers, until the subscriber has read the message; ' +
      'every delivery counts. x Nchan: against the profile with the better median. Sender late: the most that the publisher was behind.',
  ],
});
