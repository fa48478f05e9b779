import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Child } from '../support/child.ts';
import { packageVersion } from '../support/machine.ts';
import type { Protocol } from '../support/options.ts';
import { blankPayload, getRequest, postRequest, repeated, webSocketHeaders } from '../support/payload.ts';
import { freePorts, portOpen } from '../support/ports.ts';
import type { WayIn } from '../support/publisher.ts';
import { removeScratchFolder, scratchFolder } from '../support/scratch.ts';
import type { BenchPeer, BenchServer } from './server.ts';

/** `stock` delivers 2,500 messages a second and drops what exceeds 25,000; `unlimited` has both limits off and logs errors only. */
export type PushpinProfile = 'stock' | 'unlimited';

/** Pushpin from Debian's `pushpin`, which brings condure and zurl: messages in memory, nothing on disk. */
export function pushpin(profile: PushpinProfile): BenchPeer {
  const name = profile === 'stock' ? 'pushpin-stock' : 'pushpin';
  return {
    name,
    durability: 'none',
    missing: () => (packageVersion('pushpin') === null ? 'apt-get install pushpin' : null),
    start: () => startPushpin(name, profile),
  };
}

/** Replaces `key=...` lines; fails where the packaged file has no such line, because then the recipe no longer fits it. */
function withSettings(configuration: string, settings: Readonly<Record<string, string | number>>): string {
  let changed = configuration;
  for (const [key, value] of Object.entries(settings)) {
    const line = new RegExp(`^#?${key}=.*$`, 'm');
    if (!line.test(changed)) throw new Error(`pushpin.conf has no setting ${key}`);
    changed = changed.replace(line, `${key}=${value}`);
  }
  return changed;
}

interface PushpinPorts {
  readonly client: number;
  readonly control: number;
  readonly pull: number;
  readonly subscribe: number;
  readonly command: number;
}

/**
 * The packaged configuration, moved to a folder of our own. Debian runs zurl as a daemon of its own; here Pushpin's runner
 * starts it, so its sockets move to the run folder as well.
 */
function writeConfiguration(
  folder: string,
  profile: PushpinProfile,
  ports: PushpinPorts,
  route: string,
): string {
  const include = join(folder, 'internal.conf');
  const packagedInclude = readFileSync('/usr/lib/pushpin/internal.conf', 'utf8');
  writeFileSync(
    include,
    packagedInclude.replaceAll('ipc:///var/run/zurl/zurl-', 'ipc://{rundir}/{ipc_prefix}zurl-'),
  );
  writeFileSync(join(folder, 'routes'), `${route}\n`);
  const settings = {
    include,
    rundir: join(folder, 'run'),
    logdir: join(folder, 'log'),
    services: 'condure,zurl,pushpin-proxy,pushpin-handler',
    http_port: `127.0.0.1:${ports.client}`,
    client_maxconn: 12_000,
    push_in_spec: `tcp://127.0.0.1:${ports.pull}`,
    push_in_sub_specs: `tcp://127.0.0.1:${ports.subscribe}`,
    push_in_http_port: ports.control,
    command_spec: `tcp://127.0.0.1:${ports.command}`,
  };
  const unlimited = { message_rate: 0, message_hwm: 0, log_level: 1 };
  const packaged = readFileSync('/etc/pushpin/pushpin.conf', 'utf8');
  const file = join(folder, 'pushpin.conf');
  writeFileSync(file, withSettings(packaged, profile === 'stock' ? settings : { ...settings, ...unlimited }));
  return file;
}

/** The application behind Pushpin: every request becomes a subscription to the benchmark's channel (GRIP). */
function answerAsOrigin(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  request.once('end', () => {
    if (request.headers['content-type'] !== 'application/websocket-events') {
      response.writeHead(200, {
        'Content-Type': 'text/event-stream',
        'Grip-Hold': 'stream',
        'Grip-Channel': 'bench',
      });
      response.end();
      return;
    }
    const subscribe = 'c:{"type":"subscribe","channel":"bench"}';
    response.writeHead(200, {
      'Content-Type': 'application/websocket-events',
      'Sec-WebSocket-Extensions': 'grip',
    });
    response.end(`OPEN\r\nTEXT ${subscribe.length.toString(16)}\r\n${subscribe}\r\n`);
  });
}

async function startOrigin(): Promise<Server> {
  const origin = createServer(answerAsOrigin);
  origin.listen(0, '127.0.0.1', 4096);
  await once(origin, 'listening');
  return origin;
}

/** Pushpin, running. */
export interface PushpinProcess {
  readonly client: number;
  readonly control: number;
  readonly pid: number;
  stop(): Promise<void>;
}

/** @param route a line of its routes file, such as `* 127.0.0.1:8000` */
export async function startPushpinWith(route: string, profile: PushpinProfile): Promise<PushpinProcess> {
  const folder = scratchFolder('pushpin');
  for (const subfolder of ['run', 'log']) mkdirSync(join(folder, subfolder));
  chmodSync(folder, 0o755);
  const [client, control, pull, subscribe, command] = (await freePorts(5)) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const file = writeConfiguration(folder, profile, { client, control, pull, subscribe, command }, route);
  const child = new Child('pushpin', '/usr/bin/pushpin', [`--config=${file}`]);
  await child.during(Promise.all([portOpen(client), portOpen(control)]));
  return {
    client,
    control,
    pid: child.pid,
    async stop() {
      await child.stop();
      removeScratchFolder(folder);
    },
  };
}

async function startPushpin(name: string, profile: PushpinProfile): Promise<BenchServer> {
  const origin = await startOrigin();
  const route = `* 127.0.0.1:${(origin.address() as AddressInfo).port},over_http`;
  const { client, control, pid, stop } = await startPushpinWith(route, profile);
  return {
    name,
    version: `Pushpin ${packageVersion('pushpin')}, ${profile === 'stock' ? 'as packaged' : 'message_rate=0 message_hwm=0 log_level=1'}`,
    durability: 'none',
    pid,
    subscribePort: client,
    subscribeRequest: (protocol) =>
      getRequest('/', protocol === 'sse' ? { Accept: 'text/event-stream' } : webSocketHeaders),
    // Its control port closes the connection after every request, and takes no more than 128 at a time.
    singlePosts: (protocol) => ({
      ...publishItems(control, protocol, 1, 64),
      label: 'single POSTs x 64, no keep-alive',
    }),
    bestWay: (protocol) => publishItems(control, protocol, 10, 4),
    async stop() {
      await stop();
      origin.closeAllConnections();
      origin.close();
    },
  };
}

/** Publishes only the format that the subscribers read: a second one would cost the publisher and gain nobody. */
export function publishItems(
  port: number,
  protocol: Protocol,
  items: number,
  connections: number,
  channel = 'bench',
): WayIn {
  const payload = blankPayload();
  const sse = `"http-stream":{"content":"data: ${payload}\\n\\n"}`;
  const frame = `"ws-message":{"content":"${payload}"}`;
  const item = `{"channel":"${channel}","formats":{${protocol === 'sse' ? sse : frame}}}`;
  const body = `{"items":[${repeated(items, item, ',')}]}`;
  return {
    label: `batches of ${items} x ${connections}`,
    port,
    connections,
    // Pushpin closes the connection anyway; others that take the same items have to be told.
    unit: postRequest('/publish/', body, { 'Content-Type': 'application/json', Connection: 'close' }),
    answers: 'close',
  };
}
