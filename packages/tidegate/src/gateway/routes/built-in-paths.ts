import type { RouteMatch } from './route-match.ts';

/**
 * How many characters of a path belong to a path of the server itself; 0 if it is none of its own.
 * @param builtIn such as `/v1/`, which stands for all below, and `/api`, which stands for itself and all below
 */
export function builtInLength(path: string, builtIn: readonly string[]): number {
  let longest = 0;
  for (const own of builtIn) {
    if (own.length <= longest || !path.startsWith(own)) continue;
    if (own.endsWith('/') || path.length === own.length || path[own.length] === '/') longest = own.length;
  }
  return longest;
}

/**
 * Whether a route gets a request that a path of the server would get otherwise. One with a host does: the host is its own. One without only
 * if it says at least as many characters of the path, before its first parameter or star, as the server does.
 */
export function precedesBuiltIn({ host, path }: RouteMatch, length: number): boolean {
  return host.kind !== 'any' || path.literalLength >= length;
}
