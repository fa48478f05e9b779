import type { Channels } from '../channels/index.ts';
import type { Clock, Limits } from '../kernel/index.ts';
import type { HttpHandler } from '../listeners/port.ts';
import { PollEdge } from './poll/index.ts';
import { PublishEdge } from './publish/index.ts';
import { createRouter } from './router.ts';
import { SseEdge } from './sse/index.ts';
import { StreamEdge } from './stream/index.ts';
import { WebSocketEdge } from './websocket/index.ts';
import type { WebSocketOptions } from './websocket/options.ts';

/** What the edges need. */
export interface EdgesOptions {
  readonly channels: Channels;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly websocket: WebSocketOptions;
  /** The path that everything is below, without a slash at its end. Default: `/v1`. */
  readonly mountPath?: string;
}

/** Everything that the public port serves, as docs/http.md says. */
export function createEdges(options: EdgesOptions): HttpHandler {
  const { channels, clock, limits, websocket, mountPath = '/v1' } = options;
  const publish = new PublishEdge({ channels, limits });
  const sse = new SseEdge({ channels, limits });
  const stream = new StreamEdge({ channels, limits });
  const poll = new PollEdge({ channels, clock, limits });
  const compression = websocket.compression ? 'deflate' : 'none';
  const webSocket = new WebSocketEdge({ channels, clock, limits, compression });
  return createRouter(mountPath, {
    publish: (exchange, channel) => publish.toChannel(exchange, channel),
    publishMany: (exchange) => publish.toMany(exchange),
    sse: (exchange, channel) => sse.subscribe(exchange, channel),
    sseChannels: (exchange) => sse.subscribeToSeveral(exchange),
    stream: (exchange, channel) => stream.subscribe(exchange, channel),
    poll: (exchange, channel) => poll.poll(exchange, channel),
    history: (exchange, channel) => poll.history(exchange, channel),
    webSocket: (exchange, channel) => webSocket.subscribe(exchange, channel),
  });
}
