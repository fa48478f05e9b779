import {
  type Clock,
  Deadlines,
  type Limits,
  type Line,
  type Logger,
  type Random,
  randomId,
  TidegateError,
} from '../kernel/index.ts';
import type { HttpExchange, HttpHandler } from '../listeners/port.ts';
import { diffJson } from '../wire/json-patch/index.ts';
import { BulkheadSweep } from './bulkhead-sweep.ts';
import { HttpCache, type PurgeCallback, type PurgeRequest, SharedPurges } from './cache/index.ts';
import { forPages } from './cross-origin/for-pages.ts';
import type { GatewayOptions } from './gateway-options.ts';
import { allNames, type ChangedRules, type GatewayRules } from './gateway-rules.ts';
import { FilterRequests } from './grip/filter-requests.ts';
import { HttpHolds } from './grip/http-holds.ts';
import type { LocalAttendance } from './grip-attendance/local-attendance.ts';
import { GripSessions } from './grip-sessions/index.ts';
import { GripWebSocketGateway } from './grip-websocket/grip-web-sockets.ts';
import type { GripWebSockets } from './grip-websocket/port.ts';
import { LiveRoutes } from './live/index.ts';
import type { FetchContext } from './origin/fetch-options.ts';
import { OriginSet } from './origin/origin-set.ts';
import { type NameLookup, systemLookup } from './origin/resolver.ts';
import { CachedRequest } from './proxy/cached-request.ts';
import { liveOrigin } from './proxy/live-origin.ts';
import { type RequestContext, RoutedRequest } from './proxy/routed-request.ts';
import { RequestView } from './request-view.ts';
import { type RouteContext, RouteRun } from './route-run.ts';
import { builtInLength, precedesBuiltIn } from './routes/built-in-paths.ts';
import type { RouteOptions } from './routes/options.ts';
import { type LiveRule, type Route, routeOf } from './routes/route.ts';
import { RouteHit, RouteTable } from './routes/route-table.ts';
import { SockJs } from './sockjs/sockjs.ts';
import { SockJsMetrics } from './sockjs/sockjs-metrics.ts';
import { handToChannel } from './subscribed-channel.ts';
import type { UpstreamOptions } from './upstreams/options.ts';
import { upstreamOf } from './upstreams/upstream.ts';

/** How often deadlines of requests to origins are looked at, which is how exactly time-outs are met. */
const SWEEP_MS = 10;

/** The same for WebSockets, whose times are counted in seconds. */
const SOCKET_SWEEP_MS = 250;

const VIA_ID_CHARACTERS = 8;

/**
 * Leads requests to origins. A change of routes or upstreams takes effect at once and leaves alone what has not changed; requests that are under way go on
 * by the rules that they began with.
 */
export class Gateway implements RequestContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: Limits;
  readonly deadlines: Deadlines;
  readonly fetching: FetchContext;
  readonly cache: HttpCache;
  readonly holds: HttpHolds;
  readonly sockets: GripWebSockets;
  readonly sessions: GripSessions;
  readonly attendance: LocalAttendance | null;
  readonly #socketDeadlines: Deadlines;
  readonly #filters: FilterRequests;
  readonly #sockjs: SockJs;
  readonly #live: LiveRoutes;
  readonly #purges: SharedPurges;
  readonly #logger: Logger;
  readonly #lookup: NameLookup;
  readonly #builtIn: readonly string[];
  readonly #channelsPath: string;
  readonly #routeContext: RouteContext;
  #rules: GatewayRules = { routes: new Map(), upstreams: new Map() };
  #table = RouteTable.empty;
  readonly #runs = new WeakMap<Route, RouteRun>();
  readonly #upstreams = new Map<string, OriginSet>();
  readonly #bulkheads: BulkheadSweep;

  constructor(options: GatewayOptions) {
    this.clock = options.clock;
    this.random = options.random;
    this.limits = options.limits;
    this.#bulkheads = new BulkheadSweep(options.clock);
    this.deadlines = new Deadlines(options.clock, SWEEP_MS);
    this.fetching = {
      deadlines: this.deadlines,
      continueTimeoutMs: options.limits.upstreamContinueTimeoutMs,
    };
    this.#logger = options.logger;
    this.#lookup = options.lookup ?? systemLookup;
    this.#builtIn = options.builtIn;
    this.#channelsPath = options.channelsPath;
    this.cache = new HttpCache(options.clock, options.limits, options.metrics);
    this.#purges = new SharedPurges(this.cache);
    this.attendance = options.attendance ?? null;
    this.#socketDeadlines = new Deadlines(options.clock, SOCKET_SWEEP_MS);
    const timed = { ...options, deadlines: this.#socketDeadlines };
    this.#filters = new FilterRequests(timed);
    this.sessions = new GripSessions(options);
    const shared = { ...timed, filters: this.#filters, sessions: this.sessions };
    this.holds = new HttpHolds(shared);
    this.sockets = new GripWebSocketGateway(shared);
    this.#sockjs = new SockJs({
      ...timed,
      metrics: new SockJsMetrics(options.metrics),
      route: (name) => this.#table.get(name),
      dispatch: (exchange, hit) => this.#dispatch(exchange, hit),
    });
    this.#live = new LiveRoutes({
      clock: options.clock,
      random: options.random,
      limits: options.limits,
      logger: options.logger,
      metrics: options.metrics,
      diff: (before, after) => diffJson(before, after, options.limits),
      originOf: (name, { pattern, path }) => {
        const route = this.#table.get(name);
        if (route === undefined || route.match.path.text !== pattern) return null;
        return liveOrigin(new RouteHit(route, path), this.#runOf(route), this);
      },
    });
    this.#routeContext = {
      metrics: options.metrics,
      cache: this.cache,
      limits: options.limits,
      viaName: `tidegate-${randomId(options.random, VIA_ID_CHARACTERS)}`,
    };
  }

  /**
   * Goes by these routes and upstreams from now on. What is the same object as before is the same.
   * @param changed the only names that may stand for something else than before; by default any may
   */
  adopt(rules: GatewayRules, changed: ChangedRules = allNames(this.#rules, rules)): void {
    const earlier = this.#rules;
    this.#rules = rules;
    const isOther = (kind: 'routes' | 'upstreams', name: string): boolean =>
      earlier[kind].get(name) !== rules[kind].get(name);
    for (const name of changed.upstreams) {
      const options = rules.upstreams.get(name);
      if (options !== undefined && isOther('upstreams', name)) this.#setUpstream(name, options);
    }
    for (const name of changed.routes) {
      if (isOther('routes', name)) this.#setRoute(name, rules.routes.get(name) ?? null);
    }
    // Last, as the routes that need one go before it.
    for (const name of changed.upstreams) if (!rules.upstreams.has(name)) this.#setUpstream(name, null);
  }

  #setRoute(name: string, options: RouteOptions | null): void {
    const route = options === null ? null : routeOf(name, options);
    this.#table = this.#table.withRoute(name, route);
    const run = route?.bulkhead == null ? null : this.#runOf(route);
    this.#bulkheads.set(name, run?.bulkhead ?? null);
  }

  /** What cannot be used is logged, and the earlier one stays. */
  #setUpstream(name: string, options: UpstreamOptions | null): void {
    const earlier = this.#upstreams.get(name) ?? null;
    if (options === null) {
      this.#upstreams.delete(name);
      earlier?.close();
      return;
    }
    try {
      this.#upstreams.set(name, new OriginSet(upstreamOf(name, options), earlier, this.#originContext));
    } catch (error) {
      this.#logger.error(
        { error, upstream: name },
        'An upstream cannot be used; the one before it, if any, stays',
      );
    }
  }

  upstream(name: string): OriginSet | undefined {
    return this.#upstreams.get(name);
  }

  /** Answers by the routes, and hands on what none of them is for. */
  handler(others: HttpHandler): HttpHandler {
    return (exchange) => {
      if (this.#table.size === 0) {
        others(exchange);
        return;
      }
      const { request } = exchange;
      let hit: RouteHit | null;
      try {
        hit = this.#table.match(new RequestView(request));
      } catch (error) {
        if (builtInLength(request.path, this.#builtIn) > 0) others(exchange);
        else exchange.fail(TidegateError.from(error));
        return;
      }
      // By the path as it was matched: another spelling of a path of the server's is no way around it.
      const own = hit === null ? 0 : builtInLength(hit.path, this.#builtIn);
      if (hit === null || (own > 0 && !precedesBuiltIn(hit.route.match, own))) {
        others(exchange);
        return;
      }
      this.attendance?.requested(hit.route.name);
      const { subscribe, sockjs, crossOrigin, match } = hit.route;
      if (subscribe !== null) {
        handToChannel(exchange, subscribe, hit.parameters, { path: this.#channelsPath, others });
        return;
      }
      if (sockjs !== null && this.#sockjs.handle(exchange, hit, sockjs) === 'taken') return;
      const answered = crossOrigin === null ? exchange : forPages(exchange, crossOrigin, match, this.limits);
      if (answered !== null) this.#dispatch(answered, hit);
    };
  }

  #dispatch(exchange: HttpExchange, hit: RouteHit): void {
    const run = this.#runOf(hit.route).runFor(exchange.request, this.clock);
    if (hit.route.live !== null && this.#takesLive(exchange, hit, hit.route.live)) return;
    if (run.cache === null) new RoutedRequest(exchange, hit, run, this).start();
    else new CachedRequest(exchange, hit, run, this).start(run.cache);
  }

  /** Whether a request asks for a live value, and is answered. */
  #takesLive(exchange: HttpExchange, { route, path }: RouteHit, live: LiveRule): boolean {
    const routed = { rules: route, pattern: route.match.path.text, path };
    return this.#live.handle(exchange, { name: route.name, ...live }, routed) === 'taken';
  }

  /** Shares purges, polls and sessions (GRIP's and those of SockJS) with the process at the line's other end: every worker for the owner, the owner for a worker. */
  serve(line: Line): void {
    this.#live.join(line);
    this.#purges.join(line);
    this.sessions.serve(line);
    this.#sockjs.serve(line);
  }

  /**
   * Takes responses out of the caches of all processes, and calls back when none of them serves anything of it any more. Errors: purge_invalid,
   * purge_rate_exceeded if the credential purges too often, worker_unavailable.
   * @param credential whose purges they are; empty for nobody in particular
   */
  purge(requests: readonly PurgeRequest[], credential: string, done: PurgeCallback): void {
    this.#purges.purge(requests, credential, done);
  }

  /** What a request has changed is not served from any cache any more. */
  invalidate(
    request: Parameters<HttpCache['invalidate']>[0],
    head: Parameters<HttpCache['invalidate']>[1],
  ): void {
    this.#purges.share(this.cache.invalidate(request, head).map((url) => ({ url })));
  }

  /** Ends the streams of live values and the sessions of SockJS: the server is shutting down. */
  drain(): void {
    this.#live.drain();
    this.#sockjs.drain();
  }

  /** Lets go of the connections to origins that nobody uses, and of those in use once they are done. */
  close(): void {
    this.#live.close();
    this.holds.close();
    this.#filters.close();
    for (const upstream of this.#upstreams.values()) upstream.close();
    this.#bulkheads.stop();
    this.#socketDeadlines.stop();
    this.deadlines.stop();
  }

  get #originContext() {
    const { clock, random, limits, deadlines } = this;
    return { clock, random, limits, deadlines, logger: this.#logger, lookup: this.#lookup };
  }

  #runOf(route: Route): RouteRun {
    let run = this.#runs.get(route);
    if (run === undefined) {
      run = new RouteRun(route, this.#routeContext);
      this.#runs.set(route, run);
    }
    return run;
  }
}
