/** The door for those who read settings and resources: the schemas of routes and upstreams, their types, and their checks. */
export { durationSchema } from './duration.ts';
export type { OptionProblem } from './option-problem.ts';
export { type ImportedRoute, type ImportedRoutes, importPushpinRoutes } from './pushpin-routes.ts';
export {
  type CompleteRouteOptions,
  ROUTE_NAME_PATTERN,
  type RouteOptions,
  routeSchema,
} from './routes/options.ts';
export {
  findConflicts,
  findRouteProblems,
  isSameMatch,
  type RouteConflicts,
  upstreamsOf,
} from './routes/problems.ts';
export { completeRoute } from './routes/route.ts';
export { statusSchema } from './statuses.ts';
export {
  type CompleteUpstreamOptions,
  UPSTREAM_NAME_PATTERN,
  type UpstreamOptions,
  upstreamSchema,
} from './upstreams/options.ts';
export { findUpstreamProblems } from './upstreams/problems.ts';
export { completeUpstream } from './upstreams/upstream.ts';
