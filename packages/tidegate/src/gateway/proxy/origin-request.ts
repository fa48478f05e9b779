import type { HttpRequest } from '../../listeners/port.ts';
import { deadlineField } from '../../policies/index.ts';
import { FieldLines } from '../../wire/http1/index.ts';
import type { ForwardChanges } from '../cache/index.ts';
import { isWebSocketHandshake } from '../handshake.ts';
import type { OriginRequest } from '../origin/exchange.ts';
import type { RouteRun } from '../route-run.ts';
import type { RouteHit } from '../routes/route-table.ts';
import { hashOfText } from '../upstreams/balancing/index.ts';
import { hashKeyOf } from '../upstreams/hash-key.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import { ForwardedRequest } from './forwarded-request.ts';
import { requestFields } from './request-fields.ts';

const NOTHING_TOLD: readonly string[] = [];

/** What decides about the request to an origin, besides the client's. */
export interface OriginRequestTerms {
  readonly hit: RouteHit;
  readonly run: RouteRun;
  readonly upstream: Upstream;
  /** What the cache wants of a request that is made on its behalf, which is always a GET; null for one of the client's own. */
  readonly changes: ForwardChanges | null;
  /** As `Clock.nowMs`; null for none. */
  readonly deadlineMs: number | null;
}

/** A client's request as it goes to the origin. */
export function originRequest(request: HttpRequest, terms: OriginRequestTerms): OriginRequest {
  const { run, upstream, changes, deadlineMs } = terms;
  const { route, requestRules } = run;
  const { host } = upstream;
  const { headers } = request;
  const fieldTerms = {
    rules: requestRules,
    hostName: host.kind === 'name' ? host.name : null,
    told:
      route.deadline === null || deadlineMs === null
        ? NOTHING_TOLD
        : [route.deadline.header, deadlineField(deadlineMs)],
    changes,
  };
  const target = targetOf(request, terms);
  // What GRIP and the cache have to do with a request, they do by its fields.
  const isOnlyPassed = changes === null && route.grip === null && !isWebSocketHandshake(request);
  if (isOnlyPassed && headers instanceof FieldLines && headers.isPlain)
    return new ForwardedRequest(request, headers, target, fieldTerms);
  return {
    method: changes === null ? request.method : 'GET',
    target,
    fields: requestFields(request, fieldTerms),
    bodyBytes: request.body.lengthBytes,
    upgrade: isWebSocketHandshake(request) ? 'websocket' : null,
    expects: headers.get('expect') === undefined ? 'nothing' : 'continue',
  };
}

/** The path as it was matched or rewritten, and the query as it came. */
function targetOf({ target, path }: HttpRequest, { hit }: OriginRequestTerms): string {
  const asked = hit.originPath;
  return asked === path ? target : asked + target.slice(path.length);
}

/** By what a balancer chooses a target for a request; 0 if it goes by something else. */
export function targetHash(request: HttpRequest, { balance, hashBy }: Upstream, path: string): number {
  if (balance !== 'hash') return 0;
  const { remoteAddress, headers } = request;
  return hashOfText(hashKeyOf(hashBy, { remoteAddress, path, header: (name) => headers.get(name) }));
}
