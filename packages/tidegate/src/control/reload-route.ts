import type { AdminRoute } from '../listeners/index.ts';
import type { ReloadResult } from './config-reload.ts';
import { jsonResponse } from './json-response.ts';

/** `POST /api/reload`: has the config file read anew, and says what has changed and what needs a restart. */
export function reloadRoute(reload: () => Promise<ReloadResult>): AdminRoute {
  return {
    method: 'POST',
    path: '/api/reload',
    async handle() {
      const { differences, hidden, restart } = await reload();
      return jsonResponse(200, { differences, hidden, restart });
    },
  };
}
