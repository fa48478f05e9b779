import { availablePeers, type BenchPeer, type BenchServer, fanOutPeers } from './peers/index.ts';
import { type FanOutFigures, fanOut, highestRate, keptUp, warmUp } from './support/fan-out.ts';
import { machineNote } from './support/machine.ts';
import { type Protocol, printTable, progress, readOptions } from './support/options.ts';
import type { WayIn } from './support/publisher.ts';
import { Subscribers } from './support/subscribers.ts';
import type { Cell } from './support/table.ts';

const PURPOSE = 'Fan-out: one channel, 100-byte messages, as many deliveries a second as the server makes.';
const WARM_SECONDS = 1.5;
const WITHIN_MS = 1000;
const RATE_SECONDS = 3;

const options = readOptions(PURPOSE, { subscribers: '100,1000,10000', 'rates-at': '1000' });

interface Row {
  readonly peer: BenchPeer;
  readonly protocol: Protocol;
  readonly subscribers: number;
  readonly kind: 'single' | 'best';
  readonly way: WayIn;
  readonly figures: FanOutFigures;
  /** Messages per second, each at every subscriber within a second; null where it was not sought. */
  readonly highest: number | null;
}

const rows: Row[] = [];
const versions = new Set<string>();

/** Saturates the server by one way in; the first run warms it up and is not counted. */
async function saturate(server: BenchServer, way: WayIn, subscribers: Subscribers): Promise<FanOutFigures> {
  await fanOut(server.pid, way, subscribers, WARM_SECONDS);
  return fanOut(server.pid, way, subscribers, options.seconds);
}

async function seekHighestRate(
  server: BenchServer,
  way: WayIn,
  subscribers: Subscribers,
  guess: number,
): Promise<number> {
  return highestRate(guess, async (rate) => {
    const figures = await fanOut(server.pid, way, subscribers, RATE_SECONDS, rate);
    const kept = keptUp(figures, WITHIN_MS);
    const latestMs = Math.round(figures.received.latencyMaximumUs / 1000);
    progress(
      `    ${Math.round(rate)} messages/s: ${kept ? 'kept up' : 'did not'}, latest after ${latestMs} ms, ${figures.lost} lost`,
    );
    return kept;
  });
}

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
    const single = server.singlePosts(protocol);
    await warmUp(single, subscribers);
    for (const [kind, way] of [
      ['single', single],
      ['best', server.bestWay(protocol)],
    ] as const) {
      const figures = await saturate(server, way, subscribers);
      progress(
        `  ${way.label}: ${Math.round(figures.deliveriesPerSecond)} deliveries/s, ${figures.lost} lost`,
      );
      const sought =
        kind === 'best' && peer.name !== 'pushpin-stock' && options.numbers('rates-at').includes(count);
      const guess = figures.deliveriesPerSecond / count;
      const highest = sought ? await seekHighestRate(server, way, subscribers, guess) : null;
      rows.push({ peer, protocol, subscribers: count, kind, way, figures, highest });
    }
    await subscribers.close();
  } finally {
    await server.stop();
  }
}

/** How many times the deliveries of Nchan's better profile in the same discipline. */
function ratioToNchan(row: Row): number {
  const rivals = rows.filter(
    (other) =>
      other.peer.name.startsWith('nchan') &&
      other.protocol === row.protocol &&
      other.subscribers === row.subscribers &&
      other.kind === row.kind,
  );
  const best = Math.max(0, ...rivals.map((rival) => rival.figures.deliveriesPerSecond));
  return best === 0 ? Number.NaN : row.figures.deliveriesPerSecond / best;
}

function cells(row: Row): Cell[] {
  const { figures } = row;
  return [
    row.subscribers,
    row.protocol,
    row.peer.name,
    row.peer.durability,
    row.way.label,
    Math.round(figures.publishesPerSecond),
    Math.round(figures.deliveriesPerSecond),
    ratioToNchan(row),
    figures.lost,
    Math.round(figures.drainMs),
    row.highest === null ? Number.NaN : Math.round(row.highest),
    figures.cpu.server,
    figures.cpu.publisher,
    figures.cpu.subscribers,
  ];
}

for (const count of options.numbers('subscribers')) {
  for (const protocol of options.protocols) {
    for (const peer of availablePeers(fanOutPeers, options)) {
      progress(`${peer.name}, durability ${peer.durability}, ${protocol}, ${count} subscribers`);
      try {
        await measure(peer, protocol, count);
      } catch (error) {
        progress(`  failed: ${error instanceof Error ? error.message : String(error)}`);
        process.exitCode = 1;
      }
    }
  }
}

printTable(options, {
  title: 'Fan-out: one channel, 100-byte messages, publisher saturating',
  columns: [
    'subscribers',
    'protocol',
    'server',
    'durability',
    'way in',
    'publishes/s',
    'deliveries/s',
    'x Nchan',
    'lost',
    'drain ms',
    'highest rate',
    'CPU server %',
    'publisher %',
    'subscribers %',
  ],
  rows: rows.map(cells),
  notes: [
    `${machineNote()} ${[...versions].join('; ')}.`,
    `Highest rate: messages per second at which every subscriber had every one within ${WITHIN_MS} ms of when it was due, ` +
      'by the same way in. x Nchan: against the better of its profiles. CPU in percent of one core.',
  ],
});
