import {
  type Clock,
  type Limits,
  Liveness,
  type Logger,
  type Metrics,
  type Random,
  TidegateError,
} from '../../kernel/index.ts';
import type { HttpExchange } from '../../listeners/index.ts';
import { acceptHandshake, ReceiverPool, WEBSOCKET_VERSION } from '../../wire/websocket/index.ts';
import { identityOf } from './identity.ts';
import { LiveMetrics } from './live-metrics.ts';
import { type LiveRequest, readLiveRequest } from './live-request.ts';
import { LiveResource, type ResourceHost } from './live-resource.ts';
import { PollSubscriber } from './poll-subscriber.ts';
import type { FetchOrigin, JsonDiff, LiveRoute } from './port.ts';
import { ResourceTable } from './resource-table.ts';
import { SocketSubscriber } from './socket-subscriber.ts';
import { SseSubscriber } from './sse-subscriber.ts';

export interface LiveRoutesOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: Limits;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly diff: JsonDiff;
}

/**
 * Makes streams of plain JSON APIs: for each value that somebody follows, one poll for all who do. What is asked for in a form that is
 * not live is left to the proxy.
 */
export class LiveRoutes {
  readonly #options: LiveRoutesOptions;
  readonly #metrics: LiveMetrics;
  readonly #table: ResourceTable;
  readonly #host: ResourceHost;
  readonly #liveness: Liveness;
  readonly #receivers: ReceiverPool;
  #isDraining = false;

  constructor(options: LiveRoutesOptions) {
    const { clock, limits, logger, diff } = options;
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
   * @param fetchOrigin how to ask the route's origin; the newest one is used for all who share the value
   */
  handle(exchange: HttpExchange, route: LiveRoute, fetchOrigin: FetchOrigin): 'taken' | 'not_live' {
    try {
      const request = readLiveRequest(exchange.request, this.#options.limits);
      if (request === null) return 'not_live';
      this.#open(exchange, request, route, fetchOrigin);
    } catch (error) {
      const told = TidegateError.from(error);
      // RFC 6455, section 4.4: a client of another version learns which one there is.
      const isHandshake = told.code === 'upgrade_invalid';
      exchange.fail(told, isHandshake ? { 'sec-websocket-version': WEBSOCKET_VERSION } : {});
    }
    return 'taken';
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

  #open(exchange: HttpExchange, request: LiveRequest, route: LiveRoute, fetchOrigin: FetchOrigin): void {
    if (this.#isDraining) throw new TidegateError('draining');
    // Before anything else, so that an invalid handshake costs nothing.
    const handshake =
      request.form === 'websocket'
        ? acceptHandshake(exchange.request, { subprotocols: [], compression: 'none' })
        : null;
    const resource = this.#resourceFor(exchange, request, route, fetchOrigin);
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

  #resourceFor(
    exchange: HttpExchange,
    { target }: LiveRequest,
    route: LiveRoute,
    fetchOrigin: FetchOrigin,
  ): LiveResource {
    const { key, headers } = identityOf(exchange.request, target, route);
    const known = this.#table.get(key);
    if (known !== undefined) {
      known.use(fetchOrigin);
      return known;
    }
    if (!this.#table.hasRoom()) throw new TidegateError('live_resources_exhausted');
    const { clock, limits, random } = this.#options;
    const polling = { clock, limits, random, target, headers };
    const resource = new LiveResource(key, route, this.#host, polling, fetchOrigin);
    this.#table.add(resource);
    return resource;
  }
}
