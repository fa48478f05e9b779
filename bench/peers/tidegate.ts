import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Certificate } from '../support/certificate.ts';
import { Child } from '../support/child.ts';
import type { Protocol } from '../support/options.ts';
import {
  blankPayload,
  getRequest,
  postRequest,
  repeated,
  textFrame,
  webSocketHeaders,
  webSocketMask,
} from '../support/payload.ts';
import { freePorts } from '../support/ports.ts';
import type { WayIn } from '../support/publisher.ts';
import { untilReady } from '../support/ready.ts';
import { removeScratchFolder, scratchFolder } from '../support/scratch.ts';
import type { BenchPeer, BenchServer } from './server.ts';

export type Durability = 'none' | 'written' | 'synced';

const entry = join(import.meta.dirname, '..', '..', 'packages', 'tidegate', 'bin', 'tidegate.cjs');
const READY_TIMEOUT_MS = 60_000;

export interface TidegateSettings {
  /** Added to this process's. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Further lines of the configuration, in YAML. */
  readonly settings?: string;
  /** Processes that serve. Default: 1. */
  readonly workers?: number;
}

/** A Tidegate process in a data folder of its own, with one topic for each durability: `none`, `written`, `synced`. */
export class TidegateProcess {
  readonly port: number;
  readonly adminPort: number;
  /** From just before the process was started until `/readyz` answered 200. */
  readonly readyMs: number;
  readonly #child: Child;

  private constructor(child: Child, port: number, adminPort: number, readyMs: number) {
    this.#child = child;
    this.port = port;
    this.adminPort = adminPort;
    this.readyMs = readyMs;
  }

  /** Starts the server on `folder`, where it keeps its data and configuration. */
  static async start(
    folder: string,
    { environment = {}, settings = '', workers = 1 }: TidegateSettings = {},
  ): Promise<TidegateProcess> {
    const [port, adminPort] = (await freePorts(2)) as [number, number];
    const config = join(folder, 'tidegate.yaml');
    const topics = ['none', 'written', 'synced'].map(
      (durability) => `  ${durability}: { durability: ${durability} }\n`,
    );
    writeFileSync(config, `workers: ${workers}\ntopics:\n${topics.join('')}logLevel: warn\n${settings}`);
    const arguments_ = [
      ...[entry, 'start', '--config', config, '--data', join(folder, 'data')],
      ...['--port', `${port}`, '--admin-port', `${adminPort}`],
    ];
    const startedMs = performance.now();
    const child = new Child('tidegate', process.execPath, arguments_, { ...process.env, ...environment });
    await child.during(untilReady(adminPort, READY_TIMEOUT_MS));
    return new TidegateProcess(child, port, adminPort, performance.now() - startedMs);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** One message per request; with a credential, if one is given. */
  singlePosts(channel: string, connections = 64, payloadBytes = 100, credential?: string): WayIn {
    return {
      label: `single POSTs x ${connections}`,
      port: this.port,
      connections,
      unit: postRequest(`/v1/channels/${channel}`, blankPayload(payloadBytes), {
        'Content-Type': 'text/plain',
        ...(credential === undefined ? {} : { Authorization: `Bearer ${credential}` }),
      }),
      answers: 'response',
    };
  }

  /** A JSON array per request. */
  batches(channel: string, items: number, connections: number, payloadBytes = 100): WayIn {
    const item = `{"channel":"${channel}","data":"${blankPayload(payloadBytes)}"}`;
    const body = `[${repeated(items, item, ',')}]`;
    return {
      label: `arrays of ${items} x ${connections}`,
      port: this.port,
      connections,
      unit: postRequest('/v1/publish', body, { 'Content-Type': 'application/json' }),
      answers: 'response',
    };
  }

  /** One long request per connection, a line per message, answered by a line each. */
  ndjson(channel: string, items: number, connections: number): WayIn {
    const lines = repeated(items, `{"channel":"${channel}","data":"${blankPayload()}"}\n`);
    const head =
      'POST /v1/publish HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n';
    return {
      label: `NDJSON, ${items} lines x ${connections}`,
      port: this.port,
      connections,
      head: Buffer.from(head),
      unit: Buffer.from(`${lines.length.toString(16)}\r\n${lines}\r\n`),
      answers: 'line',
      answersPerUnit: items,
    };
  }

  /**
   * Frames on one WebSocket. It subscribes to the channel that it publishes to, so its own messages come back and tell that
   * they were delivered; with more than one connection they would be mixed with the others'.
   */
  webSocket(channel: string, frames: number, depth: number): WayIn {
    return {
      label: `WebSocket, ${frames} frames`,
      port: this.port,
      connections: 1,
      head: Buffer.from(getRequest(`/v1/channels/${channel}`, webSocketHeaders)),
      unit: Buffer.concat(Array.from({ length: frames }, () => textFrame(blankPayload()))),
      depth,
      answers: 'frame',
      answersPerUnit: frames,
      framing: 'websocket',
      mask: webSocketMask,
    };
  }

  async stop(): Promise<void> {
    await this.#child.stop();
  }

  /** Ends it as a crash would. */
  async kill(): Promise<void> {
    await this.#child.kill();
  }
}

/** The request that subscribes to a channel. */
export function subscribeRequest(channel: string, protocol: Protocol, query = ''): string {
  return getRequest(
    `/v1/channels/${channel}${query}`,
    protocol === 'sse' ? { Accept: 'text/event-stream' } : webSocketHeaders,
  );
}

/** Tidegate as the benchmarks' server, with a channel whose topic has the given durability. */
export function tidegate(durability: Durability, workers = 1): BenchPeer {
  return {
    name: nameOf(workers),
    durability,
    missing: () => null,
    start: () => startTidegate(durability, { workers }),
  };
}

/** What tables call a server with so many processes. */
export function nameOf(workers: number): string {
  return workers === 1 ? 'tidegate' : `tidegate-${workers}w`;
}

/** The configuration of TLS, in YAML. */
function tlsSettings({ certificateFile, keyFile }: Certificate): string {
  return `tls: { certificates: [{ certificate: '${certificateFile}', key: '${keyFile}' }] }\n`;
}

export interface BenchedTidegate {
  /** The public port speaks TLS with it. */
  readonly certificate?: Certificate | undefined;
  readonly workers?: number;
}

export async function startTidegate(
  durability: Durability,
  { certificate, workers = 1 }: BenchedTidegate = {},
): Promise<BenchServer> {
  const folder = scratchFolder('data');
  const tls = certificate !== undefined;
  const settings = tls ? tlsSettings(certificate) : '';
  const server = await TidegateProcess.start(folder, { settings, workers });
  const channel = `${durability}/bench`;
  return {
    name: nameOf(workers),
    version: `Tidegate, ${workers === 1 ? 'one process' : `${workers} processes`}, durability ${durability}`,
    durability,
    pid: server.pid,
    subscribePort: server.port,
    subscribeRequest: (protocol) => subscribeRequest(channel, protocol),
    singlePosts: () => ({ ...server.singlePosts(channel), tls }),
    bestWay: () => ({ ...server.batches(channel, 100, 4), tls }),
    async stop() {
      await server.stop();
      removeScratchFolder(folder);
    },
  };
}
