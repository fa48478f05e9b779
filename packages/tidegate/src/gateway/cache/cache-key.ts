import type { Headers } from '../../listeners/port.ts';
import { normalPath } from '../routes/normal-path.ts';
import { combinedField } from './cache-control.ts';
import { detachedText } from './field-list.ts';
import type { CacheRequest } from './port.ts';

/**
 * The URI that a request is for (RFC 9110, section 7.1), with what is equivalent made equal: the host in lower case and without the port of
 * its scheme (section 4.2.3). Path and query stay as they are, since only the origin knows what is equivalent there. A host has no slash and a
 * target begins with one, so that two URIs that differ never become one key.
 */
export function uriOf(request: Pick<CacheRequest, 'scheme' | 'host' | 'target'>): string {
  const { scheme, target } = request;
  return `${scheme}://${normalHost(scheme, request.host)}${target}`;
}

/** A target that somebody wrote, in the form in which requests come to the cache; null if its path is malformed. */
export function normalTarget(target: string): string | null {
  const mark = target.indexOf('?');
  const end = mark === -1 ? target.length : mark;
  try {
    return normalPath(target.slice(0, end)) + target.slice(end);
  } catch {
    return null;
  }
}

function normalHost(scheme: 'http' | 'https', host: string): string {
  const port = scheme === 'http' ? ':80' : ':443';
  const bare = host.endsWith(port)
    ? host.slice(0, -port.length)
    : host.endsWith(':')
      ? host.slice(0, -1)
      : host;
  return bare.toLowerCase();
}

/**
 * The values of some request fields as one text. Each has its length before it, and an absent one differs from an empty one: whatever clients
 * put into their fields, equal texts mean equal values.
 */
export function fieldsKey(names: readonly string[], headers: Headers): string {
  let key = '';
  for (const name of names) {
    const value = combinedField(headers, name);
    if (value === undefined) {
      key += '-;';
      continue;
    }
    const normal = normalValue(name, value);
    key += `${normal.length}:${normal};`;
  }
  return key;
}

/**
 * RFC 9111, section 4.1 lets white space differ, and whatever is known to mean the same. The codings of Accept-Encoding have neither case nor
 * order, and it is what responses vary by most.
 */
function normalValue(name: string, value: string): string {
  if (name === 'accept-encoding') return normalCodings(value);
  if (!value.includes(',')) return value;
  const members = value.split(',').map((member) => member.trim());
  return members.join(',');
}

/** Clients of one kind all send the same codings: what was worked out for one need not be for the next, which is a microsecond of each hit. */
const normalised = new Map<string, string>();
const NORMALISED_MAX = 64;
const NORMALISED_LENGTH_MAX = 64;

function normalCodings(value: string): string {
  const known = normalised.get(value);
  if (known !== undefined) return known;
  const codings = value.toLowerCase().split(',');
  const normal = codings
    .map((coding) => coding.replace(/[\t ]+/g, ''))
    .filter((coding) => coding !== '')
    .sort()
    .join(',');
  if (value.length <= NORMALISED_LENGTH_MAX) {
    if (normalised.size >= NORMALISED_MAX) normalised.clear();
    normalised.set(detachedText(value), normal);
  }
  return normal;
}

const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

/** The names in a Vary field, in lower case, sorted and each once; null if a response varies by more than requests show, or unintelligibly. */
export function varyNames(headers: Headers, namesMax: number): readonly string[] | null {
  const text = combinedField(headers, 'vary');
  if (text === undefined) return [];
  const names = new Set<string>();
  for (const part of text.split(',')) {
    const name = part.trim().toLowerCase();
    if (name === '') continue;
    // RFC 9110, section 12.5.5: a `*` anywhere in the list means that anything may have had a part in the choice.
    if (name === '*' || !NAME.test(name)) return null;
    names.add(detachedText(name));
    if (names.size > namesMax) return null;
  }
  return [...names].sort();
}
