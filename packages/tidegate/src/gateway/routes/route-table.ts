import { PersistentMap } from '../../kernel/index.ts';
import { hostName } from './host.ts';
import { normalPath } from './normal-path.ts';
import { type PathParameters, parametersOf } from './path-pattern.ts';
import { type PathNode, PathSearch, withoutPath, withPath } from './path-trie.ts';
import { rewritePath } from './rewrite.ts';
import type { Route } from './route.ts';
import type { HostPattern, MatchableRequest } from './route-match.ts';

/** The route of a request. */
export class RouteHit {
  readonly route: Route;
  /** The path as it was matched, which is what the origin is to be asked for unless it is rewritten. */
  readonly path: string;
  readonly #isRewritten: boolean;
  #parameters: PathParameters | null = null;

  /** @param rewriting whether the route's rules apply, or the path is the origin's already */
  constructor(route: Route, path: string, rewriting: 'by_the_route' | 'as_it_is' = 'by_the_route') {
    this.route = route;
    this.path = path;
    this.#isRewritten = route.rewrite !== null && rewriting === 'by_the_route';
  }

  /** The path that the origin is asked for. */
  get originPath(): string {
    const { rewrite, match } = this.route;
    if (!this.#isRewritten || rewrite === null) return this.path;
    return rewritePath(rewrite, match.path, this.path, this.parameters);
  }

  /** What the parameters of the route's path stand for, still percent-encoded. Found on first use, as few need them. */
  get parameters(): PathParameters {
    this.#parameters ??= parametersOf(this.route.match.path, this.path);
    return this.#parameters;
  }
}

interface Tables {
  readonly byName: PersistentMap<Route>;
  /** By host. */
  readonly exact: PersistentMap<PathNode>;
  /** By what stands after `*.`. */
  readonly below: PersistentMap<PathNode>;
  readonly any: PathNode | null;
}

const search = new PathSearch();

/**
 * All routes, immutable. A request goes to the route with
 *
 * 1. its host: the exact one before `*.` and the longest name before shorter ones, before no host at all; a host none of whose routes
 *    matches leads on to the next of these;
 * 2. its path: an exact one before one with parameters, of which the one whose first difference is literal; before the longest with a
 *    final star;
 * 3. the most specific conditions, as `compareConditions` orders them;
 * 4. the first name, by its characters.
 *
 * Looking up takes a step per label of the host and segment of the path, however many routes there are, and one per route only
 * among those of the same host and path. A table with one route changed shares all the rest with the one before.
 */
export class RouteTable {
  static readonly empty = new RouteTable({
    byName: PersistentMap.empty(),
    exact: PersistentMap.empty(),
    below: PersistentMap.empty(),
    any: null,
  });

  readonly #tables: Tables;

  private constructor(tables: Tables) {
    this.#tables = tables;
  }

  /** A table of these routes; of the same name, the last one. */
  static of(routes: Iterable<Route>): RouteTable {
    let table = RouteTable.empty;
    for (const route of routes) table = table.withRoute(route.name, route);
    return table;
  }

  get size(): number {
    return this.#tables.byName.size;
  }

  get(name: string): Route | undefined {
    return this.#tables.byName.get(name);
  }

  /** All routes, in no particular order. */
  routes(): Iterable<Route> {
    return this.#tables.byName.values();
  }

  /**
   * The table with this route in place of the one of the same name, or without it. The table itself if that changes nothing.
   * @param route null takes the route away; otherwise its name is `name`
   */
  withRoute(name: string, route: Route | null): RouteTable {
    const { byName } = this.#tables;
    const before = byName.get(name);
    if (before === (route ?? undefined)) return this;
    let tables = this.#tables;
    if (before !== undefined) tables = withoutHost(tables, before);
    if (route !== null) tables = withHost(tables, route);
    return new RouteTable({
      ...tables,
      byName: route === null ? byName.without(name) : byName.with(name, route),
    });
  }

  /**
   * The route of a request; null if there is none.
   * @throws TidegateError http_malformed, as `normalPath`
   */
  match(request: MatchableRequest): RouteHit | null {
    const path = normalPath(request.path);
    const route = this.#find(hostName(request.host), path, request);
    return route === null ? null : new RouteHit(route, path);
  }

  #find(host: string, path: string, request: MatchableRequest): Route | null {
    const { exact, below, any } = this.#tables;
    const own = exact.get(host);
    let found = own === undefined ? null : search.find(own, path, request);
    if (below.size > 0) {
      for (let dot = host.indexOf('.'); found === null && dot !== -1; dot = host.indexOf('.', dot + 1)) {
        const node = below.getPart(host, dot + 1, host.length);
        if (node !== undefined) found = search.find(node, path, request);
      }
    }
    return found === null && any !== null ? search.find(any, path, request) : found;
  }
}

/** The tables with what `change` makes of the paths of a host. */
function withPaths(
  tables: Tables,
  host: HostPattern,
  change: (node: PathNode | null) => PathNode | null,
): Tables {
  if (host.kind === 'any') return { ...tables, any: change(tables.any) };
  const { kind, name } = host;
  const node = change(tables[kind].get(name) ?? null);
  return { ...tables, [kind]: node === null ? tables[kind].without(name) : tables[kind].with(name, node) };
}

const withHost = (tables: Tables, route: Route): Tables =>
  withPaths(tables, route.match.host, (node) => withPath(node, route));

const withoutHost = (tables: Tables, route: Route): Tables =>
  withPaths(tables, route.match.host, (node) => (node === null ? null : withoutPath(node, route)));
