import type { ResponseHeaders } from '../../listeners/port.ts';

/** Fields as names and values in turn. */
export function pairsOf(headers: ResponseHeaders): string[] {
  return Object.entries(headers).flatMap(([name, value]) => [value].flat().flatMap((one) => [name, one]));
}

/** Fields as a record with names in lower case, and lists for those that are repeated. */
export function headersOf(pairs: readonly string[]): ResponseHeaders {
  const headers: Record<string, string | readonly string[]> = {};
  for (let at = 0; at < pairs.length; at += 2) {
    const name = pairs[at].toLowerCase();
    const earlier = headers[name];
    headers[name] = earlier === undefined ? pairs[at + 1] : [earlier, pairs[at + 1]].flat();
  }
  return headers;
}

/** Takes a body that nobody is to have. */
export const NOWHERE = (closed: () => void) => ({
  write: () => true,
  end: () => queueMicrotask(closed),
  abort: () => queueMicrotask(closed),
});
