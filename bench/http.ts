import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Child } from './support/child.ts';
import { machineNote } from './support/machine.ts';
import { type Protocol, printTable, progress, readOptions, wanted } from './support/options.ts';
import { blankPayload, postRequest } from './support/payload.ts';
import { freePorts, portOpen } from './support/ports.ts';
import { memoryOf } from './support/process-figures.ts';
import { Publisher, publishFor, type WayIn } from './support/publisher.ts';
import { Subscribers } from './support/subscribers.ts';
import type { Cell } from './support/table.ts';

const PURPOSE =
  'The HTTP codec alone: requests a second, and memory of a connection that waits, beside node:http.';
const WARM_SECONDS = 1;

const options = readOptions(PURPOSE, {
  connections: '64',
  bytes: '100',
  subscribers: '10000',
  'settle-seconds': '3',
});
const [connections = 64] = options.numbers('connections');
const [payloadBytes = 100] = options.numbers('bytes');
const [subscribers = 10_000] = options.numbers('subscribers');

type Kind = 'listener' | 'node-http' | 'bare-sockets';
const NAMES: Readonly<Record<Kind, string>> = {
  listener: 'Tidegate listener',
  'node-http': 'node:http',
  'bare-sockets': 'bare net.Socket',
};

async function withServer(kind: Kind, use: (port: number, pid: number) => Promise<void>): Promise<void> {
  const [port] = (await freePorts(1)) as [number];
  const child = new Child(NAMES[kind], process.execPath, [
    join(import.meta.dirname, 'peers', 'codec-server.ts'),
    kind,
    `${port}`,
  ]);
  try {
    await child.during(portOpen(port));
    await child.during(use(port, child.pid));
  } finally {
    await child.kill();
  }
}

const requests: Cell[][] = [];
const memory: Cell[][] = [];

async function measureRequests(kind: Kind, port: number, pid: number): Promise<void> {
  progress(`${NAMES[kind]}: requests`);
  const way: WayIn = {
    label: `single POSTs x ${connections}`,
    port,
    connections,
    unit: postRequest('/', blankPayload(payloadBytes), { 'Content-Type': 'text/plain' }),
    answers: 'response',
  };
  await publishFor(way, WARM_SECONDS);
  const publisher = await Publisher.connect(way, options.seconds);
  const { result, seconds, cpu } = await publisher.runOn(pid);
  const perSecond = result.accepted / seconds;
  requests.push([
    NAMES[kind],
    Math.round(perSecond),
    cpu.server / 100 / (perSecond / 1e6),
    result.latencies.percentile(50) / 1000,
    result.latencies.percentile(99) / 1000,
    cpu.server,
    cpu.load,
  ]);
}

async function measureMemory(kind: Kind, protocol: Protocol, port: number, pid: number): Promise<void> {
  progress(`${NAMES[kind]}: ${subscribers} idle connections, ${protocol}`);
  const upgrade =
    'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n';
  const request = `GET /v1/channels/bench HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAccept: text/event-stream\r\n${protocol === 'websocket' ? upgrade : ''}\r\n`;
  const open = (count: number) =>
    Subscribers.open({ port, requests: [request], connections: count, protocol });
  const settleMs = Number(options.own('settle-seconds')) * 1000;
  await (await open(100)).close();
  await delay(settleMs);
  const before = memoryOf(pid).anonymous;
  const held = await open(subscribers);
  await delay(settleMs);
  const after = memoryOf(pid).anonymous;
  await held.close();
  memory.push([
    NAMES[kind],
    protocol,
    (after - before) / subscribers / 1024,
    before / 2 ** 20,
    after / 2 ** 20,
  ]);
}

for (const kind of ['node-http', 'listener'] satisfies Kind[]) {
  if (!wanted(options, kind) || connections === 0) continue;
  await withServer(kind, (port, pid) => measureRequests(kind, port, pid));
}
for (const kind of ['bare-sockets', 'node-http', 'listener'] satisfies Kind[]) {
  for (const protocol of options.protocols) {
    if (!wanted(options, kind) || subscribers === 0) continue;
    if (kind === 'bare-sockets' && protocol === 'websocket') continue;
    await withServer(kind, (port, pid) => measureMemory(kind, protocol, port, pid));
  }
}

if (requests.length > 0) {
  printTable(options, {
    title: `Requests: POST of ${payloadBytes} bytes, ${connections} keep-alive connections, answers in milliseconds`,
    columns: ['server', 'requests/s', 'CPU µs each', 'p50', 'p99', 'CPU server %', 'publisher %'],
    rows: requests,
    notes: [machineNote()],
  });
}
if (memory.length > 0) {
  printTable(options, {
    title: `Idle connections: ${subscribers} that wait for a stream`,
    columns: ['server', 'protocol', 'anonymous KiB each', 'anonymous MiB before', 'after'],
    rows: memory,
    notes: [
      machineNote(),
      'From /proc/<pid>/smaps_rollup; no garbage collection was forced. The owners of the streams hold nothing.',
    ],
  });
}
