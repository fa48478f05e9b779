import type { RouteOptions } from './routes/options.ts';
import type { UpstreamOptions } from './upstreams/options.ts';

/** What the resources say. Maps and options are replaced, never changed. */
export interface GatewayRules {
  readonly routes: ReadonlyMap<string, RouteOptions>;
  readonly upstreams: ReadonlyMap<string, UpstreamOptions>;
}

/** Names of what has come, gone, or become another. */
export interface ChangedRules {
  readonly routes: readonly string[];
  readonly upstreams: readonly string[];
}

/** All names of two sets of rules. */
export function allNames(before: GatewayRules, after: GatewayRules): ChangedRules {
  const names = (kind: 'routes' | 'upstreams'): readonly string[] => [
    ...new Set([...before[kind].keys(), ...after[kind].keys()]),
  ];
  return { routes: names('routes'), upstreams: names('upstreams') };
}
