import type { Access } from '../access/port.ts';
import { type Channels, PresenceRegistry } from '../channels/index.ts';
import type { Clock, Limits, Metrics, Random } from '../kernel/index.ts';
import type { HttpHandler } from '../listeners/port.ts';
import { withAccess } from './authentication.ts';
import { CentrifugeEdge, type ClientInfo } from './centrifuge/index.ts';
import { PollEdge } from './poll/index.ts';
import { PublishEdge } from './publish/index.ts';
import { createRouter, withConnections } from './router.ts';
import { SseEdge } from './sse/index.ts';
import { StreamEdge } from './stream/index.ts';
import { WebSocketEdge } from './websocket/index.ts';
import type { WebSocketOptions } from './websocket/options.ts';

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
  /** The version of the server, for protocols that tell it, such as `0.1.0`. */
  readonly version: string;
  /** The path that everything is below, without a slash at its end. Default: `/v1`. */
  readonly mountPath?: string;
}

/** Everything that the public port serves, as docs/http.md says. */
export function createEdges(options: EdgesOptions): HttpHandler {
  const { access, channels, clock, random, limits, metrics, version, websocket, mountPath = '/v1' } = options;
  const publish = new PublishEdge({ limits });
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
  const presence = new PresenceRegistry<ClientInfo>(limits);
  const centrifuge = new CentrifugeEdge({
    channels,
    access,
    presence,
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
      '/api/*': (exchange) => centrifuge.api.handle(exchange),
    },
    withAccess(access, router),
  );
}
