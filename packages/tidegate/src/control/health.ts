import type { AdminRoute } from '../listeners/index.ts';
import { jsonResponse } from './json-response.ts';

/** Whether the process lives. It answers as long as the event loop turns; what is wrong beyond that, `/readyz` tells. */
export function healthRoute(): AdminRoute {
  return { method: 'GET', path: '/healthz', open: true, handle: () => jsonResponse(200, { status: 'ok' }) };
}

/** Whether clients should be sent here: not while the server starts, and no more once it drains. */
export function readinessRoute(isReady: () => boolean): AdminRoute {
  return {
    method: 'GET',
    path: '/readyz',
    open: true,
    handle: () =>
      isReady() ? jsonResponse(200, { status: 'ready' }) : jsonResponse(503, { status: 'not ready' }),
  };
}
