import {
  completeRoute,
  findConflicts,
  findRouteProblems,
  isSameMatch,
  ROUTE_NAME_PATTERN,
  type RouteOptions,
  routeSchema,
  upstreamsOf,
} from '../gateway/options.ts';
import type { Limits } from '../kernel/index.ts';
import { refuseProblems, refuseResource } from './option-problems.ts';
import { named } from './plan.ts';
import type { ResourceKind, ResourceSpec } from './port.ts';
import { ROUTE_KIND, UPSTREAM_KIND } from './upstream-kind.ts';

/** What is wrong with one route by itself, and whether what it names is there. */
function checkRoute(name: string, options: RouteOptions, upstreams: ReadonlyMap<string, ResourceSpec>): void {
  const resource = { kind: ROUTE_KIND, name };
  refuseProblems(resource, findRouteProblems(options));
  for (const { path, upstream } of upstreamsOf(options)) {
    if (upstreams.has(upstream)) continue;
    const missing = named({ kind: UPSTREAM_KIND, name: upstream });
    refuseResource(resource, `${['spec', ...path].join('.')}: there is no ${missing}`);
  }
}

/** What is wrong with routes that match anything else than before beside the others. Costs a step for each route that there is. */
function checkAmongOthers(
  changed: readonly string[],
  routes: ReadonlyMap<string, RouteOptions>,
  { routesMax, routesPerPathMax }: Limits,
): void {
  const { overlaps, crowded } = findConflicts(routes, changed, routesPerPathMax);
  for (const [first, other] of overlaps) {
    if (!changed.includes(first) && !changed.includes(other)) continue;
    const [name, against] = changed.includes(other) ? [other, first] : [first, other];
    const route = named({ kind: ROUTE_KIND, name: against });
    refuseResource({ kind: ROUTE_KIND, name }, `it matches exactly the same requests as the ${route}`);
  }
  const [some] = changed;
  if (some !== undefined && routes.size > routesMax)
    refuseResource({ kind: ROUTE_KIND, name: some }, `there are limits.routesMax = ${routesMax} already`);
  if (crowded !== null)
    refuseResource(
      { kind: ROUTE_KIND, name: crowded },
      `limits.routesPerPathMax = ${routesPerPathMax} others have the same host and path already`,
    );
}

/** Routes of the gateway, which follows the snapshot. */
export function routeKind(limits: Limits): ResourceKind {
  return {
    kind: ROUTE_KIND,
    description: 'A route of the gateway: which requests, where they go, and what happens on the way.',
    namePattern: ROUTE_NAME_PATTERN,
    schema: routeSchema,
    complete: (_name, spec) => completeRoute(spec as RouteOptions),
    check(proposed, changed, { before, of }) {
      const routes = proposed as ReadonlyMap<string, RouteOptions>;
      if (changed.length === 0) return;
      const upstreams = of(UPSTREAM_KIND);
      for (const name of changed) checkRoute(name, routes.get(name) as RouteOptions, upstreams);
      // A route that leads elsewhere, which is what most changes are, is in nobody's way that it was not in before.
      const moved = changed.filter((name) => {
        const was = before(name) as RouteOptions | undefined;
        return was === undefined || !isSameMatch(was, routes.get(name) as RouteOptions);
      });
      if (moved.length > 0) checkAmongOthers(moved, routes, limits);
    },
  };
}
