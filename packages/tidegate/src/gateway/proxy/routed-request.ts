import type { Buffer } from 'node:buffer';
import type { Duplex } from 'node:stream';
import { type Clock, type Deadlines, type Limits, type Random, TidegateError } from '../../kernel/index.ts';
import type { HttpExchange, RelayedHead } from '../../listeners/port.ts';
import type { CacheFetch, HttpCache } from '../cache/index.ts';
import type { GripHolds } from '../grip/port.ts';
import type { GripSessions } from '../grip-sessions/index.ts';
import type { GripWebSockets } from '../grip-websocket/port.ts';
import { liveFields } from '../live/index.ts';
import type { OriginExchange, OriginHead, OriginReceiver, OriginRequest } from '../origin/exchange.ts';
import type { FetchContext } from '../origin/fetch-options.ts';
import type { OriginSet } from '../origin/origin-set.ts';
import type { RouteRun } from '../route-run.ts';
import type { FixedResponse } from '../routes/resilience.ts';
import type { RouteHit } from '../routes/route-table.ts';
import { Admission, type Applicant, type ProxyOutcome } from './admission.ts';
import { CacheFeed } from './cache-feed.ts';
import { GripRequest } from './grip-request.ts';
import { originRequest, targetHash } from './origin-request.ts';
import { ProxyExchange, type ProxyRoute } from './proxy-exchange.ts';
import { routeFetch } from './route-fetch.ts';
import { SessionSearch } from './session-search.ts';

/** What requests need of the gateway. */
export interface RequestContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: Limits;
  readonly deadlines: Deadlines;
  readonly fetching: FetchContext;
  readonly holds: GripHolds;
  readonly sockets: GripWebSockets;
  readonly sessions: GripSessions;
  /** Takes what a request has changed out of all caches (RFC 9111, section 4.4). */
  invalidate(request: Parameters<HttpCache['invalidate']>[0], head: OriginHead): void;
  /** The upstream of this name; undefined if there is none. */
  upstream(name: string): OriginSet | undefined;
}

/** RFC 9110, section 9.2.1. */
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** A request that is made on behalf of the cache. */
export interface CachePurpose {
  readonly fetch: CacheFetch;
  /** Whether what cannot be stored goes to the client of the exchange, or there is none. */
  readonly client: 'attached' | 'none';
}

/** One request on its way through a route: being let in, asking the origin, and what is answered in its place. */
export class RoutedRequest implements Applicant, ProxyRoute {
  readonly requestBytesMax: number;
  readonly #exchange: HttpExchange;
  readonly #hit: RouteHit;
  readonly #run: RouteRun;
  readonly #context: RequestContext;
  readonly #startedMs: number;
  /** Null for a request that is its client's own, as it is once the cache has let go of it. */
  #purpose: CachePurpose | null;
  /** What Cache-Status tells of it; null to say nothing. */
  readonly #cacheStatus: string | null;
  readonly #admission: Admission;
  #usesFallback = false;
  #passedStatus: string | null = null;
  /** What was sent to the origin, and how GRIP sees the route. */
  #asked: OriginRequest | null = null;
  #grip: GripRequest | null = null;
  #search: SessionSearch | null = null;

  /** @param cache on whose behalf, or how the cache has passed it on; null without one */
  constructor(
    exchange: HttpExchange,
    hit: RouteHit,
    run: RouteRun,
    context: RequestContext,
    cache: CachePurpose | string | null = null,
  ) {
    this.#purpose = typeof cache === 'string' ? null : cache;
    this.#cacheStatus = typeof cache === 'string' ? cache : null;
    this.#exchange = exchange;
    this.#hit = hit;
    this.#run = run;
    this.#context = context;
    this.#startedMs = context.clock.monotonicMs();
    this.#admission = new Admission(run, context.clock, this);
    this.requestBytesMax = context.limits.gatewayRequestBytesMax;
  }

  start(): void {
    const { route } = this.#run;
    if (route.respond !== null) {
      this.#answer(route.respond);
      return;
    }
    try {
      if (this.#admission.seek(this.#exchange.request.headers) === 'waits') this.#mayLeave();
    } catch (error) {
      this.refused(TidegateError.from(error));
    }
  }

  /** Whoever waits to be let in may give up. */
  #mayLeave(): void {
    const leave = (): void => this.#admission.cancel();
    if (this.#purpose !== null) {
      this.#purpose.fetch.begin({ resume() {}, abort: leave });
      return;
    }
    this.#exchange.onAbandoned(() => {
      leave();
      this.#run.figures.left();
    });
  }

  // --- Asking. ---

  admitted(): void {
    this.#fetchFrom(this.#run.route.upstream as string);
  }

  #fetchFrom(name: string): void {
    const upstream = this.#context.upstream(name);
    if (upstream === undefined)
      throw new TidegateError('upstream_unavailable', `There is no upstream ${JSON.stringify(name)}.`);
    const { request } = this.#exchange;
    const { deadlineMs } = this.#admission;
    const asked = this.#gripped(
      originRequest(request, {
        hit: this.#hit,
        run: this.#run,
        upstream: upstream.spec,
        changes: this.#purpose?.fetch.changes ?? null,
        deadlineMs,
      }),
    );
    if (asked === null) return;
    if (this.#search === null && this.#grip !== null && asked.upgrade === null) {
      this.#search = SessionSearch.of(this.#exchange, this.#grip, this.#context);
      if (this.#search !== null) {
        this.#search.start(this.#exchange, this.requestBytesMax, {
          searched: () => this.#ask(asked, upstream),
          left: () => this.#ended('client_left'),
          broken: (error) => this.refused(error),
        });
        return;
      }
    }
    this.#ask(asked, upstream);
  }

  #ask(unsearched: OriginRequest, upstream: OriginSet): void {
    const { request } = this.#exchange;
    const { timeLeftMs } = this.#admission;
    const asked = this.#search?.tell(unsearched) ?? unsearched;
    this.#asked = asked;
    const receiver = this.#receiver();
    const hash = targetHash(request, upstream.spec, this.#hit.path);
    const fetch = routeFetch(
      this.#run,
      upstream,
      { request: asked, hash, timeLeftMs },
      receiver,
      this.#context,
    );
    receiver.attach(fetch);
    fetch.start();
  }

  /** Who takes the answer: the client, or the cache first. */
  #receiver(): ProxyExchange | CacheFeed {
    const toClient = (): ProxyExchange =>
      new ProxyExchange(this.#exchange, this, (outcome) => this.#ended(outcome), this.#search?.body);
    const purpose = this.#purpose;
    if (purpose === null) return toClient();
    return new CacheFeed(purpose.fetch, {
      passed: () => {
        this.#purpose = null;
        this.#passedStatus = purpose.fetch.cacheStatus;
        return purpose.client === 'none' ? null : toClient();
      },
      ended: (outcome) => this.#admission.leave(outcome),
    });
  }

  // --- GRIP. ---

  /** The request as an origin that speaks GRIP gets it; null if GRIP has taken the exchange over. */
  #gripped(asked: OriginRequest): OriginRequest | null {
    const { grip } = this.#run.route;
    if (grip === null) return asked;
    const { sockets, clock } = this.#context;
    const route = new GripRequest(this.#run, grip, this.#context, (status) =>
      this.#ended(status ?? 'client_left'),
    );
    this.#grip = route;
    if (sockets.pretendsToBeGateway(this.#exchange.request))
      throw new TidegateError('access_denied', 'Only gateways speak WebSocket-over-HTTP to an origin.');
    if (asked.upgrade !== null) {
      if (grip.websocket === 'native') return sockets.offerGrip(asked, route);
      // What is held is not what a bulkhead is for.
      this.#admission.leave('client_left');
      sockets.openOverHttp(this.#exchange, asked, route);
      return null;
    }
    return {
      ...asked,
      fields: [...asked.fields.slice(0, 2), ...this.#run.gripFields(clock.nowMs()), ...asked.fields.slice(2)],
    };
  }

  takenBy(head: OriginHead, fetch: OriginExchange): OriginReceiver | null {
    const { holds } = this.#context;
    if (this.#grip === null || this.#asked === null || !holds.wants(head)) return null;
    // What is held is not what a bulkhead is for: the origin is done with it.
    this.#admission.leave(head.status);
    return holds.take(this.#exchange, head, this.#asked, fetch, this.#grip);
  }

  takesUpgrade(head: OriginHead, origin: Duplex, sentAhead: Buffer): boolean {
    const { sockets } = this.#context;
    if (this.#grip === null || this.#asked === null) return false;
    if (!sockets.takesNative(head, this.#grip.rule)) return false;
    this.#admission.leave(head.status);
    sockets.openNative(this.#exchange, this.#asked, head, origin, sentAhead, this.#grip);
    return true;
  }

  // --- What comes of it. ---

  responseHead(head: OriginHead): RelayedHead {
    const cacheStatus = this.#passedStatus ?? this.#cacheStatus;
    const { live } = this.#run.route;
    if (cacheStatus === null && live === null && this.#run.passesResponseFields) return head;
    const { status, reason, bodyBytes } = head;
    const fields = [...this.#run.responseFields(head.fields)];
    if (cacheStatus !== null) fields.push('Cache-Status', cacheStatus);
    if (live !== null) {
      const { target, scheme, host } = this.#exchange.request;
      fields.push(...liveFields({ target, scheme, host, mode: live.mode }).flat());
    }
    return { status, reason, fields, bodyBytes };
  }

  /** What changes something takes out of the cache what is not so any more (RFC 9111, section 4.4). */
  headCame(head: OriginHead): void {
    const { method, scheme, host, target } = this.#exchange.request;
    if (!SAFE_METHODS.has(method)) this.#context.invalidate({ method, scheme, host, target }, head);
  }

  replaces(status: number): boolean {
    const { fallback } = this.#run.route;
    return fallback !== null && !this.#usesFallback && fallback.statuses.has(status);
  }

  /** Answers in place of an origin that failed; returns whether it does. */
  replace(outcome: number | TidegateError, bodyUsed: 'used' | 'unused'): boolean {
    const { fallback } = this.#run.route;
    if (fallback === null || this.#usesFallback) return false;
    if (outcome instanceof TidegateError && outcome.entry.blame === 'client') return false;
    this.#usesFallback = true;
    this.#admission.settle(outcome);
    if (fallback.upstream !== null && bodyUsed === 'unused') {
      try {
        this.#fetchFrom(fallback.upstream);
        return true;
      } catch {
        // What is to be answered without any origin is still there.
      }
    }
    if (fallback.respond === null) return false;
    this.#answer(fallback.respond);
    return true;
  }

  #answer({ status, headers, body }: FixedResponse): void {
    this.#exchange.respond(status, headers, body);
    this.#ended(status);
  }

  /** Answers with an error that was found before the origin was asked, or with what the route has in its place. */
  refused(error: TidegateError): void {
    if (this.#purpose !== null) {
      this.#admission.leave(error);
      this.#purpose.fetch.failed(error);
      return;
    }
    if (this.replace(error, 'unused')) return;
    this.#exchange.fail(error);
    this.#ended(error);
  }

  #ended(outcome: ProxyOutcome): void {
    const { figures } = this.#run;
    const nowMs = this.#context.clock.monotonicMs();
    this.#admission.leave(outcome);
    if (typeof outcome === 'number') figures.answered(outcome, (nowMs - this.#startedMs) / 1000);
    else if (outcome === 'client_left') figures.left();
    else figures.failed(outcome.code);
  }
}
