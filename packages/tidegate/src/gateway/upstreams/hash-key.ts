import type { HashSource } from './upstream.ts';

/** What of a request a hash can go by. */
export interface HashableRequest {
  readonly remoteAddress: string;
  /** As it was matched. */
  readonly path: string;
  /** The first field of this name (lower case); undefined if there is none. */
  header(name: string): string | undefined;
}

/** The text whose hash chooses the target; the address of the client where the header or cookie is missing. */
export function hashKeyOf(source: HashSource, request: HashableRequest): string {
  switch (source.kind) {
    case 'address':
      return request.remoteAddress;
    case 'path':
      return request.path;
    case 'header':
      return request.header(source.name) ?? request.remoteAddress;
    case 'cookie':
      return cookieOf(request.header('cookie'), source.name) ?? request.remoteAddress;
  }
}

/** The value of the first cookie of a name (RFC 6265, section 4.2.1), as it was sent; names are compared as they are. */
function cookieOf(field: string | undefined, name: string): string | undefined {
  for (const pair of field?.split(';') ?? []) {
    const equals = pair.indexOf('=');
    if (equals !== -1 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
  }
  return undefined;
}
