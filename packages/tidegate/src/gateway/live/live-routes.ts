import {
  type Clock,
  type Limits,
  type Line,
  Liveness,
  type Logger,
  type Metrics,
  type Random,
  TidegateError,
} from '../../kernel/index.ts';
import type { HttpExchange } from '../../listeners/index.ts';
import { acceptHandshake, ReceiverPool, WEBSOCKET_VERSION } from '../../wire/websocket/index.ts';
import type { FeedRequest } from './feed-messages.ts';
import { FollowedValue } from './followed-value.ts';
import { identityOf } from './identity.ts';
import { LiveMetrics } from './live-metrics.ts';
import { type LiveRequest, readLiveRequest } from './live-request.ts';
import { LiveResource, type ResourceHost } from './live-resource.ts';
import { OwnerFeeds } from './owner-feeds.ts';
import { PollSubscriber } from './poll-subscriber.ts';
import { PolledValue } from './polled-value.ts';
import type { JsonDiff, LiveRoute, OriginOf, RoutedPath } from './port.ts';
import { ResourceTable } from './resource-table.ts';
import { SocketSubscriber } from './socket-subscriber.ts';
import type { ValueSource, ValueTaker } from './source.ts';
import { SseSubscriber } from './sse-subscriber.ts';
import { WorkerFeeds } from './worker-feeds.ts';

/** The peer that is the owner, as lines number processes. */
const OWNER = 0;

export interface LiveRoutesOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: Limits;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly diff: JsonDiff;
  readonly originOf: OriginOf;
}

/** Which value it is, and how it is asked for. */
type ValueRequest = Pick<FeedRequest, 'key' | 'route' | 'target' | 'headers'>;

/**
 * Makes streams of plain JSON APIs: for each value that somebody follows, one poll for all who do, over all processes of the server. What is asked for in a form that is
 * not live is left to the proxy.
 */
export class LiveRoutes {
  readonly #options: LiveRoutesOptions;
  readonly #metrics: LiveMetrics;
  readonly #table: ResourceTable;
  readonly #host: ResourceHost;
  readonly #liveness: Liveness;
  readonly #receivers: ReceiverPool;
  /** Where this process gets its values; null if it polls. */
  #feeds: OwnerFeeds | null = null;
  #isDraining = false;

  constructor(options: LiveRoutesOptions) {
    const { clock, limits, logger, diff, originOf } = options;
    this.#options = options;
    const table = new ResourceTable(clock, limits);
    const metrics = new LiveMetrics(options.metrics, () => table.size);
    this.#table = table;
    this.#metrics = metrics;
    this.#host = {
      limits,
      logger,
      metrics,
      diff,
      originOf,
      resized: (by) => table.resized(by),
      woke: (resource) => table.woke(resource),
      slept: (resource) => table.slept(resource),
    };
    this.#liveness = new Liveness({
      clock,
      intervalMs: limits.keepAliveIntervalMs,
      closeTimeoutMs: limits.webSocketCloseTimeoutMs,
    });
    this.#receivers = new ReceiverPool({
      role: 'server',
      messageBytesMax: limits.webSocketMessageBytesMax,
      framesMax: limits.webSocketFramesMax,
      compression: 'none',
    });
  }

  /**
   * Takes a request that asks for something live: GET with `Accept: text/event-stream`, with `Upgrade: websocket`, or with
   * `Prefer: wait`; and answers it, errors included. Of any other, nothing is touched.
   * @param path the newest one is used for all who share the value
   */
  handle(exchange: HttpExchange, route: LiveRoute, path: RoutedPath): 'taken' | 'not_live' {
    try {
      const request = readLiveRequest(exchange.request, this.#options.limits);
      if (request === null) return 'not_live';
      this.#open(exchange, request, route, path);
    } catch (error) {
      const told = TidegateError.from(error);
      // RFC 6455, section 4.4: a client of another version learns which one there is.
      const isHandshake = told.code === 'upgrade_invalid';
      exchange.fail(told, isHandshake ? { 'sec-websocket-version': WEBSOCKET_VERSION } : {});
    }
    return 'taken';
  }

  /**
   * Lets the process at the other end of the line share what is polled: the owner polls, for every worker and for itself. To be called before
   * anybody is served.
   */
  join(line: Line): void {
    if (line.peer === OWNER) this.#feeds = new OwnerFeeds(line);
    else new WorkerFeeds(line, this.#options.limits, (request, path) => this.#resourceFor(request, path));
  }

  /** Ends all streams and answers all who wait. Nothing is polled any more, and newcomers get 503. */
  drain(): void {
    this.#isDraining = true;
    for (const resource of this.#table.all()) resource.drain();
  }

  /** Lets go of everything, without a word to anybody. */
  close(): void {
    this.#isDraining = true;
    this.#table.close();
  }

  #open(exchange: HttpExchange, request: LiveRequest, route: LiveRoute, path: RoutedPath): void {
    // Before anything else, so that an invalid handshake costs nothing.
    const handshake =
      request.form === 'websocket'
        ? acceptHandshake(exchange.request, { subprotocols: [], compression: 'none' })
        : null;
    const { target } = request;
    const { key, headers } = identityOf(exchange.request, target, route);
    const { name, everyMs, mode } = route;
    const resource = this.#resourceFor({ key, route: { name, everyMs, mode }, target, headers }, path);
    const from = request.known[0] ?? '';
    if (handshake !== null) {
      const context = {
        limits: this.#options.limits,
        liveness: this.#liveness,
        metrics: this.#metrics,
        receivers: this.#receivers,
      };
      new SocketSubscriber(exchange, resource, from, handshake.headers, context).begin();
    } else if (request.form === 'sse') {
      const context = { liveness: this.#liveness, metrics: this.#metrics };
      new SseSubscriber(exchange, resource, from, context).begin();
    } else {
      new PollSubscriber(exchange, resource, request, this.#options.clock, this.#metrics).begin();
    }
  }

  /** @throws TidegateError draining, live_resources_exhausted, upstream_unavailable if there is no such route any more */
  #resourceFor(request: ValueRequest, path: RoutedPath): LiveResource {
    if (this.#isDraining) throw new TidegateError('draining');
    const { key, route } = request;
    const known = this.#table.get(key);
    if (known !== undefined) {
      known.use(path);
      return known;
    }
    if (!this.#table.hasRoom()) throw new TidegateError('live_resources_exhausted');
    const source = this.#sourceOf(request, path);
    const resource = new LiveResource(key, route.mode, this.#host, source);
    this.#table.add(resource);
    return resource;
  }

  #sourceOf(request: ValueRequest, path: RoutedPath): (taker: ValueTaker) => ValueSource {
    const feeds = this.#feeds;
    if (feeds !== null) return (taker) => new FollowedValue(feeds, request, path, taker);
    const { route, target, headers } = request;
    const { clock, limits, random, originOf } = this.#options;
    const fetch = originOf(route.name, path);
    if (fetch === null) {
      throw new TidegateError('upstream_unavailable', `The route ${route.name} is not there any more.`);
    }
    const polling = { clock, limits, random, target, headers };
    const options = { route, host: this.#host, polling, path, fetch };
    return (taker) => new PolledValue(options, taker);
  }
}
