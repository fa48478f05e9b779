import type { AdminRoute } from '../listeners/index.ts';

/** The server's figures in Prometheus' text format. */
export function metricsRoute(metricsText: () => Promise<string>): AdminRoute {
  return {
    method: 'GET',
    path: '/metrics',
    async handle() {
      const headers = {
        'content-type': 'text/plain; version=0.0.4; charset=utf-8',
        'cache-control': 'no-store',
      };
      return { status: 200, headers, body: await metricsText() };
    },
  };
}
