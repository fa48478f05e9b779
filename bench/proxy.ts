import { nginxProxy, startOrigin } from './peers/proxies/nginx.ts';
import { nodeProxy } from './peers/proxies/node.ts';
import type { ProxyPeer, ProxyServer } from './peers/proxies/proxy-server.ts';
import { pushpinProxy } from './peers/proxies/pushpin.ts';
import { tidegateProxy } from './peers/proxies/tidegate.ts';
import { Histogram } from './support/histogram.ts';
import { machineNote } from './support/machine.ts';
import { printTable, progress, readOptions, wanted } from './support/options.ts';
import { blankPayload, getRequest } from './support/payload.ts';
import { Publisher, publishFor, type WayIn } from './support/publisher.ts';
import type { Cell } from './support/table.ts';

const PURPOSE =
  'A reverse proxy in front of an origin: saturated, and at a constant rate, beside nginx, proxies of Node, Pushpin and no proxy at all.';
const WARM_SECONDS = 2;

const options = readOptions(PURPOSE, { connections: '64', rate: '2000', rounds: '5', seconds: '4' });
const [connections = 64] = options.numbers('connections');
const [rate = 2000] = options.numbers('rate');
const [rounds = 5] = options.numbers('rounds');

const PEERS: readonly ProxyPeer[] = [
  nginxProxy,
  tidegateProxy,
  nodeProxy('http-proxy'),
  nodeProxy('@fastify/http-proxy'),
  pushpinProxy,
];

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
  readonly latencies: Histogram;
  failed: number;
  lateUs: number;
  cpu: number;
}

async function measureAtRate(server: ProxyServer, sum: AtRate): Promise<void> {
  const publisher = await Publisher.connect(gets(server.port, 16), options.seconds, rate);
  const { result, cpu } = await publisher.runOn(server.pid);
  sum.latencies.add(result.latencies);
  sum.failed += result.refused + result.unanswered;
  sum.lateUs = Math.max(sum.lateUs, result.lateUs);
  sum.cpu += cpu.server / rounds;
}

const origin = await startOrigin();
const servers: ProxyServer[] = [];
for (const peer of PEERS) {
  if (!wanted(options, peer.name)) continue;
  const missing = peer.missing();
  if (missing === null) servers.push(await peer.start(origin.port));
  else progress(`${peer.name} is left out: ${missing}`);
}
const direct: ProxyServer = { ...origin, name: 'direct' };

const saturated = new Map<string, Saturated>();
for (const server of [direct, ...servers]) saturated.set(server.name, await saturate(server));
const ofNginx = saturated.get('nginx')?.perSecond ?? Number.NaN;

const steady = new Map<string, AtRate>();
for (const { name } of [direct, ...servers])
  steady.set(name, { latencies: new Histogram(), failed: 0, lateUs: 0, cpu: 0 });
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
    `${machineNote()} ${servers.map(({ version }) => version).join('; ')}. The origin is nginx with one worker; direct is the origin alone, whose CPU is then that of the row. Each connection sends as soon as it has its answer, so the times are those of a full proxy.`,
  ],
});

const percentile = (name: string, percent: number): number =>
  (steady.get(name)?.latencies.percentile(percent) ?? 0) / 1000;
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
    'failed',
    'sender late',
    'CPU proxy %',
  ],
  rows: [...steady].map(([name, { latencies, failed, lateUs, cpu }]) => [
    name,
    ...[50, 99, 99.9].map((percent) => percentile(name, percent)),
    latencies.maximum / 1000,
    ...(name === 'direct'
      ? ['-', '-']
      : [50, 99].map((percent) => percentile(name, percent) - percentile('direct', percent))),
    failed,
    lateUs / 1000,
    cpu,
  ]),
  notes: [
    `From the intended time of sending, by a schedule that does not wait for answers; ${rounds} rounds of ${options.seconds} s, one proxy after the other in each. Sender late: how far the load itself was behind its schedule at worst.`,
  ],
});
