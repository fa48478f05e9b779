import { BareHttpServer } from './peers/bare-http.ts';
import { nchan, startNchan } from './peers/nchan.ts';
import type { BenchServer } from './peers/server.ts';
import { nameOf, startTidegate } from './peers/tidegate.ts';
import { localCertificate } from './support/certificate.ts';
import { type FanOutFigures, fanOut, warmUp } from './support/fan-out.ts';
import { Handshakes } from './support/handshakes.ts';
import { machineNote, packageVersion } from './support/machine.ts';
import { printTable, progress, readOptions, wanted } from './support/options.ts';
import { getRequest } from './support/payload.ts';
import type { WayIn } from './support/publisher.ts';
import { Subscribers } from './support/subscribers.ts';
import type { Cell } from './support/table.ts';

const PURPOSE =
  'TLS 1.3 with an ECDSA certificate on P-256: whole handshakes, one per request, and fan-out of event streams over HTTP/1.1.';
const WARM_SECONDS = 2;
const PARTS = ['handshakes', 'fanout'] as const;
type Part = (typeof PARTS)[number];

const options = readOptions(PURPOSE, { parts: PARTS.join(','), connections: '32', subscribers: '1000' });
const [connections = 32] = options.numbers('connections');
const [subscriberCount = 1000] = options.numbers('subscribers');
const certificate = localCertificate();

/** A server of the table, over TLS with the certificate or plain. */
interface TlsPeer {
  readonly name: string;
  readonly durability: string;
  readonly missing: () => string | null;
  readonly start: (isSecure: boolean) => Promise<BenchServer>;
}

const nchanPeer = (workers: number): TlsPeer => ({
  ...nchan(workers),
  start: (isSecure) => startNchan(workers, isSecure ? certificate : undefined),
});
const tidegatePeer = (durability: 'none' | 'synced', workers = 1): TlsPeer => ({
  name: nameOf(workers),
  durability,
  missing: () => null,
  start: (isSecure) =>
    startTidegate(durability, { certificate: isSecure ? certificate : undefined, workers }),
});

function available(peers: readonly TlsPeer[]): readonly TlsPeer[] {
  return peers.filter((peer) => {
    if (!wanted(options, peer.name)) return false;
    const missing = peer.missing();
    if (missing !== null) progress(`${peer.name} is left out; it needs: ${missing}`);
    return missing === null;
  });
}

async function handshakeRow(name: string, pid: number, port: number): Promise<Cell[]> {
  progress(`handshakes, ${name}`);
  const request = getRequest('/', {});
  const before = await Handshakes.prepare(port, request, connections, WARM_SECONDS);
  await before.run();
  const load = await Handshakes.prepare(port, request, connections, options.seconds);
  const { result, seconds, cpu } = await load.runOn(pid);
  const perSecond = result.done / seconds;
  const microseconds = (percent: number) => (percent / 100 / perSecond) * 1e6;
  return [
    name,
    Math.round(perSecond),
    Math.round(microseconds(cpu.server)),
    Math.round(microseconds(cpu.load)),
    result.latencies.percentile(50) / 1000,
    result.latencies.percentile(99) / 1000,
    result.failed,
    result.resumed,
    cpu.server,
    cpu.load,
  ];
}

async function printHandshakes(): Promise<void> {
  const rows: Cell[][] = [];
  if (wanted(options, 'bare')) {
    const bare = await BareHttpServer.start(certificate);
    rows.push(await handshakeRow('bare node:https', bare.pid, bare.port));
    await bare.stop();
  }
  for (const peer of available([nchanPeer(1), nchanPeer(2), tidegatePeer('none'), tidegatePeer('none', 2)])) {
    const server = await peer.start(true);
    try {
      // Without any channel it is nginx alone.
      rows.push(await handshakeRow(peer.name.replace('nchan', 'nginx'), server.pid, server.subscribePort));
    } finally {
      await server.stop();
    }
  }
  printTable(options, {
    title: `Handshakes: a new connection for each request, ${connections} at a time, milliseconds from connecting to the answer`,
    columns: [
      'server',
      'handshakes/s',
      'CPU µs each: server',
      'load',
      'p50',
      'p99',
      'failed',
      'resumed',
      'CPU server %',
      'load %',
    ],
    rows,
    notes: [
      `${machineNote()} nginx ${packageVersion('nginx-light')}, load and nginx with OpenSSL ${packageVersion('libssl3')}, Node with ${process.versions.openssl}. ` +
        'Whole handshakes of TLS 1.3, X25519, ECDSA on P-256; `GET /`, answered with nothing or 404. Where the load uses a whole core, it is the bound, and the ' +
        'CPU time of the server for each is what can be compared.',
    ],
  });
}

interface FanOutRow {
  readonly peer: TlsPeer;
  readonly isSecure: boolean;
  readonly kind: 'single' | 'best';
  readonly way: WayIn;
  readonly figures: FanOutFigures;
}

const fanOutRows: FanOutRow[] = [];

async function measureFanOut(peer: TlsPeer, isSecure: boolean): Promise<void> {
  progress(`fan-out, ${peer.name}, durability ${peer.durability}, ${isSecure ? 'TLS' : 'plain'}`);
  const server = await peer.start(isSecure);
  try {
    const subscribers = await Subscribers.open({
      port: server.subscribePort,
      requests: [server.subscribeRequest('sse')],
      connections: subscriberCount,
      protocol: 'sse',
      tls: isSecure,
    });
    await warmUp(server.singlePosts('sse'), subscribers);
    for (const [kind, way] of [
      ['single', server.singlePosts('sse')],
      ['best', server.bestWay('sse')],
    ] as const) {
      await fanOut(server.pid, way, subscribers, WARM_SECONDS);
      const figures = await fanOut(server.pid, way, subscribers, options.seconds);
      fanOutRows.push({ peer, isSecure, kind, way, figures });
    }
    await subscribers.close();
  } finally {
    await server.stop();
  }
}

/** How many times the deliveries of the rows of the same way in that `isRival` says. */
function ratio(row: FanOutRow, isRival: (rival: FanOutRow) => boolean): number {
  const rivals = fanOutRows.filter((rival) => rival.kind === row.kind && isRival(rival));
  const best = Math.max(0, ...rivals.map((rival) => rival.figures.deliveriesPerSecond));
  return best === 0 ? Number.NaN : row.figures.deliveriesPerSecond / best;
}

function fanOutCells(row: FanOutRow): Cell[] {
  const { peer, isSecure, way, figures } = row;
  return [
    peer.name,
    peer.durability,
    isSecure ? 'TLS 1.3' : 'plain',
    way.label,
    Math.round(figures.publishesPerSecond),
    Math.round(figures.deliveriesPerSecond),
    ratio(row, (rival) => rival.peer.name.startsWith('nchan') && rival.isSecure === isSecure),
    ratio(row, (rival) => rival.peer === peer && !rival.isSecure),
    figures.lost,
    Math.round(figures.drainMs),
    figures.cpu.server,
    figures.cpu.publisher,
    figures.cpu.subscribers,
  ];
}

async function printFanOut(): Promise<void> {
  const peers = [nchanPeer(2), tidegatePeer('none'), tidegatePeer('synced'), tidegatePeer('none', 2)];
  for (const peer of available(peers)) {
    for (const isSecure of [false, true]) await measureFanOut(peer, isSecure);
  }
  printTable(options, {
    title: `Fan-out over TLS: ${subscriberCount.toLocaleString('en-US')} event streams of one channel over HTTP/1.1, 100-byte messages, publisher saturating`,
    columns: [
      'server',
      'durability',
      'over',
      'way in',
      'publishes/s',
      'deliveries/s',
      'x Nchan',
      'x plain',
      'lost',
      'drain ms',
      'CPU server %',
      'publisher %',
      'subscribers %',
    ],
    rows: fanOutRows.map(fanOutCells),
    notes: [
      `${machineNote()} nginx ${packageVersion('nginx-light')}, Nchan ${packageVersion('libnginx-mod-nchan')}, 2 workers; Tidegate, one process, or as many as its name says. ` +
        'Publisher and subscribers speak TLS where the row does. x Nchan: against it in the same row over the same transport.',
    ],
  });
}

const printed: Readonly<Record<Part, () => Promise<void>>> = {
  handshakes: printHandshakes,
  fanout: printFanOut,
};
const wantedParts = options.own('parts').split(',');
for (const part of PARTS) if (wantedParts.includes(part)) await printed[part]();
