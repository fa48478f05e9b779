import { type Limits, TidegateError } from '../kernel/index.ts';
import { assertHost, isPermittedTrailer, isTarget } from '../wire/http1/index.ts';
import type { Headers } from './port.ts';

/** The head of an HTTP/2 request, held to the same rules as one of HTTP/1. */
export interface Http2Head {
  readonly method: string;
  /** In origin form, or `*`. */
  readonly target: string;
  readonly fields: Headers;
  /** The length of the body; 0 if there is none, null if it is not said. */
  readonly bodyBytes: number | null;
  /** Whether the client waits for 100 before it sends the body (RFC 9110, section 10.1.1). */
  readonly expectsContinue: boolean;
}

/** Fields in the order of their arrival: name, value, name, value. */
class FieldPairs implements Headers {
  readonly #pairs: readonly string[];

  constructor(pairs: readonly string[]) {
    this.#pairs = pairs;
  }

  get(name: string): string | undefined {
    for (let at = 0; at < this.#pairs.length; at += 2)
      if (this.#pairs[at] === name) return this.#pairs[at + 1];
    return undefined;
  }

  all(name: string): readonly string[] {
    return this.#pairs.filter((_, at) => at % 2 === 1 && this.#pairs[at - 1] === name);
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

  spelledName(index: number): string {
    return this.#pairs[index * 2];
  }

  value(index: number): string {
    return this.#pairs[index * 2 + 1];
  }

  *entries(): Generator<readonly [name: string, value: string], void, undefined> {
    for (let at = 0; at < this.#pairs.length; at += 2) yield [this.#pairs[at], this.#pairs[at + 1]];
  }
}

/** What stands for the head of a request that has none worth the name, so that it can be answered. */
export const NO_HEAD: Http2Head = {
  method: '',
  target: '/',
  fields: new FieldPairs([]),
  bodyBytes: null,
  expectsContinue: false,
};

/** What a field costs in HTTP/1 beside its name and value, so that `limits.httpHeadBytesMax` means the same here. */
const FIELD_OVERHEAD_BYTES = 4;

/**
 * Reads a head. The library has refused what RFC 9113, section 8 calls malformed: capitals, connection fields, pseudo-fields that
 * are unknown, repeated or late, a body that is not as long as it says.
 * @param raw names and values in turn, pseudo-fields included
 * @param body whether the stream goes on after the head
 */
export function readHttp2Head(raw: readonly string[], body: 'none' | 'follows', limits: Limits): Http2Head {
  assertSize(raw, limits);
  const pseudo = new Map<string, string>();
  const pairs: string[] = [];
  // Section 8.2.3: a client may send cookies one by one, which a server must join before others see them.
  let cookieAt = -1;
  for (let at = 0; at < raw.length; at += 2) {
    if (raw[at].startsWith(':')) pseudo.set(raw[at], raw[at + 1]);
    else if (raw[at] === 'cookie' && cookieAt !== -1) pairs[cookieAt] += `; ${raw[at + 1]}`;
    else if (pairs.push(raw[at], raw[at + 1]) > 0 && raw[at] === 'cookie') cookieAt = pairs.length - 1;
  }
  const method = pseudo.get(':method') ?? '';
  const target = targetOf(method, pseudo.get(':path'), limits);
  const fields = new FieldPairs(pairs);
  const host = hostOf(pseudo.get(':authority'), fields.all('host'));
  if (fields.get('host') === undefined) pairs.unshift('host', host);
  const length = fields.get('content-length');
  const expectation = fields.get('expect');
  if (expectation !== undefined && expectation.toLowerCase() !== '100-continue') {
    throw new TidegateError('http_expectation_failed', 'Expect is not 100-continue.');
  }
  return {
    method,
    target,
    fields,
    bodyBytes: body === 'none' ? 0 : length === undefined ? null : Number(length),
    expectsContinue: expectation !== undefined && body === 'follows',
  };
}

/**
 * Reads the fields behind a body, with the rules of those behind a chunked one.
 * @throws TidegateError http_malformed, http_headers_too_large
 */
export function readHttp2Trailers(raw: readonly string[], limits: Limits): Headers {
  assertSize(raw, limits);
  for (let at = 0; at < raw.length; at += 2) {
    if (raw[at].startsWith(':') || !isPermittedTrailer(raw[at]))
      throw new TidegateError('http_malformed', `${raw[at]} is not allowed as a trailer.`);
  }
  return new FieldPairs(raw);
}

function assertSize(raw: readonly string[], { httpHeadBytesMax, httpHeadersMax }: Limits): void {
  let bytes = 0;
  let fields = 0;
  for (let at = 0; at < raw.length; at += 2) {
    bytes += raw[at].length + raw[at + 1].length + FIELD_OVERHEAD_BYTES;
    if (!raw[at].startsWith(':')) fields++;
  }
  if (bytes > httpHeadBytesMax)
    throw new TidegateError('http_headers_too_large', `The head would exceed ${httpHeadBytesMax} bytes.`);
  if (fields > httpHeadersMax)
    throw new TidegateError('http_headers_too_large', `There are more than ${httpHeadersMax} header fields.`);
}

/** RFC 9113, section 8.3.1: the path and query, or `*` for OPTIONS. */
function targetOf(method: string, path: string | undefined, { httpTargetBytesMax }: Limits): string {
  if (method === 'CONNECT')
    throw new TidegateError('http_method_not_allowed', 'This server makes no tunnels.');
  const target = path ?? '';
  if (target.length > httpTargetBytesMax)
    throw new TidegateError('http_target_too_long', `The target is longer than ${httpTargetBytesMax} bytes.`);
  if (target === '*' && method === 'OPTIONS') return target;
  if (!target.startsWith('/') || !isTarget(target))
    throw new TidegateError('http_malformed', 'The path is not visible ASCII characters after a slash.');
  return target;
}

/** RFC 9113, section 8.3.1: a Host beside the authority must say the same. */
function hostOf(authority: string | undefined, hosts: readonly string[]): string {
  if (hosts.length > 1) throw new TidegateError('http_ambiguous', 'There is more than one Host.');
  const host = authority ?? hosts[0];
  if (host === undefined)
    throw new TidegateError('http_malformed', 'There is neither an authority nor a Host.');
  assertHost(host);
  if (hosts.length === 1 && hosts[0].toLowerCase() !== host.toLowerCase())
    throw new TidegateError('http_ambiguous', 'Host and the authority name different hosts.');
  return host;
}
