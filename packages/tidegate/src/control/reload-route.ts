import type { AdminRoute } from '../listeners/index.ts';
import type { ReloadResult } from './config-reload.ts';
import { jsonResponse } from './json-response.ts';
import type { ResourceKind } from './port.ts';
import { shownDifference } from './secret-members.ts';

/** `POST /api/reload`: has the config file read anew, and says what has changed and what needs a restart. */
export function reloadRoute(
  reload: () => Promise<ReloadResult>,
  kinds: ReadonlyMap<string, ResourceKind>,
): AdminRoute {
  return {
    method: 'POST',
    path: '/api/reload',
    async handle() {
      const { differences, hidden, restart } = await reload();
      const shown = differences.map((each) => shownDifference(kinds.get(each.kind), each));
      return jsonResponse(200, { differences: shown, hidden, restart });
    },
  };
}
