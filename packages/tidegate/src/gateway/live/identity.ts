import { hash } from 'node:crypto';
import type { Headers, HttpRequest } from '../../listeners/index.ts';
import type { LiveRoute, OriginFields } from './port.ts';

/**
 * What a value depends on unless the route says otherwise: fields by which origins know who asks. Nobody is shown what an origin sent
 * to somebody else, at the price that those who show something have a value, and polls, of their own.
 */
export const DEFAULT_VARY_BY: readonly string[] = ['authorization', 'cookie', 'x-api-key'];

/** Fields that polls have of their own: a value does not depend on the form in which somebody follows it. */
const OF_POLLS = new Set(['accept', 'accept-encoding', 'host']);

/** Whose value it is. */
export interface LiveIdentity {
  /** Equal for requests that share a value, and without any credential in it. */
  readonly key: string;
  /** What polls say besides their conditions. */
  readonly headers: OriginFields;
}

/**
 * Who asks for what, and how an origin is asked for it. The host is a part of it: one route may serve many.
 * @param target without what is said to the gateway alone
 */
export function identityOf(request: HttpRequest, target: string, route: LiveRoute): LiveIdentity {
  const host = request.host.toLowerCase();
  const fields: [string, string][] = [];
  for (const name of route.varyBy ?? DEFAULT_VARY_BY) {
    if (OF_POLLS.has(name)) continue;
    for (const value of valuesOf(request.headers, name)) fields.push([name, value]);
  }
  const credentials = fields.length === 0 ? '' : hash('sha256', JSON.stringify(fields), 'base64url');
  return {
    // None of these has a line break in it. What the route says is a part, so that a changed route begins anew.
    key: [route.name, route.mode, route.everyMs, host, target, credentials].join('\n'),
    headers: [['host', host], ['accept', 'application/json'], ['accept-encoding', 'identity'], ...fields],
  };
}

function valuesOf(headers: Headers, name: string): readonly string[] {
  const values = headers.all(name);
  // RFC 9113, section 8.2.3: cookies may come in pieces.
  return name === 'cookie' && values.length > 1 ? [values.join('; ')] : values;
}
