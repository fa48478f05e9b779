import type { PushpinSection } from './pushpin-line.ts';
import { has, type RouteLine } from './pushpin-route-line.ts';
import type { RouteOptions } from './routes/options.ts';

const JSONP = ['jsonp_mode', 'jsonp_cb', 'jsonp_body', 'jsonp_defcb', 'jsonp_defmethod'] as const;
const PARAMETER = /^[A-Za-z0-9_.~-]{1,64}$/;
const METHOD = /^[A-Z]+(?:-[A-Z]+)*$/;

/** What a line says of pages of other origins; null if nothing. To Pushpin, `aco` is CORS and JSON-P in one. */
export function crossOriginOf(line: RouteLine): RouteOptions['crossOrigin'] | null {
  if (!has(line.condition, 'aco')) {
    for (const name of JSONP.filter((one) => has(line.condition, one)))
      line.notes.push(`${name} has no effect without aco, and is left out.`);
    return null;
  }
  const [mode, callback, body, defaultCallback, defaultMethod] = JSONP.map(
    (name) => line.get(name) || undefined,
  );
  if (mode !== undefined && mode !== 'basic' && mode !== 'extended')
    line.refuse('jsonp_mode is basic or extended');
  for (const [name, text] of Object.entries({ jsonp_cb: callback, jsonp_body: body }))
    if (text !== undefined && !PARAMETER.test(text))
      line.refuse(`${name} is not the name of a query parameter`);
  if (defaultMethod !== undefined && !METHOD.test(defaultMethod))
    line.refuse('jsonp_defmethod is not a method');
  return {
    jsonp: {
      ...(mode === undefined ? {} : { mode }),
      ...(callback === undefined ? {} : { callback }),
      ...(body === undefined ? {} : { body }),
      ...(defaultCallback === undefined ? {} : { defaultCallback }),
      ...(defaultMethod === undefined ? {} : { defaultMethod }),
    },
  };
}

/**
 * What a line says of SockJS; null if nothing that can be.
 * @param matched the path of the route, which ends with a star
 */
export function sockJsOf(line: RouteLine, matched: string): RouteOptions['sockjs'] | null {
  const asPath = line.get('sockjs_as_path');
  const given = line.get('sockjs');
  if (given === undefined || given === '') {
    if (asPath !== undefined)
      line.notes.push('sockjs_as_path has no effect without sockjs, and is left out.');
    return null;
  }
  if (!given.startsWith('/') || /[{}*?#\s]/.test(given)) line.refuse('sockjs is not a path');
  const path = given.replace(/\/+$/, '');
  if (path === '' || !`${path}/`.startsWith(matched.slice(0, -1))) {
    const why =
      path === '' ? 'would leave nothing to other requests' : 'is not below path_beg, where no request comes';
    line.notes.push(`sockjs=${given} ${why}, and is left out.`);
    return null;
  }
  if (asPath === undefined || asPath === '') {
    line.notes.push(
      `All clients of SockJS reach the origin at ${path}/websocket; Pushpin asks for ${path} on behalf of those without WebSockets.`,
    );
    return { path };
  }
  if (/[{}*?#\s]/.test(asPath)) line.refuse('sockjs_as_path is not a path');
  return { path, originPath: asOriginSees(line, asPath) };
}

/** Pushpin counts characters here, too. */
function asOriginSees(line: RouteLine, path: string): string {
  const replacement = line.get('replace_beg');
  const removed =
    replacement === undefined ? Number(line.get('path_rem') ?? 0) : (line.get('path_beg') ?? '').length;
  const rest = (replacement ?? '') + path.slice(removed);
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** The channels that targets subscribe their clients to. They are the route's here, so that all targets have them. */
export function channelsOf(line: RouteLine): { readonly channels?: string[] } {
  const perTarget = line.targets.map(subscriptionsOf);
  const channels = [...new Set(perTarget.flat())];
  if (perTarget.some((one) => one.length < channels.length))
    line.notes.push('Not all targets have the same sub: the clients of all are subscribed to all of them.');
  return channels.length === 0 ? {} : { channels };
}

function subscriptionsOf({ properties }: PushpinSection): readonly string[] {
  const texts = properties.filter(([name, text]) => name === 'sub' && text !== '').map(([, text]) => text);
  return [...new Set(texts)];
}
