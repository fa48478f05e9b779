import { setTimeout as delay } from 'node:timers/promises';
import {
  type GripServer,
  gripPushpin,
  gripTidegate,
  heldResponses,
  heldStreams,
  startGripPeers,
} from './peers/grip.ts';
import { startGripOrigin } from './peers/proxies/origins.ts';
import { warmUp } from './support/fan-out.ts';
import { Histogram } from './support/histogram.ts';
import { machineNote } from './support/machine.ts';
import { printTable, progress, readOptions } from './support/options.ts';
import { CpuMeter, memoryOf } from './support/process-figures.ts';
import { Publisher } from './support/publisher.ts';
import { Subscribers } from './support/subscribers.ts';
import type { Cell } from './support/table.ts';

const PURPOSE =
  'GRIP: how many streams and responses a second the gateway holds that an origin instructs it to hold.';
/** The gateway has held a few before, so that code loaded by the first of them does not count. */
const STREAMS_BEFORE = 500;
const WARM_SECONDS = 1;
/** For how much longer than is asked answers are published, so that the last ones are answered as well. */
const MORE_SECONDS = 3;
/** How long a gateway may take to forget the streams of a round, before the next one is measured. */
const SETTLE_MS = 1000;

const options = readOptions(PURPOSE, {
  seconds: '4',
  rounds: '2',
  streams: '5000',
  opening: '64',
  polls: '100',
  'answers-per-second': '200',
});
const [rounds = 2] = options.numbers('rounds');
const [streams = 5000] = options.numbers('streams');
const [opening = 64] = options.numbers('opening');
const [polls = 100] = options.numbers('polls');
const [answersPerSecond = 200] = options.numbers('answers-per-second');

/** What all rounds came to. */
interface Sum {
  /** Of streams: from connecting until the answer's head. Of responses: from asking until the whole answer. */
  readonly times: Histogram;
  held: number;
  seconds: number;
  /** Streams that were refused and tried again; polls without a good answer. */
  failed: number;
  serverCpu: number;
  loadCpu: number;
}

const newSum = (): Sum => ({
  times: new Histogram(),
  held: 0,
  seconds: 0,
  failed: 0,
  serverCpu: 0,
  loadCpu: 0,
});

/** Opens all streams, and returns the gateway's memory while it holds them. */
async function holdStreams(server: GripServer, sum: Sum): Promise<number> {
  const subscribers = Subscribers.start({ ...heldStreams(server, streams), opening });
  const meter = new CpuMeter({ server: server.pid, load: subscribers.pid });
  await subscribers.ready();
  const { server: serverCpu = 0, load = 0 } = meter.percentages();
  const report = await subscribers.report();
  sum.times.add(await subscribers.openings());
  sum.held += report.open;
  sum.seconds += (report.settledUs - report.openingUs) / 1e6;
  sum.failed += report.refused;
  sum.serverCpu += serverCpu / rounds;
  sum.loadCpu += load / rounds;
  // A stream counts only if it is held: what is published now has to reach each of them.
  await warmUp(server.way, subscribers);
  const memory = memoryOf(server.pid).proportional;
  await subscribers.close();
  await delay(SETTLE_MS);
  return memory;
}

/** Polls again and again, while answers are published at a rate at which waiting for one costs little. */
async function holdResponses(server: GripServer, seconds: number, sum: Sum): Promise<void> {
  const poll = await Publisher.connect(heldResponses(server, polls), seconds);
  const publish = await Publisher.connect(server.answers, seconds + MORE_SECONDS, answersPerSecond);
  publish.start();
  const run = await poll.runOn(server.pid);
  await publish.stopped();
  await publish.result();
  sum.times.add(run.result.latencies);
  sum.held += run.result.accepted;
  sum.seconds += run.seconds;
  sum.failed += run.result.refused + run.result.unanswered;
  sum.serverCpu += run.cpu.server / rounds;
  sum.loadCpu += run.cpu.load / rounds;
}

/** Each with what it came to, and the memory without any stream and with all that are held for the first time. */
interface Measured {
  readonly server: GripServer;
  readonly streams: Sum;
  readonly responses: Sum;
  readonly memory: readonly [before: number, held: number];
}

async function warmedUp(server: GripServer): Promise<Measured> {
  const subscribers = await Subscribers.open(heldStreams(server, STREAMS_BEFORE));
  await warmUp(server.way, subscribers);
  await subscribers.close();
  await delay(SETTLE_MS);
  // What is held for the first time shows what it takes; how fast it goes counts from the second time on, when nothing is compiled any more.
  const before = memoryOf(server.pid).proportional;
  const held = await holdStreams(server, newSum());
  return { server, streams: newSum(), responses: newSum(), memory: [before, held] };
}

const origin = await startGripOrigin();
const servers = await startGripPeers(
  [gripPushpin('stock'), gripPushpin('unlimited'), gripTidegate('none')],
  options,
  origin.port,
);
const measured: Measured[] = [];
for (const server of servers) measured.push(await warmedUp(server));
for (let round = 0; round < rounds; round++) {
  for (const one of measured) {
    progress(`${one.server.name}: streams, round ${round + 1} of ${rounds}`);
    await holdStreams(one.server, one.streams);
  }
}
for (const { server } of measured) await holdResponses(server, WARM_SECONDS, newSum());
for (let round = 0; round < rounds; round++) {
  for (const { server, responses } of measured) {
    progress(`${server.name}: responses, round ${round + 1} of ${rounds}`);
    await holdResponses(server, options.seconds, responses);
  }
}
for (const server of [...servers, origin]) await server.stop();

const perSecond = ({ held, seconds }: Sum): number => held / seconds;

/** What both tables have in each row. */
function commonCells({ server }: Measured, kind: 'streams' | 'responses'): Cell[] {
  const sumOf = (one: Measured): Sum => one[kind];
  const sum = sumOf(measured.find((one) => one.server === server) as Measured);
  const rivals = measured.filter((one) => one.server.name.startsWith('pushpin')).map(sumOf);
  return [
    server.name,
    Math.round(perSecond(sum)),
    rivals.length === 0 ? Number.NaN : perSecond(sum) / Math.max(...rivals.map(perSecond)),
    ...[50, 99].map((percent) => sum.times.percentile(percent) / 1000),
    sum.times.maximum / 1000,
    sum.failed,
    sum.serverCpu,
    sum.loadCpu,
  ];
}
const COLUMNS = ['x Pushpin', 'p50', 'p99', 'max', 'failed', 'CPU gateway %', 'load %'];
const versions = servers.map(({ version }) => version).join('; ');

printTable(options, {
  title: `GRIP: ${streams.toLocaleString('en-US')} streams that are held, ${opening} opening at a time, milliseconds`,
  columns: ['gateway', 'holds/s', ...COLUMNS, 'MiB before', 'MiB with all held', 'KiB each'],
  rows: measured.map((one): Cell[] => {
    const [before, held] = one.memory;
    return [
      ...commonCells(one, 'streams'),
      ...[before / 2 ** 20, held / 2 ** 20, (held - before) / streams / 1024],
    ];
  }),
  notes: [
    `${machineNote()} ${versions}. The origin is nginx with one worker, which answers each request with \`Grip-Hold: stream\` and a channel.`,
    `${rounds} rounds, one gateway after the other in each. Each stream has a connection of its own; holds/s are all streams over the time from the first connection until the last answer's head, and the times are from connecting until the answer's head. x Pushpin: against the faster of its profiles. Failed: refused, and tried again. After each round something is published, and reaches every stream. ` +
      'Memory: all resident pages of all processes of the gateway, those shared divided among the sharers, when all are held for the first time, which does not count for the rate.',
  ],
});
printTable(options, {
  title: `GRIP: ${polls} clients whose responses are held, and that ask again at once, milliseconds`,
  columns: ['gateway', 'holds/s', ...COLUMNS],
  rows: measured.map((one) => commonCells(one, 'responses')),
  notes: [
    `Each request goes to the origin, which answers with \`Grip-Hold: response\`, and is answered by what is published next: ${answersPerSecond} items a second, so the times have up to ${Math.round(1000 / answersPerSecond)} ms of waiting in them. ${rounds} rounds of ${options.seconds} s, one gateway after the other in each. As packaged Pushpin answers at most 2,500 a second. With twice as many clients it answers some with 500 and 502.`,
  ],
});
