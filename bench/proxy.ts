import { nginxProxy } from './peers/proxies/nginx.ts';
import { nodeProxy } from './peers/proxies/node.ts';
import { startOrigin } from './peers/proxies/origins.ts';
import type { ProxyPeer, ProxyServer } from './peers/proxies/proxy-server.ts';
import { pushpinProxy } from './peers/proxies/pushpin.ts';
import { tidegateProxy } from './peers/proxies/tidegate.ts';
import { canPin, pinTree } from './support/cores.ts';
import { Histogram } from './support/histogram.ts';
import { machineNote } from './support/machine.ts';
import { printTable, progress, readOptions, wanted } from './support/options.ts';
import { blankPayload, getRequest } from './support/payload.ts';
import { Publisher, publishFor, type WayIn } from './support/publisher.ts';
import type { Cell } from './support/table.ts';

const PURPOSE =
  'A reverse proxy in front of an origin: saturated, and at a constant rate, beside nginx, proxies of Node, Pushpin and no proxy at all.';
const WARM_SECONDS = 2;

const options = readOptions(PURPOSE, {
  connections: '64',
  rate: '2000',
  rounds: '3',
  seconds: '8',
  cores: 'apart',
});
const [connections = 64] = options.numbers('connections');
const [rate = 2000] = options.numbers('rate');
const [rounds = 5] = options.numbers('rounds');

const PEERS: readonly ProxyPeer[] = [
  nginxProxy,
  tidegateProxy(),
  nodeProxy('http-proxy'),
  nodeProxy('@fastify/http-proxy'),
  pushpinProxy,
  tidegateProxy('http2'),
  nodeProxy('@fastify/http-proxy', 'http2'),
];
/** At the constant rate: where the load and the origin run, and where the proxies. */
const LOAD_CORE = 0;
const PROXY_CORE = 1;

/** GETs of the kilobyte, each stamped in a field of its own. */
const gets = (port: number, many: number): WayIn => ({
  label: `GET x ${many}`,
  port,
  connections: many,
  unit: Buffer.from(getRequest('/kilobyte', { 'X-Stamp': blankPayload(40) })),
  answers: 'response',
});

interface Saturated {
  readonly perSecond: number;
  readonly cells: readonly Cell[];
}

async function saturate(server: ProxyServer): Promise<Saturated> {
  progress(`${server.name}: saturated`);
  const way = gets(server.port, connections);
  await publishFor(way, WARM_SECONDS);
  const publisher = await Publisher.connect(way, options.seconds);
  const { result, seconds, cpu } = await publisher.runOn(server.pid);
  const perSecond = result.accepted / seconds;
  const ms = (percent: number): number => result.latencies.percentile(percent) / 1000;
  const failed = result.refused + result.unanswered;
  return {
    perSecond,
    cells: [ms(50), ms(99), failed, cpu.server / 100 / (perSecond / 1e6), cpu.server, cpu.load],
  };
}

/** What all rounds at the constant rate came to. */
interface AtRate {
  /** From the intended time of sending. */
  readonly latencies: Histogram;
  /** The same without what the sender was late. */
  readonly serverLatencies: Histogram;
  readonly senderLateness: Histogram;
  failed: number;
  cpu: number;
}

async function measureAtRate(server: ProxyServer, sum: AtRate): Promise<void> {
  const publisher = await Publisher.connect(gets(server.port, 16), options.seconds, rate);
  const { result, cpu } = await publisher.runOn(server.pid);
  sum.latencies.add(result.latencies);
  sum.serverLatencies.add(result.serverLatencies);
  sum.senderLateness.add(result.ownLateness);
  sum.failed += result.refused + result.unanswered;
  sum.cpu += cpu.server / rounds;
}

const origin = await startOrigin();
const servers: ProxyServer[] = [];
for (const peer of PEERS) {
  if (!wanted(options, peer.name)) continue;
  const missing = peer.missing();
  if (missing === null)
    servers.push(await peer.start(peer.upstream === 'http2' ? origin.http2Port : origin.port));
  else progress(`${peer.name} is left out: ${missing}`);
}
const direct: ProxyServer = { ...origin, name: 'direct' };

const saturated = new Map<string, Saturated>();
for (const server of [direct, ...servers]) saturated.set(server.name, await saturate(server));
const ofNginx = saturated.get('nginx')?.perSecond ?? Number.NaN;

const steady = new Map<string, AtRate>();
for (const { name } of [direct, ...servers])
  steady.set(name, {
    latencies: new Histogram(),
    serverLatencies: new Histogram(),
    senderLateness: new Histogram(),
    failed: 0,
    cpu: 0,
  });
// With a core of its own a proxy waits for nothing but itself; what is started from now on stays with this process.
const pinned = options.own('cores') === 'apart' && canPin();
if (pinned) {
  pinTree(process.pid, LOAD_CORE);
  for (const { pid } of servers) pinTree(pid, PROXY_CORE);
}
// Round after round, so that what the machine does meanwhile falls on all alike.
for (let round = 0; round < rounds; round++) {
  for (const server of [direct, ...servers]) {
    progress(`${server.name}: ${rate} requests/s, round ${round + 1} of ${rounds}`);
    await measureAtRate(server, steady.get(server.name) as AtRate);
  }
}
for (const server of [...servers, origin]) await server.stop();

printTable(options, {
  title: `A proxy, saturated: GET of 1 KB, ${connections} keep-alive connections, milliseconds`,
  columns: ['proxy', 'requests/s', 'x nginx', 'p50', 'p99', 'failed', 'CPU µs each', 'CPU proxy %', 'load %'],
  rows: [...saturated].map(([name, { perSecond, cells }]) => [
    name,
    Math.round(perSecond),
    name === 'direct' ? '-' : perSecond / ofNginx,
    ...cells,
  ]),
  notes: [
    `${machineNote()} ${[...new Set(servers.map(({ version }) => version))].join('; ')}. The origin is nginx with one worker; direct is the origin alone, whose CPU is then that of the row. What ends in -h2 speaks HTTP/2 with the origin, which nginx and http-proxy cannot; direct speaks HTTP/1.1. Each connection sends as soon as it has its answer, so the times are those of a full proxy.`,
  ],
});

type Distribution = 'latencies' | 'serverLatencies' | 'senderLateness';
const ms = (name: string, percent: number, of: Distribution = 'latencies'): number =>
  (steady.get(name)?.[of].percentile(percent) ?? 0) / 1000;
const over = (name: string, percent: number, of: Distribution = 'latencies'): Cell =>
  name === 'direct' ? '-' : ms(name, percent, of) - ms('direct', percent, of);
printTable(options, {
  title: `A proxy at ${rate.toLocaleString('en-US')} requests/s: GET of 1 KB, 16 connections, milliseconds`,
  columns: [
    'proxy',
    'p50',
    'p99',
    'p99.9',
    'max',
    'p50 over direct',
    'p99 over direct',
    'p99 of its own',
    'p99.9 of its own',
    'p99 of its own over direct',
    'sender late p99',
    'sender late p99.9',
    'sender late max',
    'failed',
    'CPU proxy %',
  ],
  rows: [...steady].map(([name, { latencies, senderLateness, failed, cpu }]) => [
    name,
    ...[50, 99, 99.9].map((percent) => ms(name, percent)),
    latencies.maximum / 1000,
    ...[50, 99].map((percent) => over(name, percent)),
    ...[99, 99.9].map((percent) => ms(name, percent, 'serverLatencies')),
    over(name, 99, 'serverLatencies'),
    ...[99, 99.9].map((percent) => ms(name, percent, 'senderLateness')),
    senderLateness.maximum / 1000,
    failed,
    cpu,
  ]),
  notes: [
    `From the intended time of sending, by a schedule that does not wait for answers; ${rounds} rounds of ${options.seconds} s, one proxy after the other in each. ` +
      `${pinned ? 'Each proxy with all its processes and threads runs on one core, load and origin on the other (`--cores shared` lets all run anywhere); Pushpin would use more than one.' : 'Proxies, load and origin share all cores.'} ` +
      'Sender late: how long after the intended time the load sent a request although a connection was free, which is no fault of the proxy; of its own: without that.',
  ],
});
