/**
 * Writes the head of a request, from its parts to the empty line. The parts come from a parser that has checked them, so nothing is
 * checked again.
 *
 *     request-line = method SP request-target SP HTTP-version      (RFC 9112, section 3)
 *
 * @param lines complete field lines, each with its CRLF
 */
export function requestHead(method: string, target: string, lines: string): string {
  return `${method} ${target} HTTP/1.1\r\n${lines}\r\n`;
}
