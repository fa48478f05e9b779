import { channelsOf, crossOriginOf, sockJsOf } from './pushpin-browsers.ts';
import { parsePushpinLine } from './pushpin-line.ts';
import { has, RouteLine, textOf } from './pushpin-route-line.ts';
import { ROUTE_NAME_PATTERN, type RouteOptions } from './routes/options.ts';
import { findConflicts, findRouteProblems } from './routes/problems.ts';
import type { UpstreamOptions } from './upstreams/options.ts';
import { findUpstreamProblems } from './upstreams/problems.ts';

/** What a line of a routes file comes to. */
export interface ImportedRoute {
  readonly line: number;
  /** The name of the route and of its upstream. */
  readonly name: string;
  readonly upstream: UpstreamOptions;
  readonly route: RouteOptions;
  /** What could not be taken over as it was, in sentences. */
  readonly notes: readonly string[];
}

/** What a routes file comes to. */
export interface ImportedRoutes {
  readonly routes: readonly ImportedRoute[];
  /** Lines that were left out, each with the reason. */
  readonly leftOut: readonly { readonly line: number; readonly reason: string }[];
}

/** Properties without a counterpart, which are named in a note. */
const CONDITION_NOTES: ReadonlySet<string> = new Set(['debug', 'log_level', 'orig_headers']);
const TARGET_NOTES: ReadonlySet<string> = new Set([
  'client_cert',
  'client_key',
  'ipc_file_mode',
  'one_event',
]);
const CONDITION_READ: ReadonlySet<string> = new Set([
  'aco',
  'as_host',
  'header',
  'id',
  'jsonp_body',
  'jsonp_cb',
  'jsonp_defcb',
  'jsonp_defmethod',
  'jsonp_mode',
  'no_grip',
  'path_beg',
  'path_rem',
  'prefix',
  'proto',
  'replace_beg',
  'session',
  'sig_iss',
  'sig_key',
  'sockjs',
  'sockjs_as_path',
  'ssl',
]);
const TARGET_READ: ReadonlySet<string> = new Set([
  'host',
  'insecure',
  'over_http',
  'ssl',
  'sub',
  'trust_connect_host',
  'untrusted',
]);

/** Attempts of a route, at most: the schema's bound. */
const ATTEMPTS_MAX = 10;

/**
 * Reads a routes file of Pushpin. Each line becomes a route and an upstream with all of its targets. What means something else here is told:
 * a host without a matching route leads on to `*` here, and several targets take turns.
 * @throws TidegateError routes_file_invalid with the line
 */
export function importPushpinRoutes(text: string): ImportedRoutes {
  const routes: ImportedRoute[] = [];
  const leftOut: { line: number; reason: string }[] = [];
  const known = new Map<string, RouteOptions>();
  for (const [index, content] of text.split(/\r?\n/).entries()) {
    const number = index + 1;
    const sections = parsePushpinLine(content, number);
    if (sections.length === 0) continue;
    const line = new RouteLine(number, sections);
    if (line.condition.value === '') {
      leftOut.push({ line: number, reason: 'A route without a host can be reached by its id only.' });
      continue;
    }
    const special = line.targets.find(({ value }) => value === 'test' || /^zhttp(?:req)?\//.test(value));
    if (special !== undefined) {
      leftOut.push({ line: number, reason: `The target ${special.value} is Pushpin's own.` });
      continue;
    }
    const route = routeOfLine(line);
    if (known.has(route.name)) line.refuse(`the id ${JSON.stringify(route.name)} is there twice`);
    known.set(route.name, route.route);
    routes.push(route);
  }
  const conflicts = findConflicts(known, known.keys(), Number.POSITIVE_INFINITY);
  const overlaps = new Map(conflicts.overlaps.map(([first, other]) => [other, first]));
  for (const { name, line } of routes) {
    const first = overlaps.get(name);
    if (first !== undefined) leftOut.push({ line, reason: `It matches the same requests as ${first}.` });
  }
  return {
    routes: routes.filter(({ name }) => !overlaps.has(name)),
    leftOut: leftOut.sort((a, b) => a.line - b.line),
  };
}

function routeOfLine(line: RouteLine): ImportedRoute {
  if (line.targets.length === 0) line.refuse('there is no target');
  line.noteUnread(line.condition, CONDITION_READ, CONDITION_NOTES);
  for (const target of line.targets) line.noteUnread(target, TARGET_READ, TARGET_NOTES);
  for (const name of ['over_http', 'sub']) {
    if (has(line.condition, 'no_grip') && agreed(line, name) !== 'none')
      line.notes.push(`${name} is a part of GRIP here, which no_grip turns off, and is left out.`);
  }
  const name = nameOf(line);
  const upstream = upstreamOfLine(line);
  const match = matchOf(line);
  const rewrite = rewriteOf(line);
  const headers = headersOf(line);
  const crossOrigin = crossOriginOf(line);
  const sockjs = sockJsOf(line, match.path ?? '/*');
  const route: RouteOptions = {
    match,
    upstream: name,
    ...(rewrite === null ? {} : { rewrite }),
    ...(headers === null ? {} : { headers }),
    ...(line.targets.length === 1
      ? {}
      : { retry: { attempts: Math.min(ATTEMPTS_MAX, line.targets.length), on: ['connect'] } }),
    ...(has(line.condition, 'no_grip') ? {} : { grip: gripOf(line) }),
    ...(sockjs === null ? {} : { sockjs }),
    ...(crossOrigin === null ? {} : { crossOrigin }),
  };
  for (const { path, message } of [...findRouteProblems(route), ...findUpstreamProblems(upstream)])
    line.refuse(`${message} (${path.join('.')})`);
  return { line: line.number, name, upstream, route, notes: line.notes };
}

function nameOf(line: RouteLine): string {
  const id = line.get('id');
  if (id === undefined || id === '') return `line-${line.number}`;
  if (new RegExp(ROUTE_NAME_PATTERN).test(id)) return id;
  const name = `line-${line.number}`;
  line.notes.push(`The id ${JSON.stringify(id)} cannot be a name, and has become ${name}.`);
  return name;
}

const HOST = /^(?:[A-Za-z0-9_-]+\.)*[A-Za-z0-9_-]+$/;

function matchOf(line: RouteLine): NonNullable<RouteOptions['match']> {
  const { value: host } = line.condition;
  if (host !== '*' && !HOST.test(host)) line.refuse(`${JSON.stringify(host)} is neither a host nor *`);
  const proto = line.get('proto');
  if (proto !== undefined && proto !== 'http' && proto !== 'ws') line.refuse('proto is http or ws');
  const ssl = line.get('ssl');
  if (ssl !== undefined && ssl !== 'yes' && ssl !== 'no') line.refuse('ssl is yes or no');
  const begin = line.get('path_beg') ?? '/';
  if (!begin.startsWith('/') || /[{}*?#\s]/.test(begin))
    line.refuse('path_beg is not the beginning of a path');
  if (!begin.endsWith('/'))
    line.notes.push(`path_beg=${begin} has become ${begin}/*, which does not match ${begin}x.`);
  return {
    ...(host === '*' ? {} : { host }),
    path: `${begin.replace(/\/$/, '')}/*`,
    ...(ssl === undefined ? {} : { scheme: ssl === 'yes' ? 'https' : 'http' }),
    ...(proto === undefined ? {} : { upgrade: proto === 'ws' ? 'websocket' : 'none' }),
  };
}

/** Pushpin counts characters and lets them be anything; here whole segments go and come. */
function rewriteOf(line: RouteLine): RouteOptions['rewrite'] | null {
  const begin = line.get('path_beg') ?? '/';
  const replacement = line.get('replace_beg');
  const removed = line.get('path_rem');
  if (replacement === undefined && removed === undefined) return null;
  const length = replacement === undefined ? Number(removed) : begin.length;
  if (!Number.isSafeInteger(length) || length < 0) line.refuse('path_rem is a number of characters');
  const strip = begin.slice(0, length).replace(/\/$/, '');
  const isWhole = length <= begin.length && (begin[strip.length] ?? '/') === '/';
  const add = (replacement ?? '').replace(/\/$/, '');
  const isPath = add === '' || (add.startsWith('/') && !/[{}*?#\s]|\/\//.test(add));
  if (!isWhole || !isPath) {
    const what = replacement === undefined ? `path_rem=${removed}` : `replace_beg=${replacement}`;
    line.notes.push(`${what} does not change whole segments of the path, and is left out.`);
    return null;
  }
  if (strip === '' && add === '') return null;
  return { ...(strip === '' ? {} : { stripPrefix: strip }), ...(add === '' ? {} : { addPrefix: add }) };
}

function headersOf(line: RouteLine): RouteOptions['headers'] | null {
  const set: Record<string, string> = {};
  const remove: string[] = [];
  for (const [property, text] of line.condition.properties) {
    if (property !== 'header') continue;
    const [, name, value] =
      /^([A-Za-z0-9!#$%&'*+.^_`|~-]+): *(.*)$/.exec(text) ?? line.refuse('header is name:value');
    if (value === '') remove.push(name);
    else set[name] = value;
  }
  if (Object.keys(set).length === 0 && remove.length === 0) return null;
  return { request: { set, remove } };
}

function gripOf(line: RouteLine): NonNullable<RouteOptions['grip']> {
  const [key, issuer, prefix] = [line.get('sig_key'), line.get('sig_iss'), line.get('prefix')];
  const overHttp = agreed(line, 'over_http');
  if (overHttp === 'some') line.notes.push('Not all targets have over_http: WebSockets go over HTTP to all.');
  return {
    ...(key ? { key } : {}),
    ...(issuer ? { issuer } : {}),
    ...(prefix ? { prefix } : {}),
    ...channelsOf(line),
    ...(has(line.condition, 'session') ? { session: true } : {}),
    ...(overHttp === 'none' ? {} : { websocket: 'over_http' }),
  };
}

const TARGET = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})$/;

/** A word that all targets have or none, since it is the upstream's here; told if they differ. */
function agreed(line: RouteLine, name: string): 'all' | 'some' | 'none' {
  const count = line.targets.filter((target) => has(target, name)).length;
  if (count === 0) return 'none';
  return count === line.targets.length ? 'all' : 'some';
}

function upstreamOfLine(line: RouteLine): UpstreamOptions {
  const targets = line.targets.map((target) => {
    const [, host, port] = TARGET.exec(target.value) ?? line.refuse(`${target.value} is not host:port`);
    if (Number(port) < 1 || Number(port) > 65_535) line.refuse(`${port} is not a port`);
    return { url: `${has(target, 'ssl') ? 'https' : 'http'}://${host}:${port}` };
  });
  if (targets.length > 1)
    line.notes.push('The targets take turns, where Pushpin asks the next one only if one cannot be reached.');
  const insecure = agreed(line, 'insecure');
  if (insecure === 'some')
    line.notes.push('Not all targets are insecure: the certificates of all are verified.');
  const untrusted = agreed(line, 'untrusted');
  if (untrusted === 'some')
    line.notes.push('Not all targets are untrusted: none may have a private address.');
  const hosts = new Set(line.targets.map((target) => textOf(target, 'host') ?? line.get('as_host') ?? ''));
  if (hosts.size > 1) line.notes.push('The targets have different hosts: all get the one of the first.');
  const [host] = hosts;
  const isNamed = host !== undefined && host !== '';
  const tls = {
    ...(insecure === 'all' ? { verify: false } : {}),
    ...(isNamed && agreed(line, 'trust_connect_host') === 'none' && agreed(line, 'ssl') !== 'none'
      ? { serverName: host }
      : {}),
  };
  return {
    targets,
    ...(isNamed ? { host } : {}),
    ...(Object.keys(tls).length === 0 ? {} : { tls }),
    ...(untrusted === 'none' ? {} : { addresses: 'public' }),
  };
}
