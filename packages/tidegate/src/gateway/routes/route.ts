import { type CacheOptions, type CacheRule, cacheRule } from '../cache/options.ts';
import { durationMs } from '../duration.ts';
import { withDefaults } from '../schema-defaults.ts';
import { statusSet } from '../statuses.ts';
import { type ChannelTemplate, parseChannelTemplate } from './channel-template.ts';
import { normalPathOfText } from './normal-path.ts';
import { type CompleteRouteOptions, type RouteOptions, routeSchema } from './options.ts';
import { type PathPattern, parsePathPattern } from './path-pattern.ts';
import type {
  BreakerRule,
  BulkheadRule,
  DeadlineRule,
  FallbackRule,
  FixedResponse,
  HeaderChanges,
  RetryRule,
  Timeouts,
} from './resilience.ts';
import type { Rewrite } from './rewrite.ts';
import { type RouteMatch, routeMatchOf } from './route-match.ts';

/** Makes a stream of a JSON API. */
export interface LiveRule {
  readonly everyMs: number;
  readonly mode: 'patch' | 'value';
}

/** How instructions of the origin are taken. */
export interface GripRule {
  readonly key: string | null;
  /** Of gateways in front, which speak GRIP with the origin themselves. */
  readonly upstreamKey: string | null;
  readonly issuer: string;
  readonly prefix: string;
  /** What is subscribed to whatever the origin says; without the prefix. */
  readonly channels: readonly string[];
  /** Whether it is remembered what the clients of its sessions have. */
  readonly session: boolean;
  /** How the origin speaks to WebSocket clients. */
  readonly websocket: 'native' | 'over_http';
}

type JsonpOptions = NonNullable<NonNullable<CompleteRouteOptions['crossOrigin']>['jsonp']>;

/** How scripts ask, and are answered. */
export interface JsonpRule {
  readonly mode: 'extended' | 'basic';
  /** The query parameter that names the function to call. */
  readonly callback: string;
  /** The query parameter with a body of JSON; null for `_body`, of any type. */
  readonly body: string | null;
  /** What is called without `callback`, if there is a `body`; null for nothing. */
  readonly defaultCallback: string | null;
  readonly defaultMethod: string;
}

/** Opens a route to the pages of other origins. */
export interface CrossOriginRule {
  readonly jsonp: JsonpRule | null;
}

/** Lets browsers without WebSockets reach those of the origin. */
export interface SockJsRule {
  /** Below which SockJS answers; normalised, without a slash at the end. */
  readonly path: string;
  /** Where WebSockets go at the origin; null for the path of raw WebSockets, by the rules of the route. */
  readonly originPath: string | null;
  readonly clientUrl: string;
}

/** A route with nothing missing; immutable. What is null is off. Exactly one of `upstream`, `respond` and `subscribe` is not null. */
export interface Route {
  readonly name: string;
  readonly match: RouteMatch;
  readonly upstream: string | null;
  readonly respond: FixedResponse | null;
  /** The channel that clients get as an event stream. */
  readonly subscribe: ChannelTemplate | null;
  readonly rewrite: Rewrite | null;
  readonly headers: { readonly request: HeaderChanges; readonly response: HeaderChanges };
  readonly timeouts: Timeouts;
  readonly retry: RetryRule | null;
  readonly breaker: BreakerRule | null;
  readonly bulkhead: BulkheadRule | null;
  readonly deadline: DeadlineRule | null;
  readonly fallback: FallbackRule | null;
  readonly cache: CacheRule | null;
  readonly live: LiveRule | null;
  readonly grip: GripRule | null;
  readonly sockjs: SockJsRule | null;
  readonly crossOrigin: CrossOriginRule | null;
}

/** The options with every default filled in. */
export function completeRoute(options: RouteOptions): CompleteRouteOptions {
  return withDefaults(routeSchema, options) as CompleteRouteOptions;
}

/** Applies `resolve` to what is there; null for what is not. */
const given = <Value, Resolved>(
  value: Value | undefined,
  resolve: (value: Value) => Resolved,
): Resolved | null => (value === undefined ? null : Object.freeze(resolve(value)));

const optionalMs = (text: string | undefined): number | null =>
  text === undefined ? null : durationMs(text);

const inLowerCase = (headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.freeze(
    Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
  );

const respondOf = ({
  status,
  headers,
  body,
}: NonNullable<CompleteRouteOptions['respond']>): FixedResponse => ({
  status,
  headers: inLowerCase(headers),
  body,
});

const changesOf = ({ set, remove }: CompleteRouteOptions['headers']['request']): HeaderChanges =>
  Object.freeze({ set: inLowerCase(set), remove: Object.freeze(remove.map((name) => name.toLowerCase())) });

const timeoutsOf = ({ connect, firstByte, idle, total }: CompleteRouteOptions['timeouts']): Timeouts =>
  Object.freeze({
    connectMs: durationMs(connect),
    firstByteMs: durationMs(firstByte),
    idleMs: durationMs(idle),
    totalMs: optionalMs(total),
  });

const CONDITIONS: readonly (string | number)[] = ['connect', 'reset', 'timeout'];

const retryOf = (retry: NonNullable<CompleteRouteOptions['retry']>): RetryRule => ({
  attempts: retry.attempts,
  backoffMs: durationMs(retry.backoff),
  backoffMaxMs: durationMs(retry.backoffMax),
  onConnect: retry.on.includes('connect'),
  onReset: retry.on.includes('reset'),
  onTimeout: retry.on.includes('timeout'),
  statuses: statusSet(retry.on.filter((item) => !CONDITIONS.includes(item))),
  methods: retry.methods,
  budgetPercent: retry.budgetPercent,
});

const breakerOf = (breaker: NonNullable<CompleteRouteOptions['breaker']>): BreakerRule => ({
  failures: breaker.failures,
  percent: breaker.percent,
  withinMs: durationMs(breaker.within),
  openForMs: durationMs(breaker.openFor),
  openForMaxMs: durationMs(breaker.openForMax),
  trials: breaker.trials,
  statuses: statusSet(breaker.statuses),
});

const fallbackOf = (fallback: NonNullable<CompleteRouteOptions['fallback']>): FallbackRule => ({
  respond: given(fallback.respond, respondOf),
  upstream: fallback.upstream ?? null,
  staleMs: optionalMs(fallback.stale),
  statuses: statusSet(fallback.statuses),
});

const patternOf = (path: string | undefined): PathPattern | null =>
  path === undefined ? null : parsePathPattern(path);

const jsonpOf = (jsonp: JsonpOptions): JsonpRule => ({
  mode: jsonp.mode,
  callback: jsonp.callback,
  body: jsonp.body ?? null,
  defaultCallback: jsonp.defaultCallback ?? null,
  defaultMethod: jsonp.defaultMethod ?? (jsonp.mode === 'basic' ? 'POST' : 'GET'),
});

/** What a fallback says of stale answers is what the cache goes by when the origin fails. */
function cacheRuleOf(cache: CacheOptions, staleFallback: string | undefined): CacheRule {
  const rule = cacheRule(cache);
  return staleFallback === undefined ? rule : { ...rule, staleIfErrorMs: durationMs(staleFallback) };
}

/** A route as the gateway goes by it. The options must be valid: see `findRouteProblems`. */
export function routeOf(name: string, options: RouteOptions): Route {
  const complete = completeRoute(options);
  const { headers } = complete;
  return Object.freeze({
    name,
    match: routeMatchOf(complete.match),
    upstream: complete.upstream ?? null,
    respond: given(complete.respond, respondOf),
    subscribe: given(complete.subscribe, ({ channel }) => parseChannelTemplate(channel)),
    rewrite: given(complete.rewrite, ({ stripPrefix = '', addPrefix = '', path }) => ({
      stripPrefix: normalPathOfText(stripPrefix),
      addPrefix: normalPathOfText(addPrefix),
      path: patternOf(path),
    })),
    headers: Object.freeze({ request: changesOf(headers.request), response: changesOf(headers.response) }),
    timeouts: timeoutsOf(complete.timeouts),
    retry: given(complete.retry, retryOf),
    breaker: given(complete.breaker, breakerOf),
    bulkhead: given(complete.bulkhead, ({ concurrent, queue, wait }) => ({
      concurrent,
      queue,
      waitMs: durationMs(wait),
    })),
    deadline: given(complete.deadline, (deadline) => ({
      header: deadline.header.toLowerCase(),
      defaultMs: optionalMs(deadline.default),
    })),
    fallback: given(complete.fallback, fallbackOf),
    cache: given(complete.cache, (cache) => cacheRuleOf(cache, complete.fallback?.stale)),
    live: given(complete.live, ({ every, mode }) => ({ everyMs: durationMs(every), mode })),
    grip: given(
      complete.grip,
      ({ key = null, upstreamKey = null, issuer, prefix = '', channels, session, websocket }) => ({
        key,
        upstreamKey,
        issuer,
        prefix,
        channels,
        session,
        websocket,
      }),
    ),
    sockjs: given(complete.sockjs, ({ path, originPath, clientUrl }) => ({
      path: normalPathOfText(path),
      originPath: originPath === undefined ? null : normalPathOfText(originPath),
      clientUrl,
    })),
    crossOrigin: given(complete.crossOrigin, ({ jsonp }) => ({ jsonp: given(jsonp, jsonpOf) })),
  });
}
