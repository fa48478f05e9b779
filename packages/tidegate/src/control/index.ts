import type { AdminRoute } from '../listeners/index.ts';
import type { Log } from '../log/index.ts';
import { healthRoute, readinessRoute } from './health.ts';
import { metricsRoute } from './metrics-route.ts';
import { topicRoutes } from './topic-routes.ts';

export interface ControlOptions {
  readonly log: Log;
  /** The metrics in Prometheus' text format. */
  readonly metricsText: () => Promise<string>;
  /** False while the server starts and once it drains. */
  readonly isReady: () => boolean;
}

/** What the admin port answers. */
export function controlRoutes({ log, metricsText, isReady }: ControlOptions): readonly AdminRoute[] {
  return [healthRoute(), readinessRoute(isReady), metricsRoute(metricsText), ...topicRoutes(log)];
}

export { adminAuthorization } from './authorization.ts';
