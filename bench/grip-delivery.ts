import { type GripServer, gripPushpin, gripTidegate, heldStreams, startGripPeers } from './peers/grip.ts';
import { startGripOrigin } from './peers/proxies/origins.ts';
import { type FanOutFigures, fanOut, warmUp } from './support/fan-out.ts';
import { Histogram } from './support/histogram.ts';
import { machineNote } from './support/machine.ts';
import { printTable, progress, readOptions } from './support/options.ts';
import { memoryOf } from './support/process-figures.ts';
import { Subscribers } from './support/subscribers.ts';
import type { Cell } from './support/table.ts';

const PURPOSE = 'GRIP: the time from publishing at the control port until streams that are held have it.';

const options = readOptions(PURPOSE, { seconds: '4', held: '1000', rates: '1,10,50', rounds: '2' });
const [held = 1000] = options.numbers('held');
const [rounds = 2] = options.numbers('rounds');
const rates = options.numbers('rates');

/** What all rounds of publishing at a rate came to. */
interface Delivery {
  readonly latencies: Histogram;
  lost: number;
  /** Streams that were still there after the last round. */
  open: number;
  drainMs: number;
  lateUs: number;
  cpu: number;
}

interface Audience {
  readonly server: GripServer;
  readonly subscribers: Subscribers;
  readonly memory: readonly [before: number, held: number];
  readonly deliveries: ReadonlyMap<number, Delivery>;
}

async function gather(server: GripServer): Promise<Audience> {
  const before = memoryOf(server.pid).proportional;
  const subscribers = await Subscribers.open(heldStreams(server, held));
  await warmUp(server.way, subscribers);
  const memory = [before, memoryOf(server.pid).proportional] as const;
  const deliveries = new Map(
    rates.map((rate) => [
      rate,
      { latencies: new Histogram(), lost: 0, open: 0, drainMs: 0, lateUs: 0, cpu: 0 },
    ]),
  );
  return { server, subscribers, memory, deliveries };
}

function add(
  sum: Delivery,
  latencies: Histogram,
  { lost, received, drainMs, published, cpu }: FanOutFigures,
): void {
  sum.latencies.add(latencies);
  sum.lost += lost;
  sum.open = received.open;
  sum.drainMs = Math.max(sum.drainMs, drainMs);
  sum.lateUs = Math.max(sum.lateUs, published.ownLateness.maximum);
  sum.cpu += cpu.server / rounds;
}

const origin = await startGripOrigin();
const servers = await startGripPeers(
  [gripPushpin('stock'), gripPushpin('unlimited'), gripTidegate('none'), gripTidegate('synced')],
  options,
  origin.port,
);
const audiences: Audience[] = [];
for (const server of servers) audiences.push(await gather(server));
for (let round = 0; round < rounds; round++) {
  for (const rate of rates) {
    for (const { server, subscribers, deliveries } of audiences) {
      progress(`${server.name}, ${server.durability}: ${rate} a second, round ${round + 1} of ${rounds}`);
      const figures = await fanOut(server.pid, server.way, subscribers, options.seconds, rate);
      add(deliveries.get(rate) as Delivery, await subscribers.latencies(), figures);
    }
  }
}
for (const { subscribers } of audiences) await subscribers.close();
for (const server of [...servers, origin]) await server.stop();

/** The p99 of Pushpin without its limits at a rate. */
const rivalUs = (rate: number): number =>
  audiences
    .find(({ server }) => server.name === 'pushpin')
    ?.deliveries.get(rate)
    ?.latencies.percentile(99) ?? Number.NaN;
printTable(options, {
  title: `GRIP: from publishing to ${held.toLocaleString('en-US')} held streams, milliseconds`,
  columns: [
    'publishes/s',
    'gateway',
    'durability',
    'p50',
    'p99',
    'max',
    'p99 x Pushpin',
    'lost',
    'streams left',
    'drain ms',
    'sender late max',
    'CPU gateway %',
    'MiB before',
    'MiB with all held',
  ],
  rows: rates.flatMap((rate) =>
    audiences.map(({ server, memory, deliveries }): Cell[] => {
      const { latencies, lost, open, drainMs, lateUs, cpu } = deliveries.get(rate) as Delivery;
      return [
        rate,
        server.name,
        server.durability,
        latencies.percentile(50) / 1000,
        latencies.percentile(99) / 1000,
        latencies.maximum / 1000,
        latencies.percentile(99) / rivalUs(rate),
        lost,
        open,
        Math.round(drainMs),
        lateUs / 1000,
        cpu,
        ...memory.map((bytes) => bytes / 2 ** 20),
      ];
    }),
  ),
  notes: [
    `${machineNote()} ${servers.map(({ version }) => version).join('; ')}.`,
    `From the intended time of \`POST /publish\` at the control port, one item of 100 bytes each, until the client has read it; every delivery of ${rounds} rounds of ${options.seconds} s counts, one gateway after the other in each. Each publish has a connection of its own, as Pushpin closes them. x Pushpin: against it without its limits. ` +
      'As packaged Pushpin delivers at most 2,500 messages a second. Memory: resident pages of all processes, those shared divided among the sharers.',
  ],
});
