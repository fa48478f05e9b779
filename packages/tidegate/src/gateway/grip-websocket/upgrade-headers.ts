import { TidegateError } from '../../kernel/index.ts';
import type { ResponseHeaders } from '../../listeners/port.ts';

/** Fields that an upgrade writes itself. */
const OF_UPGRADE: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'date',
  'sec-websocket-accept',
  'upgrade',
]);
/** What the head of an upgrade can have. */
const WRITABLE = /^[\t\x20-\x7e]*$/;

/**
 * The fields of an answer as those of an upgrade: names in lower case, and lists for those that are repeated.
 * @param fields names and values in turn
 * @throws TidegateError upstream_malformed
 */
export function upgradeHeadersOf(fields: readonly string[]): ResponseHeaders {
  const headers: Record<string, string | readonly string[]> = {};
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at].toLowerCase();
    if (OF_UPGRADE.has(name)) continue;
    if (!WRITABLE.test(fields[at + 1])) {
      throw new TidegateError(
        'upstream_malformed',
        `${fields[at]} has octets beyond ASCII, which no handshake can have.`,
      );
    }
    const earlier = headers[name];
    headers[name] = earlier === undefined ? fields[at + 1] : [earlier, fields[at + 1]].flat();
  }
  return headers;
}
