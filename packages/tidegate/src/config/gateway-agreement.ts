import {
  findConflicts,
  findRouteProblems,
  findUpstreamProblems,
  type RouteOptions,
  upstreamsOf,
} from '../gateway/options.ts';
import type { Limits } from '../kernel/index.ts';
import { nearest } from './nearest.ts';
import { type ConfigPath, formatValue } from './problem.ts';
import type { ConfigFile } from './schema.ts';

type Complain = (path: ConfigPath, message: string, remedy: string) => void;

/** What the schema cannot say about upstreams and routes. */
export function checkGateway(
  { upstreams = {}, routes = {} }: ConfigFile,
  limits: Limits,
  complain: Complain,
): void {
  for (const [name, upstream] of Object.entries(upstreams))
    for (const { path, message, remedy } of findUpstreamProblems(upstream))
      complain(['upstreams', name, ...path], message, remedy);
  const good = new Map<string, RouteOptions>();
  for (const [name, route] of Object.entries(routes)) {
    const problems = findRouteProblems(route);
    for (const { path, message, remedy } of problems) complain(['routes', name, ...path], message, remedy);
    if (problems.length === 0) good.set(name, route);
    checkUpstreams(name, route, Object.keys(upstreams), complain);
  }
  checkTogether(good, limits, complain);
  checkCount('upstreams', Object.keys(upstreams).length, limits.upstreamsMax, complain);
  checkCount('routes', Object.keys(routes).length, limits.routesMax, complain);
}

function checkUpstreams(
  name: string,
  route: RouteOptions,
  known: readonly string[],
  complain: Complain,
): void {
  for (const { path, upstream } of upstreamsOf(route)) {
    if (known.includes(upstream)) continue;
    const meant = nearest(upstream, known);
    const declare = `Declare it: upstreams: {${upstream}: {targets: [{url: http://127.0.0.1:3000}]}}.`;
    complain(
      ['routes', name, ...path],
      `There is no upstream ${formatValue(upstream)} in the file`,
      meant === undefined ? declare : `Did you mean ${meant}? ${declare}`,
    );
  }
}

function checkTogether(
  routes: ReadonlyMap<string, RouteOptions>,
  { routesPerPathMax }: Limits,
  complain: Complain,
): void {
  const { overlaps, crowded } = findConflicts(routes, routes.keys(), routesPerPathMax);
  for (const [first, other] of overlaps)
    complain(
      ['routes', other],
      `The route ${other} matches exactly the same requests as the route ${first}`,
      'Remove one of the two, or give one a condition more.',
    );
  if (crowded !== null)
    complain(
      ['routes', crowded],
      `${routesPerPathMax} other routes have the same host and path`,
      'Tell them apart by host or path, or raise limits.routesPerPathMax.',
    );
}

function checkCount(section: 'routes' | 'upstreams', count: number, max: number, complain: Complain): void {
  if (count <= max) return;
  complain(
    [section],
    `There are ${count} ${section}`,
    `Declare at most ${max}, or raise limits.${section}Max.`,
  );
}
