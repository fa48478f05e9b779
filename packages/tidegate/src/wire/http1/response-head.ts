import { TidegateError } from '../../kernel/index.ts';
import { REASON_PHRASES } from './reason-phrases.ts';

/** Header fields to write; a list becomes repeated fields. */
export type ResponseFields = Readonly<Record<string, string | readonly string[]>>;

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const VALUE = /^[\t\x20-\x7e]*$/;

/** Fields that only the one who frames the message may write. */
const FRAMING = new Set([
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'trailer',
  'transfer-encoding',
]);

/**
 * Writes the head of a response.
 *
 *     status-line  = HTTP-version SP status-code SP [ reason-phrase ]      (RFC 9112, section 4)
 *     field-line   = field-name ":" OWS field-value OWS                    (section 5)
 *
 * `framing` are complete lines, each with its CRLF: Date, Content-Length, Transfer-Encoding, Connection. A name or value that
 * would break a line is refused with `internal`, so that nothing that a client sent can add a field or a response.
 */
export function responseHead(status: number, fields: ResponseFields, framing: string): string {
  let head = `HTTP/1.1 ${status} ${REASON_PHRASES[status] ?? ''}\r\n${framing}`;
  for (const name in fields) {
    const value = fields[name];
    if (!NAME.test(name) || FRAMING.has(name.toLowerCase())) throw invalid(name);
    if (typeof value === 'string') {
      if (!VALUE.test(value)) throw invalid(name);
      head += `${name}: ${value}\r\n`;
    } else {
      for (const one of value) {
        if (!VALUE.test(one)) throw invalid(name);
        head += `${name}: ${one}\r\n`;
      }
    }
  }
  return `${head}\r\n`;
}

/** Refuses with `internal` what `responseHead` would, for heads that others write. */
export function assertResponseFields(fields: ResponseFields): void {
  for (const name in fields) {
    if (!NAME.test(name) || FRAMING.has(name.toLowerCase())) throw invalid(name);
    for (const value of [fields[name]].flat()) if (!VALUE.test(value)) throw invalid(name);
  }
}

/** Whether a response of this status has no content, whatever its fields say (RFC 9112, section 6.3). */
export function isWithoutContent(status: number): boolean {
  return status < 200 || status === 204 || status === 304;
}

function invalid(name: string): TidegateError {
  return new TidegateError('internal', `The response field ${JSON.stringify(name)} cannot be written.`);
}
