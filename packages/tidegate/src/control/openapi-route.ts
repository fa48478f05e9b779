import { packageVersion } from '../kernel/index.ts';
import type { AdminRoute } from '../listeners/index.ts';
import { jsonResponse } from './json-response.ts';
import { openApiDocument } from './openapi.ts';
import type { ResourceKind } from './port.ts';

/** `GET /api/openapi.json`: what the server answers, for programs that write programs. */
export function openApiRoute(kinds: readonly ResourceKind[]): AdminRoute {
  return {
    method: 'GET',
    path: '/api/openapi.json',
    async handle() {
      return jsonResponse(200, openApiDocument(kinds, await packageVersion()));
    },
  };
}
