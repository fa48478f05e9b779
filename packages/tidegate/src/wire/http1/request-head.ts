import { TidegateError } from '../../kernel/index.ts';
import { parseContentLength } from './content-length.ts';
import { type FieldLines, parseFieldLines } from './field-lines.ts';
import { assertHost, sameHost } from './host.ts';
import { parseRequestLine, type RequestLine } from './request-line.ts';
import { assertChunked } from './transfer-encoding.ts';

/** What bounds a head. */
export interface RequestHeadLimits {
  readonly httpHeadersMax: number;
  readonly httpTargetBytesMax: number;
}

/** The head of a request, with what its framing fields mean already decided. */
export interface RequestHead {
  readonly method: string;
  /** In origin form, or `*`; a target in absolute form has been reduced. */
  readonly target: string;
  readonly minorVersion: number;
  readonly fields: FieldLines;
  /** Host, or the authority of a target in absolute form; null for an HTTP/1.0 request that names none. */
  readonly host: string | null;
  /** The length of the body; 0 if there is none, null if it is chunked. */
  readonly bodyBytes: number | null;
  /** Whether the client will send another request on the connection (RFC 9112, section 9.3). */
  readonly keepAlive: boolean;
  /** Whether the client waits for 100 before it sends the body (RFC 9110, section 10.1.1). */
  readonly expectsContinue: boolean;
}

/** How the fields of a head frame its body. */
interface Framing {
  /** Content-Length; null if there is none. */
  length: number | null;
  isChunked: boolean;
}

/** Reads a head, from the first octet of the request line to the end of the empty line. */
export function parseRequestHead(text: string, limits: RequestHeadLimits): RequestHead {
  const line = parseRequestLine(text, limits.httpTargetBytesMax);
  const fields = parseFieldLines(text, line.end, limits.httpHeadersMax);

  let host: string | null = null;
  const framing: Framing = { length: null, isChunked: false };
  let connection = '';
  let expectsContinue = false;
  for (let index = 0; index < fields.count; index++) {
    // One look at the length of the name rules out nearly every field that the framing does not depend on.
    switch (fields.nameLength(index)) {
      case 4:
        if (!fields.isNamed(index, 'host')) break;
        if (host !== null) throw new TidegateError('http_ambiguous', 'There is more than one Host.');
        host = fields.value(index);
        assertHost(host);
        break;
      case 6:
        if (!fields.isNamed(index, 'expect')) break;
        assertExpectation(fields.value(index));
        // RFC 9110, section 10.1.1: the expectation of an HTTP/1.0 request MUST be ignored.
        expectsContinue = line.minorVersion === 1;
        break;
      case 10:
        if (fields.isNamed(index, 'connection')) connection += `${fields.value(index)},`;
        break;
      case 14:
        if (!fields.isNamed(index, 'content-length')) break;
        if (framing.length !== null)
          throw new TidegateError('http_ambiguous', 'There is more than one Content-Length.');
        assertPlainSpace(fields, index);
        framing.length = parseContentLength(fields.value(index));
        break;
      case 17:
        if (!fields.isNamed(index, 'transfer-encoding')) break;
        if (framing.isChunked)
          throw new TidegateError('http_ambiguous', 'There is more than one Transfer-Encoding.');
        assertPlainSpace(fields, index);
        assertChunked(fields.value(index));
        framing.isChunked = true;
        break;
    }
  }
  assertFraming(line, framing);
  const bodyBytes = framing.isChunked ? null : (framing.length ?? 0);
  return {
    method: line.method,
    target: line.target,
    minorVersion: line.minorVersion,
    fields,
    host: effectiveHost(line, host),
    bodyBytes,
    keepAlive: isPersistent(line.minorVersion, connection),
    expectsContinue: expectsContinue && bodyBytes !== 0,
  };
}

/**
 * White space around a value may be tabs (RFC 9110, section 5.6.3), but not every parser knows: Node's own does not see a
 * `chunked` that a tab follows. A field on which the framing depends is refused rather than read in two ways.
 */
function assertPlainSpace(fields: FieldLines, index: number): void {
  if (!fields.isTabbed(index)) return;
  throw new TidegateError('http_ambiguous', `There is a tab around the value of ${fields.name(index)}.`);
}

/** RFC 9110, section 10.1.1: the only expectation that there is. */
function assertExpectation(value: string): void {
  if (value.toLowerCase() === '100-continue') return;
  throw new TidegateError('http_expectation_failed', 'Expect is not 100-continue.');
}

/** RFC 9112, section 6.3: the ways in which a request can be framed twice. */
function assertFraming(line: RequestLine, framing: Framing): void {
  if (!framing.isChunked) return;
  if (framing.length !== null) {
    throw new TidegateError('http_ambiguous', 'There are both Content-Length and Transfer-Encoding.');
  }
  if (line.minorVersion === 0) {
    // Section 6.1: the framing of such a message is faulty even if it looks right.
    throw new TidegateError('http_ambiguous', 'An HTTP/1.0 request has Transfer-Encoding.');
  }
}

/**
 * RFC 9112, section 3.2: an HTTP/1.1 request has one Host. Section 3.2.2 has the server ignore Host where the
 * target is in absolute form; here the two must agree, because another server on the way may have believed the other.
 */
function effectiveHost(line: RequestLine, host: string | null): string | null {
  if (host === null && line.minorVersion === 1)
    throw new TidegateError('http_malformed', 'There is no Host.');
  if (line.authority === null) return host;
  if (host !== null && !sameHost(host, line.authority)) {
    throw new TidegateError('http_ambiguous', 'Host and the request target name different hosts.');
  }
  return line.authority;
}

function isPersistent(minorVersion: number, connection: string): boolean {
  if (connection === '') return minorVersion === 1;
  if (connection === 'keep-alive,') return true;
  const options = connection.toLowerCase().split(',');
  if (options.some((option) => option.trim() === 'close')) return false;
  return minorVersion === 1 || options.some((option) => option.trim() === 'keep-alive');
}
