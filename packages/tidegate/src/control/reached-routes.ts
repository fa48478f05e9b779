import type { AdminRoute } from '../listeners/index.ts';

/**
 * What changes something is answered when the workers go by it, too: a key that was made is good everywhere, and one that was revoked nowhere.
 * @param reached waits for the workers; null if there are none
 */
export function answeredWhenReached(
  reached: (() => Promise<unknown>) | null,
  routes: readonly AdminRoute[],
): readonly AdminRoute[] {
  if (reached === null) return routes;
  return routes.map((route) =>
    route.method === 'GET'
      ? route
      : {
          ...route,
          async handle(request) {
            const response = await route.handle(request);
            await reached();
            return response;
          },
        },
  );
}
