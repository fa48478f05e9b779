import { TidegateError } from '../kernel/index.ts';
import type { LimitHits } from './limit-hits.ts';
import type { LimitOptions } from './options.ts';
import type { Share } from './port.ts';

/** The limits of what is held for as long as it goes on. */
export type ShareLimit = 'connections' | 'subscriptions';

export function isNothing({ connections, subscriptions }: Share): boolean {
  return connections === 0 && subscriptions === 0;
}

/** The refusal of somebody who holds as much as a limit allows. It is counted. */
export function shareRefusal(limit: ShareLimit, limits: LimitOptions, hits: LimitHits): TidegateError {
  hits[limit].add(1);
  const detail =
    limit === 'connections'
      ? `${limits.connectionsMax} connections are held already`
      : `There may be ${limits.subscriptionsMax} subscriptions at once`;
  return new TidegateError('quota_exceeded', detail);
}
