import type { OriginRequest } from './exchange.ts';

/** RFC 9110, section 8.6: a request says so if it has no content though its method gives that a meaning. */
const TELLS_EMPTY_BODY: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

/** The field lines of a request, each with its CRLF, with those of framing and connection. @param host in place of the request's own; null for that */
export function requestLinesOf(request: OriginRequest, host: string | null): string {
  const { method, bodyBytes, upgrade, expects } = request;
  let lines = request.linesFor?.(host) ?? linesOfFields(request, host);
  if (bodyBytes === null) lines += 'Transfer-Encoding: chunked\r\n';
  else if (bodyBytes > 0 || TELLS_EMPTY_BODY.has(method)) lines += `Content-Length: ${bodyBytes}\r\n`;
  if (expects === 'continue') lines += 'Expect: 100-continue\r\n';
  if (upgrade !== null) lines += `Connection: Upgrade\r\nUpgrade: ${upgrade}\r\n`;
  return lines;
}

function linesOfFields({ fields, upgrade }: OriginRequest, host: string | null): string {
  let lines = host === null ? linesOfPairs(fields) : `Host: ${host}\r\n${linesOfPairs(fields, 2)}`;
  // RFC 9110, section 10.1.4: TE ends at this hop, too.
  if (upgrade === null && fields.at(-2) === 'TE') lines += 'Connection: TE\r\n';
  return lines;
}

/** Names and values in turn, as lines. */
export function linesOfPairs(pairs: readonly string[], from = 0): string {
  let lines = '';
  for (let at = from; at < pairs.length; at += 2) lines += `${pairs[at]}: ${pairs[at + 1]}\r\n`;
  return lines;
}
