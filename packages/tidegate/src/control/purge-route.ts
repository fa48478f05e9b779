import { TidegateError } from '../kernel/index.ts';
import type { AdminRoute } from '../listeners/index.ts';
import { jsonResponse } from './json-response.ts';
import { bodyOf } from './request-json.ts';

/** What is to be taken out of the cache of the gateway: one of the three. */
export type WantedPurge =
  | { readonly url: string }
  | { readonly prefix: string }
  | { readonly surrogateKey: string };

/** Takes it out of the caches of all processes. Fails with purge_invalid, purge_rate_exceeded. */
export type Purger = (
  request: WantedPurge,
  credential: string,
) => { readonly responses: number; readonly state: 'done' | 'sweeping' };

const MEMBERS = ['url', 'prefix', 'surrogateKey'] as const;

/** `POST /api/purge` with `{"url"}`, `{"prefix"}` or `{"surrogateKey"}`: what was cached of it is not served from now on. */
export function purgeRoute(purge: Purger): AdminRoute {
  return {
    method: 'POST',
    path: '/api/purge',
    handle(request) {
      const body = bodyOf(request);
      const named = Object.keys(body);
      const member = MEMBERS.find((name) => name === named[0]);
      if (named.length !== 1 || member === undefined || typeof body[member] !== 'string')
        throw new TidegateError(
          'purge_invalid',
          'The body has one member, a text: url, prefix or surrogateKey.',
        );
      const wanted = { [member]: body[member] } as unknown as WantedPurge;
      return jsonResponse(200, purge(wanted, request.identity));
    },
  };
}
