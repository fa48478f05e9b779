import type { Clock, Limits, Metrics } from '../kernel/index.ts';
import type { HttpRequest } from '../listeners/port.ts';
import { Bulkhead, CircuitBreaker, REQUEST_TIMEOUT_HEADER, RetryBudget } from '../policies/index.ts';
import { type HttpCache, type RouteCache, SURROGATE_KEY } from './cache/index.ts';
import { FrontGateways } from './front-gateways.ts';
import { RouteFigures } from './gateway-metrics.ts';
import { GripSignature } from './grip-signature.ts';
import type { RequestFieldRules } from './proxy/request-fields.ts';
import type { Route } from './routes/route.ts';

/** What all routes share. */
export interface RouteContext {
  readonly metrics: Metrics;
  readonly cache: HttpCache;
  readonly limits: Limits;
  /** How this gateway is called on the way. */
  readonly viaName: string;
}

const NOTHING: ReadonlySet<string> = new Set();

/** A route as it runs: what is known of its requests, and what is made of its rules once and not for each request. */
export class RouteRun {
  readonly route: Route;
  readonly breaker: CircuitBreaker | null;
  readonly bulkhead: Bulkhead | null;
  readonly retryBudget: RetryBudget | null;
  readonly figures: RouteFigures;
  readonly requestRules: RequestFieldRules;
  /** Null if the route does not cache. */
  readonly cache: RouteCache | null;
  /** The same route for gateways in front that have signed: GRIP is between them and the origin. Null if none are known. */
  readonly #passing: { readonly front: FrontGateways; readonly run: RouteRun } | null;
  readonly #grip: GripSignature | null;
  readonly #removedFromResponse: ReadonlySet<string>;
  readonly #addedToResponse: readonly string[];

  /** @param shared the run of the same route with GRIP, whose figures and circuit this one has as well */
  constructor(route: Route, context: RouteContext, shared: RouteRun | null = null) {
    this.route = route;
    this.breaker = shared?.breaker ?? (route.breaker === null ? null : new CircuitBreaker(route.breaker));
    this.bulkhead = shared?.bulkhead ?? (route.bulkhead === null ? null : new Bulkhead(route.bulkhead));
    this.retryBudget = shared?.retryBudget ?? (route.retry === null ? null : new RetryBudget(route.retry));
    this.figures = shared?.figures ?? new RouteFigures(route.name, context.metrics);
    this.#grip = route.grip === null ? null : new GripSignature(route.grip);
    this.cache = route.cache === null ? null : context.cache.route(route.name, route.cache);
    const { request, response } = route.headers;
    this.requestRules = {
      remove: removedFromRequest(route),
      add: Object.entries(request.set).flat(),
      speaksGrip: route.grip === null ? 'no' : 'yes',
      viaName: context.viaName,
    };
    // For the cache alone, and for no client.
    const own = this.cache === null ? [] : [SURROGATE_KEY];
    this.#removedFromResponse = new Set([...namesOf(response), ...own]);
    this.#addedToResponse = Object.entries(response.set).flat();
    const upstreamKey = route.grip?.upstreamKey ?? null;
    this.#passing =
      upstreamKey === null
        ? null
        : {
            front: new FrontGateways(upstreamKey, context.limits),
            run: new RouteRun({ ...route, grip: null, cache: null }, context, this),
          };
  }

  /** How a request goes by the route: without GRIP and the cache, if a gateway in front does both for its client. */
  runFor({ headers }: HttpRequest, clock: Clock): RouteRun {
    const passing = this.#passing;
    if (passing === null) return this;
    const signature = headers.get('grip-sig');
    return signature !== undefined && passing.front.hasSigned(signature, clock.nowMs()) ? passing.run : this;
  }

  /** The fields by which an origin knows that it is asked by a gateway that speaks GRIP, and by which one. Names and values in turn. */
  gripFields(nowMs: number): string[] {
    return this.#grip?.fields(nowMs) ?? [];
  }

  /** Whether clients get the fields of an origin's response as they are. */
  get passesResponseFields(): boolean {
    return this.#removedFromResponse.size === 0;
  }

  /** The fields of an origin's response as the client gets them: names and values in turn. */
  responseFields(fields: readonly string[]): readonly string[] {
    if (this.#removedFromResponse.size === 0) return fields;
    const kept: string[] = [];
    for (let at = 0; at < fields.length; at += 2) {
      if (!this.#removedFromResponse.has(fields[at].toLowerCase())) kept.push(fields[at], fields[at + 1]);
    }
    kept.push(...this.#addedToResponse);
    return kept;
  }
}

/** What the gateway says of the deadline takes the place of what the client said. */
function removedFromRequest({ headers, deadline }: Route): ReadonlySet<string> {
  const names = namesOf(headers.request);
  return deadline === null ? names : new Set([...names, deadline.header, REQUEST_TIMEOUT_HEADER]);
}

/** What is put in place of others goes, and so does what is taken away. */
function namesOf({
  set,
  remove,
}: {
  readonly set: Readonly<Record<string, string>>;
  readonly remove: readonly string[];
}): ReadonlySet<string> {
  const names = [...Object.keys(set), ...remove];
  return names.length === 0 ? NOTHING : new Set(names);
}
