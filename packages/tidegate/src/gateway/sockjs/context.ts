import type { Clock, Deadlines, Limits, Logger, Random } from '../../kernel/index.ts';
import type { HttpExchange } from '../../listeners/port.ts';
import type { Route } from '../routes/route.ts';
import type { RouteHit } from '../routes/route-table.ts';
import type { SockJsMetrics } from './sockjs-metrics.ts';

/** What SockJS needs of the gateway. */
export interface SockJsContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: Limits;
  readonly logger: Logger;
  /** The times of sessions, which are counted in seconds. */
  readonly deadlines: Deadlines;
  readonly metrics: SockJsMetrics;
  /** The route of this name as it is now; undefined if there is none. */
  route(name: string): Route | undefined;
  /** Leads an exchange the way of its route. */
  dispatch(exchange: HttpExchange, hit: RouteHit): void;
}
