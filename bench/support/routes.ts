/** Names, paths and requests of many routes that look alike. */

const DIGITS = 4;
/** So many names have the same length, which the load generator needs. */
export const ROUTES_MAX = 10 ** DIGITS;

/** A route as the admin API takes it. */
export interface RouteResource {
  readonly kind: 'route';
  readonly name: string;
  readonly spec: {
    readonly match: { readonly path: string };
    readonly upstream: string;
    readonly rewrite: { readonly stripPrefix: string };
  };
}

/** Also the first segment of the paths that it takes. */
export function routeName(index: number): string {
  return `route-${String(index).padStart(DIGITS, '0')}`;
}

export function routeResource(index: number, upstream: string): RouteResource {
  const name = routeName(index);
  return {
    kind: 'route',
    name,
    spec: { match: { path: `/${name}/*` }, upstream, rewrite: { stripPrefix: `/${name}` } },
  };
}

/**
 * `count` numbers below `routes`, each as often as the others as far as that goes, and no two neighbours after each other: what is asked for
 * next is not what was asked for last.
 */
export function spread(count: number, routes: number): readonly number[] {
  let step = Math.max(1, Math.floor(routes * 0.618));
  while (greatestCommonDivisor(step, routes) > 1) step++;
  return Array.from({ length: count }, (_, at) => (at * step) % routes);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
