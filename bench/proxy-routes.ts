import { nginxWith } from './peers/proxies/nginx.ts';
import { startOrigin } from './peers/proxies/origins.ts';
import type { ProxyServer } from './peers/proxies/proxy-server.ts';
import { startTidegateWith, type TidegateProxy, upstreamLine } from './peers/proxies/tidegate.ts';
import { canPin, pinTree } from './support/cores.ts';
import { Histogram } from './support/histogram.ts';
import { machineNote } from './support/machine.ts';
import { printTable, progress, readOptions, wanted } from './support/options.ts';
import { blankPayload, getRequest, postRequest } from './support/payload.ts';
import { memoryOf } from './support/process-figures.ts';
import { Publisher, type PublishResult, type WayIn } from './support/publisher.ts';
import { ROUTES_MAX, routeName, routeResource, spread } from './support/routes.ts';
import type { Cell } from './support/table.ts';
import type { MeasuredRun } from './support/timed-program.ts';

const PURPOSE =
  'Thousands of routes at a constant rate of requests, as they are and while some of them are changed each second through the admin API.';
const WARM_SECONDS = 2;
/** Resources of one request to the admin API while the routes are made. */
const BATCH = 500;
const STAMP_BYTES = 40;
const LOAD_CORE = 0;
const PROXY_CORE = 1;

const options = readOptions(PURPOSE, {
  seconds: '5',
  rounds: '3',
  routes: '5000',
  rate: '2000',
  swaps: '20',
  connections: '16',
});
const [rounds = 3] = options.numbers('rounds');
const [routes = 5000] = options.numbers('routes');
const [rate = 2000] = options.numbers('rate');
const [swapsPerSecond = 20] = options.numbers('swaps');
const [connections = 16] = options.numbers('connections');
if (routes > ROUTES_MAX) throw new RangeError(`--routes is at most ${ROUTES_MAX}`);

/** GETs of the kilobyte, each through another route than the one before. */
function gets({ name, port }: ProxyServer, seconds: number): WayIn {
  const names = spread(Math.ceil(rate * seconds) + 1, routes).map(routeName);
  // The origin itself has no routes.
  const target = name === 'direct' ? `/kilobyte?${names[0]}` : `/${names[0]}/kilobyte`;
  return {
    label: 'GET',
    port,
    connections,
    unit: Buffer.from(getRequest(target, { 'X-Stamp': blankPayload(STAMP_BYTES) })),
    answers: 'response',
    variants: names,
  };
}

/** Changes to one route each, which leads to `upstream` from then on. */
function swaps(adminPort: number, upstream: string): WayIn {
  const count = Math.ceil(swapsPerSecond * options.seconds) + 1;
  const resources = spread(count, routes).map((index) => JSON.stringify(routeResource(index, upstream)));
  return {
    label: 'POST /api/apply',
    port: adminPort,
    connections: 4,
    unit: postRequest('/api/apply', `{"resources":[${resources[0]}]}`, {
      'Content-Type': 'application/json',
      'X-Stamp': blankPayload(STAMP_BYTES),
    }),
    answers: 'response',
    variants: resources,
  };
}

/** nginx with a location for each route. It reads its configuration anew as a whole, in new processes, so it has no row with changes. */
const nginxRoutes = nginxWith(
  'nginx',
  Array.from(
    { length: routes },
    (_, index) => `location /${routeName(index)}/ { proxy_pass http://origin/; }`,
  ).join('\n    '),
);

async function startTidegate(originPort: number): Promise<TidegateProxy> {
  const server = await startTidegateWith(
    'tidegate',
    `upstreams:\n${upstreamLine('a', originPort)}${upstreamLine('b', originPort)}`,
  );
  for (let from = 0; from < routes; from += BATCH) {
    const resources = Array.from({ length: Math.min(BATCH, routes - from) }, (_, at) =>
      routeResource(from + at, 'a'),
    );
    const answer = await fetch(`http://127.0.0.1:${server.adminPort}/api/apply`, {
      method: 'POST',
      body: JSON.stringify({ resources }),
    });
    if (!answer.ok) throw new Error(`the routes are refused: ${await answer.text()}`);
    await answer.body?.cancel();
  }
  return server;
}

/** What all rounds came to. */
interface Sum {
  readonly server: ProxyServer;
  readonly latencies: Histogram;
  readonly serverLatencies: Histogram;
  readonly senderLateness: Histogram;
  /** How long the changes took, if there were any. */
  readonly swaps: Histogram;
  readonly withSwaps: boolean;
  failed: number;
  failedSwaps: number;
  cpu: number;
}

function newSum(server: ProxyServer, { withSwaps = false } = {}): Sum {
  const histograms = {
    latencies: new Histogram(),
    serverLatencies: new Histogram(),
    senderLateness: new Histogram(),
    swaps: new Histogram(),
  };
  return { server, ...histograms, withSwaps, failed: 0, failedSwaps: 0, cpu: 0 };
}

const failures = (result: PublishResult): number => result.refused + result.unanswered;

function add(sum: Sum, { result, cpu }: MeasuredRun<PublishResult>, swapped: PublishResult | null): void {
  sum.latencies.add(result.latencies);
  sum.serverLatencies.add(result.serverLatencies);
  sum.senderLateness.add(result.ownLateness);
  sum.failed += failures(result);
  sum.cpu += cpu.server / rounds;
  if (swapped === null) return;
  sum.swaps.add(swapped.latencies);
  sum.failedSwaps += failures(swapped);
}

async function measure(sum: Sum, adminPort: number, upstream: string): Promise<void> {
  const load = await Publisher.connect(gets(sum.server, options.seconds), options.seconds, rate);
  const swapper = sum.withSwaps
    ? await Publisher.connect(swaps(adminPort, upstream), options.seconds, swapsPerSecond)
    : null;
  const [run, swapped] = await Promise.all([load.runOn(sum.server.pid), swapper?.run() ?? null]);
  add(sum, run, swapped);
}

/** Fails if a change that was answered is not there. */
async function verify(adminPort: number, upstream: string): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${adminPort}/api/route/${routeName(0)}`);
  const { spec } = (await answer.json()) as { readonly spec: { readonly upstream: string } };
  if (spec.upstream !== upstream) throw new Error(`a route leads to ${spec.upstream}, not to ${upstream}`);
}

const origin = await startOrigin();
progress(`making ${routes} routes`);
const tidegate = await startTidegate(origin.port);
const nginx =
  nginxRoutes.missing() === null && wanted(options, 'nginx') ? await nginxRoutes.start(origin.port) : null;
const sums: readonly Sum[] = [
  newSum({ ...origin, name: 'direct' }),
  ...(nginx === null ? [] : [newSum(nginx)]),
  newSum(tidegate),
  newSum(tidegate, { withSwaps: true }),
];
const pinned = canPin();
if (pinned) {
  pinTree(process.pid, LOAD_CORE);
  for (const server of [nginx, tidegate]) if (server !== null) pinTree(server.pid, PROXY_CORE);
}
for (const { server } of sums) {
  const warmUp = await Publisher.connect(gets(server, WARM_SECONDS), WARM_SECONDS, rate);
  await warmUp.run();
}
for (let round = 0; round < rounds; round++) {
  // Each change is one: in the round before, the routes were led to the other.
  const upstream = round % 2 === 0 ? 'b' : 'a';
  for (const sum of sums) {
    progress(`${sum.server.name}${sum.withSwaps ? ', with changes' : ''}: round ${round + 1} of ${rounds}`);
    await measure(sum, tidegate.adminPort, upstream);
  }
  await verify(tidegate.adminPort, upstream);
}
const memories = new Map(sums.map(({ server }) => [server, memoryOf(server.pid).anonymous / 2 ** 20]));
for (const server of [nginx, tidegate, origin]) await server?.stop();

const base = sums[0] as Sum;
printTable(options, {
  title: `${routes.toLocaleString('en-US')} routes: GET of 1 KB at ${rate.toLocaleString('en-US')} requests/s, ${connections} connections, milliseconds`,
  columns: [
    'proxy',
    'changes/s',
    'p50',
    'p99',
    'p99.9',
    'max',
    'p99 over direct',
    'p99 of its own',
    'p99.9 of its own',
    'sender late p99.9',
    'failed',
    'change p50',
    'change p99',
    'change max',
    'changes failed',
    'CPU proxy %',
    'anonymous MiB',
  ],
  rows: sums.map((sum): Cell[] => {
    const ms = (histogram: Histogram, percent: number): number => histogram.percentile(percent) / 1000;
    return [
      sum.server.name,
      sum.withSwaps ? swapsPerSecond : 0,
      ...[50, 99, 99.9].map((percent) => ms(sum.latencies, percent)),
      sum.latencies.maximum / 1000,
      sum === base ? '-' : ms(sum.latencies, 99) - ms(base.latencies, 99),
      ...[99, 99.9].map((percent) => ms(sum.serverLatencies, percent)),
      ms(sum.senderLateness, 99.9),
      sum.failed,
      ...(sum.withSwaps
        ? [ms(sum.swaps, 50), ms(sum.swaps, 99), sum.swaps.maximum / 1000, sum.failedSwaps]
        : ['-', '-', '-', '-']),
      sum.cpu,
      sum === base ? '-' : (memories.get(sum.server) ?? Number.NaN),
    ];
  }),
  notes: [
    `${machineNote()} ${[...new Set(sums.map(({ server }) => server.version))].join('; ')}. The origin is nginx with one worker; direct is the origin alone.`,
    `Each request takes another route than the one before. A change leads one route to another upstream, by \`POST /api/apply\` at the admin port, and its time runs until the answer, which comes when the change is durable and in effect. nginx has a location for each route; it reads its configuration anew as a whole, in new processes that leave its clients' connections, so it has no row with changes. ` +
      `From the intended time of sending; ${rounds} rounds of ${options.seconds} s, one row after the other in each. ` +
      `${pinned ? 'Each proxy runs on one core, load, changes and origin on the other.' : 'All share all cores.'} Of its own: without what the sender was late although a connection was free.`,
  ],
});
