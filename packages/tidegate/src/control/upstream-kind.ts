import { isAbsolute } from 'node:path';
import {
  completeUpstream,
  findUpstreamProblems,
  type OptionProblem,
  type RouteOptions,
  UPSTREAM_NAME_PATTERN,
  type UpstreamOptions,
  upstreamSchema,
  upstreamsOf,
} from '../gateway/options.ts';
import type { Limits } from '../kernel/index.ts';
import { refuseProblems, refuseResource } from './option-problems.ts';
import { named } from './plan.ts';
import type { ResourceKind, ResourceSpec } from './port.ts';

/** The names of the kinds of the gateway. */
export const UPSTREAM_KIND = 'upstream';
export const ROUTE_KIND = 'route';

const TLS_FILES = ['ca', 'certificate', 'key'] as const;

/** A path that is not absolute would start at the folder of the config file, which what is stored knows nothing of. */
function relativeFiles({ tls = {} }: UpstreamOptions): readonly OptionProblem[] {
  return TLS_FILES.filter((file) => tls[file] !== undefined && !isAbsolute(tls[file])).map((file) => ({
    path: ['tls', file],
    message: `${JSON.stringify(tls[file])} is not absolute`,
    remedy: 'Write the whole path.',
  }));
}

/** No route loses what it names. */
function checkUses(removed: readonly string[], routes: ReadonlyMap<string, ResourceSpec>): void {
  if (removed.length === 0) return;
  for (const [name, spec] of routes) {
    for (const { upstream } of upstreamsOf(spec as RouteOptions)) {
      if (!removed.includes(upstream)) continue;
      const route = named({ kind: ROUTE_KIND, name });
      refuseResource({ kind: UPSTREAM_KIND, name: upstream }, `the ${route} needs it`);
    }
  }
}

/** Upstreams of the gateway, which follows the snapshot. */
export function upstreamKind(limits: Limits): ResourceKind {
  return {
    kind: UPSTREAM_KIND,
    description:
      'An origin that the gateway leads requests to: its targets, how one is chosen, and when it is well.',
    namePattern: UPSTREAM_NAME_PATTERN,
    schema: upstreamSchema,
    complete: (_name, spec) => completeUpstream(spec as UpstreamOptions),
    check(proposed, changed, { removed, of }) {
      for (const name of changed) {
        const resource = { kind: UPSTREAM_KIND, name };
        const options = proposed.get(name) as UpstreamOptions;
        refuseProblems(resource, [...findUpstreamProblems(options), ...relativeFiles(options)]);
        if (proposed.size > limits.upstreamsMax)
          refuseResource(resource, `there are limits.upstreamsMax = ${limits.upstreamsMax} already`);
      }
      checkUses(removed, of(ROUTE_KIND));
    },
  };
}
