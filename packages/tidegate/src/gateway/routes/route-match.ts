import { withDefaults } from '../schema-defaults.ts';
import { matchSchema } from './match-options.ts';
import type { CompleteRouteOptions, RouteOptions } from './options.ts';
import { type PathPattern, parsePathPattern } from './path-pattern.ts';

/** A header field or query parameter that has to be there. */
export interface FieldCondition {
  readonly name: string;
  /** Null for any value. */
  readonly value: string | null;
}

/** Which hosts: one, all below a name, or any. */
export type HostPattern =
  | { readonly kind: 'any' }
  | { readonly kind: 'exact' | 'below'; readonly name: string };

/** Which requests a route is for; immutable. What is null is not asked about. */
export interface RouteMatch {
  readonly host: HostPattern;
  readonly path: PathPattern;
  readonly methods: ReadonlySet<string> | null;
  /** Names are in lower case. */
  readonly headers: readonly FieldCondition[];
  readonly query: readonly FieldCondition[];
  readonly scheme: 'http' | 'https' | null;
  readonly upgrade: 'websocket' | 'none' | null;
  /** The same for matches of the same hosts and paths. */
  readonly place: string;
  /** The same for matches that mean the same requests. */
  readonly key: string;
}

/** What a request is matched by. */
export interface MatchableRequest {
  readonly method: string;
  /** As in the Host field, with or without a port. */
  readonly host: string;
  /** The path of the target, without the query, as it was sent. */
  readonly path: string;
  readonly scheme: 'http' | 'https';
  /** Whether it is a WebSocket handshake. */
  readonly upgrade: 'websocket' | 'none';
  /** The first field of this name (lower case); undefined if there is none. */
  header(name: string): string | undefined;
  /** The first query parameter of this name, decoded; undefined or null if there is none. */
  query(name: string): string | null | undefined;
}

const ANY_HOST: HostPattern = Object.freeze({ kind: 'any' });

function hostPatternOf(host: string | undefined): HostPattern {
  if (host === undefined) return ANY_HOST;
  const name = host.toLowerCase();
  return Object.freeze(
    name.startsWith('*.') ? { kind: 'below', name: name.slice(2) } : { kind: 'exact', name },
  );
}

function conditionsOf(
  fields: { readonly [name: string]: unknown } | undefined,
  nameOf: (name: string) => string,
): readonly FieldCondition[] {
  const conditions = Object.entries(fields ?? {}).map(([name, value]) =>
    Object.freeze({ name: nameOf(name), value: value === '*' ? null : String(value) }),
  );
  return Object.freeze(conditions.sort((a, b) => (a.name < b.name ? -1 : 1)));
}

/** What a request has to be, from options that have been checked. */
export function routeMatchOf(options: CompleteRouteOptions['match']): RouteMatch {
  const host = hostPatternOf(options.host);
  const path = parsePathPattern(options.path);
  const methods = options.methods === undefined ? null : new Set([...options.methods].sort());
  const headers = conditionsOf(options.headers, (name) => name.toLowerCase());
  const query = conditionsOf(options.query, (name) => name);
  const { scheme = null, upgrade = null } = options;
  const place = host.kind === 'any' ? path.shape : `${host.kind} ${host.name} ${path.shape}`;
  const fields = headers.length + query.length === 0 ? '' : JSON.stringify([headers, query]);
  const key = `${place} ${methods === null ? '' : [...methods].join()} ${scheme} ${upgrade} ${fields}`;
  return Object.freeze({ host, path, methods, headers, query, scheme, upgrade, place, key });
}

/** The same from options that may lack their defaults. */
export function matchOfOptions(options: RouteOptions['match']): RouteMatch {
  return routeMatchOf(withDefaults(matchSchema, options ?? {}) as CompleteRouteOptions['match']);
}

const hasValue = ({ value }: FieldCondition, found: string | null | undefined): boolean =>
  found !== undefined && found !== null && (value === null || value === found);

/** Whether a request whose host and path match has all else that is asked for. */
export function meetsConditions(match: RouteMatch, request: MatchableRequest): boolean {
  const { methods, headers, query, scheme, upgrade } = match;
  if (methods !== null && !methods.has(request.method)) return false;
  if (upgrade !== null && upgrade !== request.upgrade) return false;
  if (scheme !== null && scheme !== request.scheme) return false;
  // Most routes ask for neither, and even an iterator over nothing is made.
  if (headers.length > 0)
    for (const condition of headers) if (!hasValue(condition, request.header(condition.name))) return false;
  if (query.length > 0)
    for (const condition of query) if (!hasValue(condition, request.query(condition.name))) return false;
  return true;
}

/** How many of the conditions on fields want one value, not any. */
const valuesOf = (conditions: readonly FieldCondition[]): number =>
  conditions.filter(({ value }) => value !== null).length;

/**
 * The order in which routes of the same host and path are tried, the more specific first: an upgrade that is asked about; methods, the
 * fewer the sooner; more header fields; more query parameters; fewer that take any value; a scheme.
 * @returns negative if `a` comes first, 0 if neither is more specific
 */
export function compareConditions(a: RouteMatch, b: RouteMatch): number {
  const asked = (value: unknown): number => (value === null ? 1 : 0);
  return (
    asked(a.upgrade) - asked(b.upgrade) ||
    (a.methods?.size ?? Number.MAX_SAFE_INTEGER) - (b.methods?.size ?? Number.MAX_SAFE_INTEGER) ||
    b.headers.length - a.headers.length ||
    b.query.length - a.query.length ||
    valuesOf(b.headers) - valuesOf(a.headers) ||
    valuesOf(b.query) - valuesOf(a.query) ||
    asked(a.scheme) - asked(b.scheme)
  );
}
