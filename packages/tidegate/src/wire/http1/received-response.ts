import { TidegateError } from '../../kernel/index.ts';
import { parseContentLength } from './content-length.ts';
import { type FieldLines, parseFieldLines } from './field-lines.ts';
import { isWithoutContent } from './response-head.ts';
import { parseStatusLine } from './status-line.ts';
import { assertChunked } from './transfer-encoding.ts';

/** How the end of a response's body is found (RFC 9112, section 6.3). */
export type ResponseFraming = 'none' | 'length' | 'chunked' | 'close';

/** The head of a response, with what its framing fields mean already decided. */
export interface ReceivedResponse {
  readonly status: number;
  readonly reason: string;
  readonly minorVersion: number;
  readonly fields: FieldLines;
  readonly framing: ResponseFraming;
  /** The value of Content-Length, which of a response without a body is the length that it would have; null if there is none. */
  readonly lengthBytes: number | null;
  /** Whether the server will read another request on the connection (RFC 9112, section 9.3). */
  readonly keepAlive: boolean;
}

/**
 * Reads a head, from the first octet of the status line to the end of the empty line.
 * @param method of the request: a response to HEAD has no body, whatever its fields say
 */
export function parseReceivedResponse(text: string, method: string, fieldsMax: number): ReceivedResponse {
  const { status, reason, minorVersion, end } = parseStatusLine(text);
  const fields = parseFieldLines(text, end, fieldsMax);
  let lengthBytes: number | null = null;
  let isChunked = false;
  let connection = '';
  for (let index = 0; index < fields.count; index++) {
    switch (fields.nameLength(index)) {
      case 10:
        if (fields.isNamed(index, 'connection')) connection += `${fields.value(index)},`;
        break;
      case 14:
        if (!fields.isNamed(index, 'content-length')) break;
        if (lengthBytes !== null)
          throw new TidegateError('http_ambiguous', 'There is more than one Content-Length.');
        lengthBytes = parseContentLength(fields.value(index));
        break;
      case 17:
        if (!fields.isNamed(index, 'transfer-encoding')) break;
        if (isChunked) throw new TidegateError('http_ambiguous', 'There is more than one Transfer-Encoding.');
        assertChunked(fields.value(index));
        isChunked = true;
        break;
    }
  }
  // Section 6.3 lets a client believe Transfer-Encoding, and calls both together an attempt at response splitting.
  if (isChunked && lengthBytes !== null)
    throw new TidegateError('http_ambiguous', 'There are both Content-Length and Transfer-Encoding.');
  if (isChunked && minorVersion === 0)
    throw new TidegateError('http_ambiguous', 'An HTTP/1.0 response has Transfer-Encoding.');
  const framing =
    method === 'HEAD' || isWithoutContent(status)
      ? 'none'
      : isChunked
        ? 'chunked'
        : lengthBytes === null
          ? 'close'
          : 'length';
  const keepAlive = framing !== 'close' && isPersistent(minorVersion, connection);
  return { status, reason, minorVersion, fields, framing, lengthBytes, keepAlive };
}

function isPersistent(minorVersion: number, connection: string): boolean {
  if (connection === '') return minorVersion === 1;
  if (connection === 'keep-alive,') return true;
  const options = connection.toLowerCase().split(',');
  if (options.some((option) => option.trim() === 'close')) return false;
  return minorVersion === 1 || options.some((option) => option.trim() === 'keep-alive');
}
