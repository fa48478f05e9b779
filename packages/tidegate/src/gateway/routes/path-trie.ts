import { PersistentMap } from '../../kernel/index.ts';
import type { Route } from './route.ts';
import { compareConditions, type MatchableRequest, meetsConditions } from './route-match.ts';

/** Routes that differ in their conditions only, the most specific first. */
type Candidates = readonly Route[];

/** A segment of paths and what follows it; immutable. */
export interface PathNode {
  readonly literals: PersistentMap<PathNode>;
  /** Where a parameter leads. */
  readonly parameter: PathNode | null;
  /** Routes whose path ends here. */
  readonly here: Candidates;
  /** Routes that go on with a final star. */
  readonly below: Candidates;
}

const NO_CANDIDATES: Candidates = Object.freeze([]);

const EMPTY_NODE: PathNode = {
  literals: PersistentMap.empty(),
  parameter: null,
  here: NO_CANDIDATES,
  below: NO_CANDIDATES,
};

/** The order in which routes of the same host and path are tried. Total: names are unique. */
function compareCandidates(a: Route, b: Route): number {
  return compareConditions(a.match, b.match) || (a.name < b.name ? -1 : 1);
}

const added = (candidates: Candidates, route: Route): Candidates =>
  [...candidates, route].sort(compareCandidates);

const removed = (candidates: Candidates, route: Route): Candidates =>
  candidates.filter((other) => other !== route);

/** The node with one route more, which shares all that is not on the route's way. */
export function withPath(node: PathNode | null, route: Route, depth = 0): PathNode {
  const at = node ?? EMPTY_NODE;
  const { segments, reach } = route.match.path;
  if (depth === segments.length) {
    return reach === 'below'
      ? { ...at, below: added(at.below, route) }
      : { ...at, here: added(at.here, route) };
  }
  const segment = segments[depth];
  if (segment === null) return { ...at, parameter: withPath(at.parameter, route, depth + 1) };
  const child = withPath(at.literals.get(segment) ?? null, route, depth + 1);
  return { ...at, literals: at.literals.with(segment, child) };
}

/** The node without a route that is in it; null if there is nothing left. */
export function withoutPath(node: PathNode, route: Route, depth = 0): PathNode | null {
  const rest = withoutRoute(node, route, depth);
  const isEmpty =
    rest.literals.size === 0 && rest.parameter === null && rest.here.length === 0 && rest.below.length === 0;
  return isEmpty ? null : rest;
}

function withoutRoute(node: PathNode, route: Route, depth: number): PathNode {
  const { segments, reach } = route.match.path;
  if (depth === segments.length) {
    return reach === 'below'
      ? { ...node, below: removed(node.below, route) }
      : { ...node, here: removed(node.here, route) };
  }
  const segment = segments[depth];
  const child = segment === null ? node.parameter : node.literals.get(segment);
  if (child === null || child === undefined) return node;
  const rest = withoutPath(child, route, depth + 1);
  if (segment === null) return { ...node, parameter: rest };
  const { literals } = node;
  return { ...node, literals: rest === null ? literals.without(segment) : literals.with(segment, rest) };
}

/**
 * Finds the route of a path: literal segments before parameters, from the left; what the path ends at before what it lies below, and
 * of the latter the longest. Kept for all searches, one at a time, since a search is over when it returns.
 */
export class PathSearch {
  #path = '';
  #request: MatchableRequest | null = null;
  /** The longest of the routes with a star that were met, and how many segments it has. */
  #longest: Route | null = null;
  #longestDepth = -1;

  /** @param path as `normalPath` gives it */
  find(root: PathNode, path: string, request: MatchableRequest): Route | null {
    // A target that is no path, such as the `*` of OPTIONS, is nobody's.
    if (!path.startsWith('/')) return null;
    this.#path = path;
    this.#request = request;
    this.#longest = null;
    this.#longestDepth = -1;
    const found = this.#descend(root, 1, 0) ?? this.#longest;
    this.#request = null;
    this.#longest = null;
    return found;
  }

  /** @param at where the next segment begins; past the end of the path if there is none */
  #descend(node: PathNode, at: number, depth: number): Route | null {
    const path = this.#path;
    if (at > path.length) {
      const found = this.#firstOf(node.here);
      if (found !== null) return found;
    } else {
      const slash = path.indexOf('/', at);
      const end = slash === -1 ? path.length : slash;
      const child = node.literals.getPart(path, at, end);
      let found = child === undefined ? null : this.#descend(child, end + 1, depth + 1);
      if (found === null && node.parameter !== null && end > at)
        found = this.#descend(node.parameter, end + 1, depth + 1);
      if (found !== null) return found;
    }
    if (depth > this.#longestDepth && node.below.length > 0) {
      const found = this.#firstOf(node.below);
      if (found !== null) {
        this.#longest = found;
        this.#longestDepth = depth;
      }
    }
    return null;
  }

  #firstOf(candidates: Candidates): Route | null {
    for (const route of candidates)
      if (meetsConditions(route.match, this.#request as MatchableRequest)) return route;
    return null;
  }
}
