import type { Clock, Limits } from '../kernel/index.ts';
import type { AdminRoute } from '../listeners/index.ts';
import type { ReloadResult } from './config-reload.ts';
import { healthRoute, readinessRoute } from './health.ts';
import { metricsRoute } from './metrics-route.ts';
import { openApiRoute } from './openapi-route.ts';
import { type Purger, purgeRoute } from './purge-route.ts';
import { reloadRoute } from './reload-route.ts';
import { resourceRoutes } from './resource-routes.ts';
import type { ResourceStore } from './resource-store.ts';
import { watchRoute } from './watch-route.ts';

export {
  type ConfigReading,
  ConfigReload,
  type ConfigReloadOptions,
  type ReloadResult,
} from './config-reload.ts';
export { KEY_KIND, keyKind } from './key-kind.ts';
export type {
  AppliedChangeSet,
  DeclaredResource,
  ProposedChanges,
  Resource,
  ResourceChange,
  ResourceKind,
  ResourceListener,
  ResourceSnapshot,
  ResourceSpec,
  Resources,
} from './port.ts';
export type { Purger } from './purge-route.ts';
export { answeredWhenReached } from './reached-routes.ts';
export { ResourceStore, type ResourceStoreOptions } from './resource-store.ts';
export { REVOCATION_KIND, revocationKind } from './revocation-kind.ts';
export { routeKind } from './route-kind.ts';
export { FollowedSnapshot, type ResourceSpecs, serveSnapshot } from './snapshot-feed.ts';
export { prefixesOf, TOPIC_KIND, topicKind } from './topic-kind.ts';
export { ROUTE_KIND, UPSTREAM_KIND, upstreamKind } from './upstream-kind.ts';

export interface ControlOptions {
  readonly resources: ResourceStore;
  /** The metrics in Prometheus' text format. */
  readonly metricsText: () => Promise<string>;
  /** False while the server starts and once it drains. */
  readonly isReady: () => boolean;
  /** Takes responses out of the caches of the gateway. */
  readonly purge: Purger;
  /** Reads the config file and the certificates anew. @throws TidegateError as `ConfigReload.reload` */
  readonly reload: () => Promise<ReloadResult>;
  readonly clock: Clock;
  readonly limits: Limits;
}

/** What the admin port answers. */
export function controlRoutes(options: ControlOptions): readonly AdminRoute[] {
  const { resources, metricsText, isReady, purge, reload, clock, limits } = options;
  return [
    healthRoute(),
    readinessRoute(isReady),
    metricsRoute(metricsText),
    watchRoute({ store: resources, clock, keepAliveIntervalMs: limits.keepAliveIntervalMs }),
    openApiRoute([...resources.kinds.values()]),
    purgeRoute(purge),
    reloadRoute(reload, resources.kinds),
    ...resourceRoutes(resources),
  ];
}

export { adminAuthorization } from './authorization.ts';
