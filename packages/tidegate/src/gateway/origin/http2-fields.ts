import { type Limits, TidegateError } from '../../kernel/index.ts';
import { isPermittedTrailer, parseContentLength } from '../../wire/http1/index.ts';
import type { OriginRequest } from './exchange.ts';
import { type IndexedFields, isHopByHop } from './hop-by-hop.ts';

/** The head of an answer over HTTP/2, held to the same rules as one of HTTP/1. */
export interface Http2ResponseHead {
  /** 100 to 599 but 101, which HTTP/2 has not (RFC 9113, section 8.6). */
  readonly status: number;
  /** Names and values in turn, in their order, without those that end at this hop. */
  readonly fields: readonly string[];
  /** The value of Content-Length; null if there is none. */
  readonly lengthBytes: number | null;
}

/** Names in lower case and values in turn, by index. */
class PairFields implements IndexedFields {
  readonly #pairs: readonly string[];

  constructor(pairs: readonly string[]) {
    this.#pairs = pairs;
  }

  get count(): number {
    return this.#pairs.length / 2;
  }

  nameLength(index: number): number {
    return this.#pairs[index * 2].length;
  }

  isNamed(index: number, name: string): boolean {
    return this.#pairs[index * 2] === name;
  }

  name(index: number): string {
    return this.#pairs[index * 2];
  }

  value(index: number): string {
    return this.#pairs[index * 2 + 1];
  }
}

/** The names of RFC 9110, section 5.1, without the capitals that RFC 9113, section 8.2 forbids. */
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
/** RFC 9110, section 5.5: neither CR, LF and NUL nor another control character, so that no value ends its line in HTTP/1.1. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** What a field costs in HTTP/1 beside its name and value, so that `limits.upstreamHeadBytesMax` means the same here. */
const FIELD_OVERHEAD_BYTES = 4;

const malformed = (detail: string): TidegateError => new TidegateError('http_malformed', detail);

/** @throws TidegateError http_malformed, http_headers_too_large */
function assertFields(raw: readonly string[], { upstreamHeadBytesMax, upstreamHeadersMax }: Limits): void {
  let bytes = 0;
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at];
    const value = raw[at + 1];
    bytes += name.length + value.length + FIELD_OVERHEAD_BYTES;
    if (!NAME.test(name) && name !== ':status') throw malformed('A header field has an invalid name.');
    if (!VALUE.test(value)) throw malformed('A header field has a control character in its value.');
  }
  if (bytes > upstreamHeadBytesMax)
    throw new TidegateError('http_headers_too_large', `The head exceeds ${upstreamHeadBytesMax} bytes.`);
  if (raw.length / 2 > upstreamHeadersMax)
    throw new TidegateError(
      'http_headers_too_large',
      `There are more than ${upstreamHeadersMax} header fields.`,
    );
}

/**
 * Reads the head of an answer.
 * @param raw names and values in turn, `:status` included
 * @throws TidegateError http_malformed, http_ambiguous, http_headers_too_large
 */
export function readHttp2Response(raw: readonly string[], limits: Limits): Http2ResponseHead {
  assertFields(raw, limits);
  const all = new PairFields(raw);
  const fields: string[] = [];
  let status = '';
  let lengthBytes: number | null = null;
  for (let index = 0; index < all.count; index++) {
    const name = all.name(index);
    if (name === ':status') {
      status = all.value(index);
    } else if (name === 'content-length') {
      if (lengthBytes !== null)
        throw new TidegateError('http_ambiguous', 'There is more than one Content-Length.');
      lengthBytes = parseContentLength(all.value(index));
    } else if (!isHopByHop(all, index)) {
      fields.push(name, all.value(index));
    }
  }
  if (!/^[1-5][0-9][0-9]$/.test(status) || status === '101') throw malformed('The status is none of HTTP/2.');
  return { status: Number(status), fields, lengthBytes };
}

/**
 * The fields behind an answer that may be passed on.
 * @throws TidegateError http_malformed, http_headers_too_large
 */
export function readHttp2Trailers(raw: readonly string[], limits: Limits): readonly string[] {
  assertFields(raw, limits);
  const permitted: string[] = [];
  for (let at = 0; at < raw.length; at += 2)
    if (raw[at] !== ':status' && isPermittedTrailer(raw[at])) permitted.push(raw[at], raw[at + 1]);
  return permitted;
}

/**
 * The head of a request, as the library takes it: pseudo-fields, then the fields. One for a WebSocket becomes an extended CONNECT
 * (RFC 8441, section 5), without what proves the handshake of HTTP/1.1.
 */
export function http2RequestFields(
  { method, target, fields, bodyBytes, upgrade, expects }: OriginRequest,
  host: string | null,
  scheme: 'http' | 'https',
): string[] {
  // Host comes first, which has a field of its own here (RFC 9113, section 8.3.1).
  const head = [':method', method, ':scheme', scheme, ':authority', host ?? fields[1], ':path', target];
  if (upgrade !== null) {
    head[1] = 'CONNECT';
    head.push(':protocol', upgrade);
  }
  for (let at = 2; at < fields.length; at += 2) {
    const name = fields[at].toLowerCase();
    if (upgrade === null || name !== 'sec-websocket-key') head.push(name, fields[at + 1]);
  }
  if (bodyBytes !== null && bodyBytes > 0) head.push('content-length', String(bodyBytes));
  if (expects === 'continue') head.push('expect', '100-continue');
  return head;
}

/** Names and values in turn, as the library takes trailers: in lower case, repeated ones as a list. */
export function http2TrailerFields(pairs: readonly string[]): Record<string, string | string[]> {
  const fields: Record<string, string | string[]> = {};
  for (let at = 0; at < pairs.length; at += 2) {
    const name = pairs[at].toLowerCase();
    fields[name] = name in fields ? [fields[name], pairs[at + 1]].flat() : pairs[at + 1];
  }
  return fields;
}
