import { packageVersion } from '../support/machine.ts';
import { type BenchOptions, progress, wanted } from '../support/options.ts';
import { blankPayload, getRequest, postRequest } from '../support/payload.ts';
import { freePorts } from '../support/ports.ts';
import type { WayIn } from '../support/publisher.ts';
import type { SubscribersOptions } from '../support/subscribers.ts';
import { startTidegateWith, upstreamLine } from './proxies/tidegate.ts';
import { type PushpinProfile, publishItems, startPushpinWith } from './pushpin.ts';
import type { Durability } from './tidegate.ts';

/** A gateway that speaks GRIP, running. */
export interface GripServer {
  readonly name: string;
  readonly durability: string;
  readonly version: string;
  /** The root of its process tree. */
  readonly pid: number;
  readonly port: number;
  /** What streams are held for, and published to. */
  readonly channel: string;
  /** One item for streams in each request at its control port, each request on a connection of its own. */
  readonly way: WayIn;
  /** The same for held responses. */
  readonly answers: WayIn;
  stop(): Promise<void>;
}

/** How to run one. */
export interface GripPeer {
  readonly name: string;
  /** Null if it can be run here; otherwise what is missing. */
  missing(): string | null;
  /** @param originPort where the origin gives its instructions */
  start(originPort: number): Promise<GripServer>;
}

/** Publishes to Pushpin may wait for as long as its limits say; with fewer connections they would wait for each other. */
const PUBLISHING_CONNECTIONS = 64;

/** Publishes the answer of all held responses. */
function publishAnswers(port: number, channel: string): WayIn {
  const item = `{"channel":"${channel}","formats":{"http-response":{"body":"${blankPayload()}"}}}`;
  return {
    label: 'answers',
    port,
    connections: PUBLISHING_CONNECTIONS,
    unit: postRequest('/publish/', `{"items":[${item}]}`, {
      'Content-Type': 'application/json',
      Connection: 'close',
    }),
    answers: 'close',
  };
}

/** Pushpin as it is packaged, or without its limits and with errors only in its log. */
export function gripPushpin(profile: PushpinProfile): GripPeer {
  const name = profile === 'stock' ? 'pushpin-stock' : 'pushpin';
  return {
    name,
    missing: () => (packageVersion('pushpin') === null ? 'apt-get install pushpin' : null),
    async start(originPort) {
      const { client, control, pid, stop } = await startPushpinWith(`* 127.0.0.1:${originPort}`, profile);
      const settings = profile === 'stock' ? 'as packaged' : 'message_rate=0 message_hwm=0 log_level=1';
      return {
        name,
        durability: 'none',
        version: `Pushpin ${packageVersion('pushpin')}, ${settings}`,
        pid,
        port: client,
        channel: 'bench',
        way: publishItems(control, 'sse', 1, PUBLISHING_CONNECTIONS, 'bench'),
        answers: publishAnswers(control, 'bench'),
        stop,
      };
    },
  };
}

/** Tidegate in one process, with a channel whose topic has the given durability. */
export function gripTidegate(durability: Durability): GripPeer {
  return {
    name: 'tidegate',
    missing: () => null,
    async start(originPort) {
      const [gripPort] = (await freePorts(1)) as [number];
      const server = await startTidegateWith(
        'tidegate',
        `listen: { gripPort: ${gripPort} }\nupstreams:\n${upstreamLine('origin', originPort)}routes:\n  all: { match: { path: '/*' }, upstream: origin, grip: {} }\n`,
      );
      const channel = `${durability}/bench`;
      return {
        ...server,
        durability,
        version: `Tidegate, one process, durability ${durability}`,
        channel,
        way: publishItems(gripPort, 'sse', 1, PUBLISHING_CONNECTIONS, channel),
        answers: publishAnswers(gripPort, channel),
      };
    },
  };
}

/** Starts those of `peers` that are wanted and can be run here; tells which cannot. */
export async function startGripPeers(
  peers: readonly GripPeer[],
  options: BenchOptions,
  originPort: number,
): Promise<readonly GripServer[]> {
  const servers: GripServer[] = [];
  for (const peer of peers) {
    if (!wanted(options, peer.name)) continue;
    const missing = peer.missing();
    if (missing === null) servers.push(await peer.start(originPort));
    else progress(`${peer.name} is left out: ${missing}`);
  }
  return servers;
}

/** Streams that are held. */
export function heldStreams({ port, channel }: GripServer, connections: number): SubscribersOptions {
  const requests = [getRequest(`/stream?channel=${channel}`, { Accept: 'text/event-stream' })];
  return { port, requests, connections, protocol: 'sse' };
}

/** Requests whose responses are held until something is published, each made again as soon as it is answered. */
export function heldResponses({ port, channel }: GripServer, connections: number): WayIn {
  return {
    label: 'long polls',
    port,
    connections,
    unit: Buffer.from(getRequest(`/response?channel=${channel}`, { 'X-Stamp': blankPayload(40) })),
    answers: 'response',
  };
}
