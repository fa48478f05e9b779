import { type PurgeRequest, type PurgeResult, purgeRequestOf } from '../gateway/index.ts';
import type { AdminRoute } from '../listeners/index.ts';
import { jsonResponse } from './json-response.ts';
import { bodyOf } from './request-json.ts';

/** Takes responses out of the caches of all processes. Fails with purge_invalid, purge_rate_exceeded, worker_unavailable. */
export type Purger = (request: PurgeRequest, credential: string) => Promise<PurgeResult>;

/** `POST /api/purge` with `{"url"}`, `{"prefix"}` or `{"surrogateKey"}`: what was cached of it is not served from now on. */
export function purgeRoute(purge: Purger): AdminRoute {
  return {
    method: 'POST',
    path: '/api/purge',
    async handle(request) {
      return jsonResponse(200, await purge(purgeRequestOf(bodyOf(request)), request.identity));
    },
  };
}
