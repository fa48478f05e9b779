import { TidegateError } from '../../kernel/index.ts';
import { isCallback } from '../../wire/jsonp/index.ts';
import { durationMs } from '../duration.ts';
import type { OptionProblem } from '../option-problem.ts';
import { parametersOfTemplate, parseChannelTemplate } from './channel-template.ts';
import type { CompleteRouteOptions, RouteOptions } from './options.ts';
import { type PathPattern, parsePathPattern } from './path-pattern.ts';
import { completeRoute } from './route.ts';
import { matchOfOptions, type RouteMatch } from './route-match.ts';
import { signatureKeyProblem } from './signature-key-problem.ts';

/** Fields that say how a message is framed, or that belong to one connection (RFC 9110, section 7.6.1): the gateway's own. */
const OWN_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Where a route leads: one of these. */
const DESTINATIONS = ['upstream', 'respond', 'subscribe'] as const;

/** What only a route with an origin has. */
const ORIGIN_SECTIONS = [
  'rewrite',
  'retry',
  'breaker',
  'bulkhead',
  'deadline',
  'fallback',
  'live',
  'grip',
  'sockjs',
] as const;

type Complain = (path: readonly (string | number)[], message: string, remedy: string) => void;

/** What is wrong with a route that fits the schema; nothing if it is good. */
export function findRouteProblems(options: RouteOptions): readonly OptionProblem[] {
  const problems: OptionProblem[] = [];
  const complain: Complain = (path, message, remedy) => problems.push({ path, message, remedy });
  const route = completeRoute(options);
  checkDestination(route, complain);
  checkPaths(route, complain);
  checkFields(route, complain);
  checkTimes(route, complain);
  checkBrowsers(route, complain);
  for (const name of ['key', 'upstreamKey'] as const) {
    const problem = signatureKeyProblem(route.grip?.[name]);
    if (problem !== null) complain(['grip', name], problem, 'Write a secret, or a key as PEM.');
  }
  return problems;
}

function checkDestination(route: CompleteRouteOptions, complain: Complain): void {
  const [first, second] = DESTINATIONS.filter((name) => route[name] !== undefined);
  if (first === undefined)
    complain([], 'The route leads nowhere', 'Write upstream: and the name of one, respond:, or subscribe:.');
  if (second !== undefined)
    complain([second], `The route has ${first} as well, and leads to one only`, 'Remove one of the two.');
  // Whatever is there besides an upstream answers in place of it.
  const own = second ?? (first === 'upstream' ? undefined : first);
  for (const section of own === undefined ? [] : ORIGIN_SECTIONS) {
    if (route[section] === undefined) continue;
    complain([section], 'A route that answers by itself asks no origin', `Remove the section, or ${own}.`);
  }
  if (route.subscribe !== undefined) checkSubscribe(route, complain);
  const { fallback } = route;
  if (fallback === undefined) return;
  if (fallback.respond === undefined && fallback.upstream === undefined && fallback.stale === undefined)
    complain(['fallback'], 'There is nothing to fall back on', 'Write respond, upstream or stale.');
  if (fallback.upstream !== undefined && fallback.upstream === route.upstream)
    complain(['fallback', 'upstream'], 'It is the upstream of the route itself', 'Name another one.');
}

/** An event stream has the fields that it needs, and is nothing to be kept. */
function checkSubscribe({ cache, crossOrigin, headers }: CompleteRouteOptions, complain: Complain): void {
  if (cache !== undefined) complain(['cache'], 'A stream of a channel is not cached', 'Remove the section.');
  if (crossOrigin !== undefined)
    complain(
      ['crossOrigin'],
      'A stream of a channel is for the pages of cors.origins',
      'Remove the section.',
    );
  for (const side of ['request', 'response'] as const) {
    const { set, remove } = headers[side];
    if (Object.keys(set).length + remove.length === 0) continue;
    complain(['headers', side], 'A stream of a channel has header fields of its own', 'Remove the section.');
  }
}

/** The pattern of a path; null after a complaint. */
function patternAt(path: readonly string[], text: string, complain: Complain): PathPattern | null {
  try {
    const pattern = parsePathPattern(text);
    if (/(?:^|\/)\.\.?(?:\/|$)/.test(text))
      complain(path, `${JSON.stringify(text)} has a . or .. segment`, `Write ${pattern.text}.`);
    return pattern;
  } catch (error) {
    const remedy = 'Write %25 for a percent sign that is meant as such.';
    complain(path, TidegateError.from(error).detail.replace(/\.$/, ''), remedy);
    return null;
  }
}

function checkPaths({ match, rewrite, subscribe }: CompleteRouteOptions, complain: Complain): void {
  const matched = patternAt(['match', 'path'], match.path, complain);
  if (matched === null) return;
  const names = new Set<string>();
  for (const { name } of matched.parameters) {
    if (names.has(name))
      complain(['match', 'path'], `{${name}} is there twice`, 'Give each parameter a name of its own.');
    names.add(name);
  }
  if (rewrite?.stripPrefix !== undefined) {
    const prefix = patternAt(['rewrite', 'stripPrefix'], rewrite.stripPrefix, complain)?.text ?? '';
    const literal = matched.text.slice(0, matched.literalLength);
    if (!`${literal}/`.startsWith(`${prefix}/`))
      complain(
        ['rewrite', 'stripPrefix'],
        `Not every path that matches ${matched.text} begins with ${prefix}`,
        'Write a beginning of match.path.',
      );
  }
  if (subscribe !== undefined) {
    const wanted = parametersOfTemplate(parseChannelTemplate(subscribe.channel));
    checkParameters(wanted, names, ['subscribe', 'channel'], complain);
  }
  if (rewrite?.addPrefix !== undefined) patternAt(['rewrite', 'addPrefix'], rewrite.addPrefix, complain);
  if (rewrite?.path === undefined) return;
  if (rewrite.stripPrefix !== undefined || rewrite.addPrefix !== undefined)
    complain(['rewrite', 'path'], 'The whole path is anew', 'Remove stripPrefix and addPrefix, or path.');
  const template = patternAt(['rewrite', 'path'], rewrite.path, complain);
  const wanted = template?.parameters.map(({ name }) => name) ?? [];
  checkParameters(wanted, names, ['rewrite', 'path'], complain);
  if (template?.reach === 'below' && matched.reach === 'exact')
    complain(
      ['rewrite', 'path'],
      'Its /* stands for nothing, as match.path has none',
      'Remove it, or write /* at the end of match.path.',
    );
}

function checkParameters(
  wanted: readonly string[],
  names: ReadonlySet<string>,
  path: readonly string[],
  complain: Complain,
): void {
  for (const name of wanted) {
    if (names.has(name)) continue;
    const known = [...names].map((other) => `{${other}}`).join(', ');
    const remedy = known === '' ? 'Write one into match.path.' : `The parameters of match.path are ${known}.`;
    complain(path, `match.path has no parameter {${name}}`, remedy);
  }
}

function checkFields({ headers, match }: CompleteRouteOptions, complain: Complain): void {
  for (const side of ['request', 'response'] as const) {
    const { set, remove } = headers[side];
    const paths = [
      ...Object.keys(set).map((name) => ({ name, path: ['headers', side, 'set', name] })),
      ...remove.map((name, index) => ({ name, path: ['headers', side, 'remove', index] })),
    ];
    for (const { name, path } of paths) {
      if (!OWN_FIELDS.has(name.toLowerCase())) continue;
      const remedy = name.toLowerCase() === 'host' ? 'See host of the upstream.' : 'Remove the line.';
      complain(path, `${name} is for the gateway to set`, remedy);
    }
  }
  const seen = new Set<string>();
  for (const name of Object.keys(match.headers ?? {})) {
    if (seen.has(name.toLowerCase()))
      complain(['match', 'headers', name], 'The field is there twice', 'Remove one of the two.');
    seen.add(name.toLowerCase());
  }
}

function checkBrowsers({ match, sockjs, crossOrigin }: CompleteRouteOptions, complain: Complain): void {
  if (sockjs !== undefined) {
    const path = patternAt(['sockjs', 'path'], sockjs.path, complain)?.text ?? '';
    if (sockjs.originPath !== undefined) patternAt(['sockjs', 'originPath'], sockjs.originPath, complain);
    // What is wrong with it is told elsewhere.
    const matched = patternAt(['match', 'path'], match.path, () => {});
    const literal = matched?.text.slice(0, matched.literalLength) ?? '';
    if (matched?.reach === 'exact' || matched?.parameters.length || !`${path}/`.startsWith(literal))
      complain(
        ['sockjs', 'path'],
        `What is below ${path} does not match ${match.path}`,
        `Write ${path}/* into match.path, or a path below match.path here.`,
      );
  }
  const callback = crossOrigin?.jsonp?.defaultCallback;
  if (callback !== undefined && !isCallback(callback))
    complain(
      ['crossOrigin', 'jsonp', 'defaultCallback'],
      `${JSON.stringify(callback)} is not the name of a function`,
      'Write a name such as callback, or app.answers.',
    );
}

function checkTimes({ retry, breaker }: CompleteRouteOptions, complain: Complain): void {
  if (retry !== undefined && durationMs(retry.backoff) > durationMs(retry.backoffMax))
    complain(
      ['retry', 'backoff'],
      `The first pause (${retry.backoff}) is longer than the longest (${retry.backoffMax})`,
      'Raise backoffMax.',
    );
  if (breaker !== undefined && durationMs(breaker.openFor) > durationMs(breaker.openForMax))
    complain(
      ['breaker', 'openFor'],
      `The first time (${breaker.openFor}) is longer than the longest (${breaker.openForMax})`,
      'Raise openForMax.',
    );
}

/** The upstreams that a route names, each with where. */
export function upstreamsOf(
  options: RouteOptions,
): readonly { readonly path: readonly string[]; readonly upstream: string }[] {
  const named = [];
  if (options.upstream !== undefined) named.push({ path: ['upstream'], upstream: options.upstream });
  const fallback = options.fallback?.upstream;
  if (fallback !== undefined) named.push({ path: ['fallback', 'upstream'], upstream: fallback });
  return named;
}

/** Options are immutable, and there are thousands while one changes. */
const matches = new WeakMap<RouteOptions, RouteMatch>();

function matchOf(options: RouteOptions): RouteMatch {
  let match = matches.get(options);
  if (match === undefined) {
    match = matchOfOptions(options.match);
    matches.set(options, match);
  }
  return match;
}

/** Whether two routes match exactly the same requests. */
export function isSameMatch(one: RouteOptions, other: RouteOptions): boolean {
  return matchOf(one).key === matchOf(other).key;
}

/** What is wrong with routes beside each other. */
export interface RouteConflicts {
  /** Pairs of routes whose matches mean exactly the same requests, so that only their names would decide: each with the first of its kind. */
  readonly overlaps: readonly (readonly [first: string, other: string])[];
  /** A route that is one too many at its host and path, where routes are tried one after the other; null if there is none. */
  readonly crowded: string | null;
}

/**
 * What is wrong with routes beside those of the same host and path. One step for each route that there is.
 * @param routes which have no other problems
 * @param changed the names of those that the others are compared with
 */
export function findConflicts(
  routes: ReadonlyMap<string, RouteOptions>,
  changed: Iterable<string>,
  routesPerPathMax: number,
): RouteConflicts {
  const places = new Map<string, Map<string, string>>();
  const counts = new Map<string, number>();
  for (const name of changed) {
    const options = routes.get(name);
    if (options !== undefined) places.set(matchOf(options).place, new Map());
  }
  const overlaps: (readonly [string, string])[] = [];
  let crowded: string | null = null;
  routes.forEach((options, name) => {
    const { place, key } = matchOf(options);
    const firsts = places.get(place);
    if (firsts === undefined) return;
    const count = (counts.get(place) ?? 0) + 1;
    counts.set(place, count);
    if (count > routesPerPathMax) crowded ??= name;
    const first = firsts.get(key);
    if (first === undefined) firsts.set(key, name);
    else overlaps.push([first, name]);
  });
  return { overlaps, crowded };
}
