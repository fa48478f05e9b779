import { TidegateError } from '../../kernel/index.ts';
import type { Headers } from '../../listeners/port.ts';
import type { WantedPurge } from './port.ts';

const PURGE_FIELD = 'tidegate-purge';

/**
 *     Tidegate-Purge = 1#( name "=" ( value / quoted-string ) )
 *     name           = "url" / "prefix" / "surrogate-key"
 *     value          = 1*( any character but white space, comma, quote and backslash )
 *
 * A list as in RFC 9110, section 5.6.1: it may be spread over several fields, and names may be repeated. Only a value with a comma in it needs quotes.
 */
const ENTRY = /[\t ]*(?:([A-Za-z-]+)=(?:([^\s",\\]+)|"((?:[^"\\]|\\.)*)"))?[\t ]*(?:(,)|$)/y;

/**
 * What a request wants to be purged before it publishes; null if nothing.
 * @throws TidegateError purge_invalid
 */
export function readPurgeField(headers: Headers): readonly WantedPurge[] | null {
  if (headers.get(PURGE_FIELD) === undefined) return null;
  const text = headers.all(PURGE_FIELD).join(',');
  const purges: WantedPurge[] = [];
  ENTRY.lastIndex = 0;
  for (;;) {
    const match = ENTRY.exec(text);
    if (match === null)
      throw invalid('Tidegate-Purge is not a list such as url="https://a.example/b", surrogate-key=c.');
    const [, name, value, quoted, separator] = match;
    if (name !== undefined) purges.push(purgeOf(name, value ?? quoted.replace(/\\(.)/g, '$1')));
    if (separator === undefined) break;
  }
  if (purges.length === 0) throw invalid('Tidegate-Purge names nothing.');
  return purges;
}

function purgeOf(name: string, value: string): WantedPurge {
  switch (name.toLowerCase()) {
    case 'url':
      return { url: value };
    case 'prefix':
      return { prefix: value };
    case 'surrogate-key':
      return { surrogateKey: value };
    default:
      throw invalid(`Tidegate-Purge takes url, prefix and surrogate-key, not ${name}.`);
  }
}

const invalid = (detail: string): TidegateError => new TidegateError('purge_invalid', detail);
