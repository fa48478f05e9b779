import type { Headers } from '../../listeners/port.ts';
import { isReflectable } from './reflectable.ts';

/** What pages may read without being told so, as Pushpin has it, and what is none of theirs. */
const NOT_EXPOSED =
  /^(?:access-control-.*|cache-control|content-language|content-length|content-type|expires|grip-.*|last-modified|pragma|set-cookie2?)$/;

const METHODS = 'OPTIONS, HEAD, GET, POST, PUT, DELETE';
const MAX_AGE_SECONDS = '3600';

/**
 * The fields that let any page read an answer, with the user's cookies: names and values in turn. What the answer says itself stays.
 * @param fields those of the answer: names and values in turn
 */
export function corsFields(request: Headers, fields: readonly string[]): string[] {
  const there = new Set<string>();
  const exposed = new Map<string, string>();
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at].toLowerCase();
    there.add(name);
    if (!NOT_EXPOSED.test(name)) exposed.set(name, fields[at]);
  }
  const added: string[] = [];
  const add = (name: string, value: string): void => {
    if (isReflectable(value) && !there.has(name.toLowerCase())) added.push(name, value);
  };
  const method = request.get('access-control-request-method');
  const origin = request.get('origin');
  add('Access-Control-Allow-Methods', isReflectable(method) ? method : METHODS);
  add('Access-Control-Allow-Headers', request.all('access-control-request-headers').join(', '));
  add('Access-Control-Expose-Headers', [...exposed.values()].join(', '));
  add('Access-Control-Allow-Credentials', 'true');
  if (!there.has('access-control-allow-origin')) {
    added.push('Access-Control-Allow-Origin', isReflectable(origin) ? origin : '*');
    // What one page may read is not to come from a cache for another.
    added.push('Vary', 'Origin');
  }
  add('Access-Control-Max-Age', MAX_AGE_SECONDS);
  return added;
}

/** Whether an answer says itself who may read it. */
export function saysWhoMayRead(fields: readonly string[]): boolean {
  for (let at = 0; at < fields.length; at += 2)
    if (fields[at].toLowerCase() === 'access-control-allow-origin') return true;
  return false;
}
