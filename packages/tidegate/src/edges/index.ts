import type { Access } from '../access/port.ts';
import { type Channels, type PresenceList, PresenceRegistry, servePresence } from '../channels/index.ts';
import type { Clock, Limits, Line, Metrics, Random } from '../kernel/index.ts';
import type { HttpHandler } from '../listeners/port.ts';
import { withAccess } from './authentication.ts';
import {
  CentrifugeEdge,
  CLIENT_INFO_FORM,
  type ClientInfo,
  type OtherProcesses,
  type OwnerProcesses,
} from './centrifuge/index.ts';
import { PollEdge } from './poll/index.ts';
import { type CachePurger, PublishEdge } from './publish/index.ts';
import { createRouter, withConnections } from './router.ts';
import { SseEdge } from './sse/index.ts';
import { StreamEdge } from './stream/index.ts';
import { WebSocketEdge } from './websocket/index.ts';
import type { WebSocketOptions } from './websocket/options.ts';

export { credentialOf, withoutCredential } from './authentication.ts';
export {
  CLIENT_INFO_FORM,
  type ClientInfo,
  type OtherProcesses,
  OwnerProcesses,
  WorkerProcesses,
} from './centrifuge/index.ts';

/** What the edges of the owner share with those of its workers. */
export interface SharedEdges {
  /** The list that all processes use. */
  readonly presence: PresenceRegistry<ClientInfo>;
  readonly processes: OwnerProcesses;
}

/**
 * Lets the edges of a worker reach those of the owner and of the other workers. To be called by the owner for each line when it comes, with
 * what its own `createEdges` was called with. The worker's end of the line is with a `RemotePresence` and a `WorkerProcesses`.
 */
export function serveEdges(line: Line, { presence, processes }: SharedEdges): void {
  servePresence(line, presence, CLIENT_INFO_FORM);
  processes.serve(line);
}

/** What the edges need. */
export interface EdgesOptions {
  readonly access: Access;
  /** The channels unguarded, for edges that ask the identity themselves. */
  readonly channels: Channels;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: Limits;
  readonly metrics: Metrics;
  readonly websocket: WebSocketOptions;
  /** Who is in which channel; by default a list of this process alone. Workers take a `RemotePresence` of `CLIENT_INFO_FORM`. */
  readonly presence?: PresenceList<ClientInfo>;
  /** The other processes of the server: an `OwnerProcesses` or a `WorkerProcesses`, used for these edges only; by default null, there are none. */
  readonly processes?: OtherProcesses | null;
  /** Takes answers out of the caches of all processes, for publishers that ask for it. */
  readonly purge: CachePurger;
  /** The version of the server, for protocols that tell it, such as `0.1.0`. */
  readonly version: string;
  /** The path that everything is below, without a slash at its end. Default: `/v1`. */
  readonly mountPath?: string;
}

/**
 * The paths of the edges, at the default mount path, that routes of the gateway leave alone unless they name them: one with a slash at its end stands for all
 * below it, the others also for themselves. `/api` of Centrifugo's server API is not among them: it is what many an origin has its own API below.
 */
export const BUILT_IN_PATHS: readonly string[] = ['/v1/', '/connection/', '/emulation'];

/** Where the edges serve an event stream of the channels that the query names, at the default mount path. */
export const CHANNELS_PATH = '/v1/sse';

/** Everything that the public port serves, as docs/http.md says. */
export function createEdges(options: EdgesOptions): HttpHandler {
  const {
    access,
    channels,
    clock,
    random,
    limits,
    metrics,
    version,
    websocket,
    purge,
    processes = null,
    mountPath = '/v1',
  } = options;
  const publish = new PublishEdge({ limits, purge });
  const sse = new SseEdge({ limits });
  const stream = new StreamEdge({ limits });
  const poll = new PollEdge({ clock, limits });
  const compression = websocket.compression ? 'deflate' : 'none';
  const webSocket = new WebSocketEdge({ clock, limits, compression });
  const router = createRouter(mountPath, {
    publish: (exchange, channels, channel) => publish.toChannel(exchange, channels, channel),
    publishMany: (exchange, channels) => publish.toMany(exchange, channels),
    sse: (exchange, channels, channel) => sse.subscribe(exchange, channels, channel),
    sseChannels: (exchange, channels) => sse.subscribeToSeveral(exchange, channels),
    stream: (exchange, channels, channel) => stream.subscribe(exchange, channels, channel),
    poll: (exchange, channels, channel) => poll.poll(exchange, channels, channel),
    history: (exchange, channels, channel) => poll.history(exchange, channels, channel),
    webSocket: (exchange, channels, channel) => webSocket.subscribe(exchange, channels, channel),
  });
  const presence = options.presence ?? new PresenceRegistry<ClientInfo>(limits);
  const centrifuge = new CentrifugeEdge({
    channels,
    access,
    presence,
    processes,
    clock,
    random,
    limits,
    metrics,
    version,
  });
  return withConnections(
    {
      '/connection/websocket': (exchange) => centrifuge.webSocket(exchange),
      '/connection/http_stream': (exchange) => centrifuge.httpStream(exchange),
      '/connection/sse': (exchange) => centrifuge.sse(exchange),
      '/emulation': (exchange) => centrifuge.emulation(exchange),
      '/api': (exchange) => centrifuge.api.handle(exchange),
      '/api/*': (exchange) => centrifuge.api.handle(exchange),
    },
    withAccess(access, router),
  );
}
