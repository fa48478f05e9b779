import { TidegateError } from '../../kernel/index.ts';
import type { FetchOrigin, OriginFields } from '../live/index.ts';
import { CollectedAnswer } from '../origin/collected-answer.ts';
import type { OriginRequest } from '../origin/exchange.ts';
import type { RouteRun } from '../route-run.ts';
import type { RouteHit } from '../routes/route-table.ts';
import { routeFetch } from './route-fetch.ts';
import type { RequestContext } from './routed-request.ts';

/** How live values ask the origin of a route, by its upstream and rules. Holds on to nothing of the request that it came with but its path. */
export function liveOrigin(
  { originPath: asked }: RouteHit,
  run: RouteRun,
  context: RequestContext,
): FetchOrigin {
  const { route } = run;
  return ({ target, headers }, done) => {
    const upstream = route.upstream === null ? undefined : context.upstream(route.upstream);
    if (upstream === undefined) {
      done(new TidegateError('upstream_unavailable', `The route ${route.name} has no upstream.`), null);
      return { abort() {} };
    }
    const { limits } = context;
    const { host } = upstream.spec;
    const query = target.indexOf('?');
    const answer = new CollectedAnswer(limits.liveValueBytesMax, (error, whole) => {
      if (whole === null) done(error, null);
      else done(null, { status: whole.status, headers: pairsOf(whole.fields), body: whole.body });
    });
    const request: OriginRequest = {
      method: 'GET',
      target: query === -1 ? asked : asked + target.slice(query),
      fields: requestFields(headers, host.kind === 'name' ? host.name : null, run),
      bodyBytes: 0,
      upgrade: null,
      expects: 'nothing',
    };
    const terms = { request, hash: 0, timeLeftMs: Number.POSITIVE_INFINITY };
    const fetch = routeFetch(run, upstream, terms, answer, context);
    answer.attach(fetch);
    fetch.start();
    return answer;
  };
}

/** Host comes first, as whoever sends the request expects it. */
function requestFields(
  headers: OriginFields,
  host: string | null,
  { requestRules: { add, remove, viaName } }: RouteRun,
): readonly string[] {
  const named = headers.find(([name]) => name === 'host')?.[1] ?? '';
  const others = headers.filter(([name]) => name !== 'host' && !remove.has(name));
  return ['Host', host ?? named, ...others.flat(), 'Via', `1.1 ${viaName}`, ...add];
}

function pairsOf(fields: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let at = 0; at < fields.length; at += 2) pairs.push([fields[at].toLowerCase(), fields[at + 1]]);
  return pairs;
}
