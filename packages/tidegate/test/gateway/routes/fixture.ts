import type { RouteOptions } from '../../../src/gateway/routes/options.ts';
import { type Route, routeOf } from '../../../src/gateway/routes/route.ts';
import type { MatchableRequest } from '../../../src/gateway/routes/route-match.ts';

/** A route to the upstream `origin` for what matches. */
export const routeFor = (name: string, match: RouteOptions['match']): Route =>
  routeOf(name, { match, upstream: 'origin' });

/** What a test says of a request; the rest is a plain GET. */
export interface RequestOptions {
  readonly method?: string;
  readonly scheme?: 'http' | 'https';
  readonly upgrade?: 'websocket' | 'none';
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request for a target at a host. */
export function requestFor(host: string, target: string, options: RequestOptions = {}): MatchableRequest {
  const [path, search = ''] = target.split('?');
  const query = new URLSearchParams(search);
  return {
    method: options.method ?? 'GET',
    host,
    path,
    scheme: options.scheme ?? 'http',
    upgrade: options.upgrade ?? 'none',
    header: (name) => options.headers?.[name],
    query: (name) => query.get(name),
  };
}
