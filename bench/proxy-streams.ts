import { nginxProxy, nginxUnbuffered } from './peers/proxies/nginx.ts';
import { startBodiesOrigin } from './peers/proxies/origins.ts';
import type { ProxyPeer, ProxyServer } from './peers/proxies/proxy-server.ts';
import { tidegateProxy } from './peers/proxies/tidegate.ts';
import { machineNote } from './support/machine.ts';
import { printTable, progress, readOptions, wanted } from './support/options.ts';
import { CpuMeter, memoryOf, PeakMemory } from './support/process-figures.ts';
import type { Cell } from './support/table.ts';
import { type Direction, Transfers } from './support/transfers.ts';

const PURPOSE =
  'Long bodies through a reverse proxy, down and up: bytes a second and the memory of the proxy, also with a client or an origin that is slow.';
const MEGABYTE = 1e6;

const options = readOptions(PURPOSE, {
  seconds: '2',
  streams: '1,16,64',
  megabytes: '10',
  'slow-streams': '64',
  'slow-megabytes-per-second': '2',
});
const [megabytes = 10] = options.numbers('megabytes');
const [slowStreams = 64] = options.numbers('slow-streams');
const [slowMegabytes = 2] = options.numbers('slow-megabytes-per-second');
const bodyBytes = megabytes * MEGABYTE;
const slowBytesPerSecond = slowMegabytes * MEGABYTE;

const PEERS: readonly ProxyPeer[] = [nginxProxy, nginxUnbuffered, tidegateProxy()];

/** One row of each proxy. */
interface Scene {
  readonly direction: Direction;
  readonly streams: number;
  readonly slow: 'nobody' | 'client' | 'origin';
}

const SCENES: readonly Scene[] = [
  ...(['download', 'upload'] as const).flatMap((direction) =>
    options.numbers('streams').map((streams): Scene => ({ direction, streams, slow: 'nobody' })),
  ),
  { direction: 'download', streams: slowStreams, slow: 'client' },
  { direction: 'upload', streams: slowStreams, slow: 'origin' },
];

function load(port: number, { direction, streams, slow }: Scene): Promise<Transfers> {
  return Transfers.prepare({
    port,
    target: slow === 'origin' ? `/?rate=${slowBytesPerSecond}` : '/',
    direction,
    connections: streams,
    bodyBytes,
    // Of those that are slow, each connection moves one body, which takes long enough.
    seconds: slow === 'nobody' ? options.seconds : 0,
    ...(slow === 'client' ? { bytesPerSecond: slowBytesPerSecond } : {}),
  });
}

const mebibytes = (bytes: number): number => bytes / 2 ** 20;

async function measure(server: ProxyServer, originPid: number, scene: Scene): Promise<Cell[]> {
  const idle = memoryOf(server.pid).anonymous;
  const transfers = await load(server.port, scene);
  const origin = new CpuMeter({ origin: originPid });
  const peak = new PeakMemory(server.pid);
  const { result, seconds, cpu } = await transfers.runOn(server.pid);
  const highest = peak.stop();
  const { origin: originCpu = 0 } = origin.percentages();
  const perSecond = (result.done * bodyBytes) / seconds / MEGABYTE;
  const isDirect = server.pid === originPid;
  return [
    scene.direction,
    scene.slow,
    scene.streams,
    server.name,
    Math.round(perSecond),
    result.failed,
    ...(isDirect ? ['-', '-', '-', '-'] : [...[idle, highest, highest - idle].map(mebibytes), cpu.server]),
    originCpu,
    cpu.load,
  ];
}

const origin = await startBodiesOrigin(bodyBytes);
const versions = new Set<string>();
const rows: Cell[][] = [];
for (const scene of SCENES) {
  const what = `${scene.direction} x ${scene.streams}${scene.slow === 'nobody' ? '' : `, slow ${scene.slow}`}`;
  progress(`direct: ${what}`);
  rows.push(await measure({ ...origin, name: 'direct' }, origin.pid, scene));
  for (const peer of PEERS) {
    if (!wanted(options, peer.name)) continue;
    const missing = peer.missing();
    if (missing !== null) {
      progress(`${peer.name} is left out: ${missing}`);
      continue;
    }
    progress(`${peer.name}: ${what}`);
    // A new process for each row: memory that one row has freed would serve the next one unseen.
    const server = await peer.start(origin.port);
    versions.add(server.version);
    rows.push(await measure(server, origin.pid, scene));
    await server.stop();
  }
}
await origin.stop();

printTable(options, {
  title: `Bodies of ${megabytes} MB through a proxy`,
  columns: [
    'direction',
    'who is slow',
    'streams',
    'proxy',
    'MB/s',
    'failed',
    'idle MiB',
    'peak MiB',
    'MiB more',
    'CPU proxy %',
    'origin %',
    'load %',
  ],
  rows,
  notes: [
    `${machineNote()} ${[...versions].join('; ')}. nginx-unbuffered has \`proxy_request_buffering off\` and \`proxy_buffering off\`; nginx by default writes what it cannot pass on at once into files, which are not in its memory.`,
    `Each stream moves one body after another for ${options.seconds} s, every byte compared at its end; MB/s are of whole bodies until the last one was over. A slow client takes, and a slow origin reads, ${slowMegabytes} MB/s on each stream, with little room in its system's buffers, and each stream moves one body. ` +
      'Memory: anonymous pages of all processes of the proxy, the highest of samples every 20 ms, beside what there was before the first request; a new process for each row.',
  ],
});
