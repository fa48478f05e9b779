import type { AccessChannels } from '../access/port.ts';
import type { Channels } from '../channels/index.ts';
import { TidegateError } from '../kernel/index.ts';
import type { Headers, HttpExchange, HttpHandler } from '../listeners/port.ts';
import { preferredType } from '../wire/http1/index.ts';
import { refuse } from './refusal.ts';
import { footingOf } from './subscription-query.ts';

/** Takes an exchange for one channel. `channels` are the channels as whoever asks may use them. */
export type ChannelHandler = (exchange: HttpExchange, channels: Channels, channel: string) => void;

/** Takes an exchange that names its channels itself. */
export type ChannelsHandler = (exchange: HttpExchange, channels: AccessChannels) => void;

/** Where requests go. */
export interface Routes {
  readonly publish: (exchange: HttpExchange, channels: AccessChannels, channel: string) => void;
  readonly publishMany: ChannelsHandler;
  readonly sse: ChannelHandler;
  readonly sseChannels: ChannelsHandler;
  readonly stream: ChannelHandler;
  readonly poll: ChannelHandler;
  readonly history: ChannelHandler;
  readonly webSocket: ChannelHandler;
}

const READING = 'GET, HEAD, OPTIONS';
const WRITING = 'POST, OPTIONS';
const BOTH = 'GET, HEAD, POST, OPTIONS';

/** The media types of a channel. The first is what a client gets that has no wish. */
const OFFERS = ['application/x-ndjson', 'text/event-stream', 'application/json'] as const;

/**
 * Finds the edge for each request, by path, method and what the client accepts. Preflights have been answered before; an OPTIONS
 * that arrives here asks for what it may do.
 */
export function createRouter(mountPath: string, routes: Routes): ChannelsHandler {
  const channelPath = `${mountPath}/channels/`;
  const historyPath = `${mountPath}/history/`;
  const publishPath = `${mountPath}/publish`;
  const ssePath = `${mountPath}/sse`;

  const route: ChannelsHandler = (exchange, channels) => {
    const { path } = exchange.request;
    if (path.startsWith(channelPath))
      routeChannel(exchange, channels, decodeChannel(path, channelPath.length), routes);
    else if (path === publishPath) routePublish(exchange, channels, routes);
    else if (path.startsWith(historyPath)) {
      if (isReading(exchange, READING)) {
        const channel = decodeChannel(path, historyPath.length);
        const page = (): void => routes.history(exchange, channels, channel);
        channels.reach([channel], () => 'everything', page);
      }
    } else if (path === ssePath) {
      if (isReading(exchange, READING)) {
        const wanted = exchange.request.query.getAll('channel');
        const subscribe = (): void => channels.admit(wanted, () => routes.sseChannels(exchange, channels));
        channels.reach(wanted, () => footingOf(exchange.request), subscribe);
      }
    } else exchange.fail(new TidegateError('http_not_found'));
  };
  return (exchange, channels) => {
    try {
      route(exchange, channels);
    } catch (error) {
      refuse(exchange, error);
    }
  };
}

/**
 * Puts paths before all others: those whose edges find out themselves who asks, as their clients say it in a command or in a header
 * of their protocol. A path is exact, or ends in `/*` and stands for what is one level below.
 */
export function withConnections(
  connections: Readonly<Record<string, HttpHandler>>,
  others: HttpHandler,
): HttpHandler {
  const handlers = new Map(Object.entries(connections));
  return (exchange) => {
    const { path } = exchange.request;
    const level = `${path.slice(0, path.lastIndexOf('/'))}/*`;
    (handlers.get(path) ?? handlers.get(level) ?? others)(exchange);
  };
}

function routeChannel(
  exchange: HttpExchange,
  channels: AccessChannels,
  channel: string,
  routes: Routes,
): void {
  if (exchange.request.method === 'POST') routes.publish(exchange, channels, channel);
  else if (isReading(exchange, BOTH)) {
    const subscribe = subscriptionHandler(exchange, routes);
    const admit = (): void => channels.admit([channel], () => subscribe(exchange, channels, channel));
    channels.reach([channel], () => footingOf(exchange.request), admit);
  }
}

function routePublish(exchange: HttpExchange, channels: AccessChannels, routes: Routes): void {
  if (exchange.request.method === 'POST') routes.publishMany(exchange, channels);
  else refuseMethod(exchange, WRITING);
}

/** Whether the request reads; if not, it is answered. */
function isReading(exchange: HttpExchange, allowed: string): boolean {
  const { method } = exchange.request;
  if (method === 'GET' || method === 'HEAD') return true;
  refuseMethod(exchange, allowed);
  return false;
}

function refuseMethod(exchange: HttpExchange, allow: string): void {
  if (exchange.request.method === 'OPTIONS') exchange.respond(204, { allow });
  else exchange.fail(new TidegateError('http_method_not_allowed'), { allow });
}

function subscriptionHandler({ request }: HttpExchange, routes: Routes): ChannelHandler {
  if (asksForWebSocket(request.headers)) return routes.webSocket;
  // RFC 9110, section 5.3: a list may be spread over several fields.
  const accept = request.headers.all('accept').join(',');
  switch (accept === '' ? OFFERS[0] : preferredType(accept, OFFERS)) {
    case 'application/x-ndjson':
      return routes.stream;
    case 'text/event-stream':
      return routes.sse;
    case 'application/json':
      return routes.poll;
    default:
      throw new TidegateError('http_not_acceptable');
  }
}

/** RFC 9110, section 7.8: protocols are compared without regard to case. */
function asksForWebSocket(headers: Headers): boolean {
  const upgrade = headers.get('upgrade');
  return (
    upgrade
      ?.toLowerCase()
      .split(',')
      .some((protocol) => protocol.trim() === 'websocket') === true
  );
}

/**
 * The rest of the path, percent-decoded once, as UTF-8. The listener lets only ASCII through.
 * @throws TidegateError channel_invalid
 */
function decodeChannel(path: string, from: number): string {
  const encoded = path.slice(from);
  if (!encoded.includes('%')) return encoded;
  try {
    return decodeURIComponent(encoded);
  } catch (error) {
    throw new TidegateError('channel_invalid', 'The path is not percent-encoded UTF-8', { cause: error });
  }
}
