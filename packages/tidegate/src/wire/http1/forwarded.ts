import { TidegateError } from '../../kernel/index.ts';

/** What one proxy says of the request that it received (RFC 7239, section 4); null for what it does not say. */
export interface ForwardedElement {
  /** From whom it came: an address, perhaps with a port, or a name that hides one. */
  readonly for: string | null;
  /** The Host that it had. */
  readonly host: string | null;
  /** The scheme by which it came. */
  readonly proto: string | null;
}

/**
 *     Forwarded         = 1#forwarded-element
 *     forwarded-element = [ forwarded-pair ] *( ";" [ forwarded-pair ] )
 *     forwarded-pair    = token "=" ( token / quoted-string )
 *
 * Values that need quotes and have none, as many proxies write ports, are taken as far as they cannot be read in two ways.
 */
const PAIR =
  /[\t ]*(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:([^\s",;\\]+)|"((?:[^"\\]|\\.)*)"))?[\t ]*(?:([,;])|$)/y;

/**
 * Reads the value of one Forwarded field, the nearest proxy last. Quotes do not reach from one field into the next, so that what a proxy adds in a
 * field of its own means the same whatever stood before it.
 * @throws TidegateError proxy_fields_invalid
 */
export function parseForwarded(value: string): readonly ForwardedElement[] {
  const elements: ForwardedElement[] = [];
  let pairs = new Map<string, string>();
  PAIR.lastIndex = 0;
  for (;;) {
    const match = PAIR.exec(value);
    if (match === null) throw invalid('is not as RFC 7239 defines it');
    const [, name, token, quoted, separator] = match;
    if (name !== undefined) {
      const key = name.toLowerCase();
      if (pairs.has(key)) throw invalid(`says ${key} twice of one request`);
      pairs.set(key, token ?? quoted.replace(/\\(.)/g, '$1'));
    }
    if (separator === ';') continue;
    // RFC 9110, section 5.6.1: elements of a list may be empty, which says nothing.
    if (pairs.size > 0) elements.push(elementOf(pairs));
    if (separator === undefined) return elements;
    pairs = new Map();
  }
}

function elementOf(pairs: ReadonlyMap<string, string>): ForwardedElement {
  return {
    for: pairs.get('for') ?? null,
    host: pairs.get('host') ?? null,
    proto: pairs.get('proto') ?? null,
  };
}

const invalid = (what: string): TidegateError =>
  new TidegateError('proxy_fields_invalid', `Forwarded ${what}.`);
