import type { OriginReceiver, OriginRequest } from '../origin/exchange.ts';
import { OriginFetch } from '../origin/origin-fetch.ts';
import type { OriginSet } from '../origin/origin-set.ts';
import { RetryRun } from '../origin/retry-run.ts';
import type { RouteRun } from '../route-run.ts';
import type { RequestContext } from './routed-request.ts';

/** What one request differs in from others of its route. */
export interface RouteFetchTerms {
  readonly request: OriginRequest;
  /** By what a target is chosen, see `targetHash`. */
  readonly hash: number;
  /** How long whoever asks waits, in milliseconds; infinite if that is not known. */
  readonly timeLeftMs: number;
}

/** A request to an upstream by the rules of a route, which is to be started. */
export function routeFetch(
  run: RouteRun,
  upstream: OriginSet,
  { request, hash, timeLeftMs }: RouteFetchTerms,
  receiver: OriginReceiver,
  { deadlines, fetching, clock, random }: RequestContext,
): OriginFetch {
  const { route, retryBudget, figures } = run;
  const withinMs = Math.min(route.timeouts.totalMs ?? Number.POSITIVE_INFINITY, timeLeftMs);
  return new OriginFetch(
    {
      request,
      targets: upstream,
      hash,
      hostFrom: upstream.spec.host.kind === 'target' ? 'target' : 'request',
      timeouts: route.timeouts,
      retry:
        route.retry === null || retryBudget === null
          ? null
          : new RetryRun(route.retry, retryBudget, clock, random, () => figures.retried()),
      deadlineMs: withinMs === Number.POSITIVE_INFINITY ? withinMs : deadlines.after(withinMs),
      context: fetching,
    },
    receiver,
  );
}
