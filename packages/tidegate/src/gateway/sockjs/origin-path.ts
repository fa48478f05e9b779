import type { Route, SockJsRule } from '../routes/route.ts';
import { RouteHit } from '../routes/route-table.ts';

/** Where the WebSockets of a route with SockJS go: where it says, or to the path that raw WebSockets have, by the route's own rules. */
export function originHit(route: Route, { path, originPath }: SockJsRule): RouteHit {
  return originPath === null
    ? new RouteHit(route, `${path}/websocket`)
    : new RouteHit(route, originPath, 'as_it_is');
}

const CALLBACK_PARAMETER = /^(?:c|callback)=/;

/** The query as the origin gets it: without the name that is only for the answer. */
export function originQuery(query: string): string {
  const kept = query
    .slice(1)
    .split('&')
    .filter((parameter) => !CALLBACK_PARAMETER.test(parameter));
  return kept.length === 0 ? '' : `?${kept.join('&')}`;
}
