/** One extension of a Sec-WebSocket-Extensions header, with its parameters; a parameter without value is `true`. */
export interface ExtensionOffer {
  readonly name: string;
  readonly parameters: ReadonlyMap<string, string | true>;
  /** A parameter was there twice, which no known extension allows. */
  readonly repeats: boolean;
}

const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const WHOLE_TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;
const SPACE = /[ \t]*/y;

/**
 * Reads a Sec-WebSocket-Extensions header (RFC 6455, section 9.1):
 *
 *     extension *( "," extension ),  extension = token *( ";" token [ "=" ( token | quoted token ) ] )
 *
 * Returns null if it is malformed, upon which the handshake must fail.
 */
export function parseExtensions(header: string): readonly ExtensionOffer[] | null {
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(header);
    if (match !== null) at = pattern.lastIndex;
    return match;
  };
  const skip = (separator: string): boolean => {
    take(SPACE);
    if (header[at] !== separator) return false;
    at++;
    take(SPACE);
    return true;
  };

  const offers: ExtensionOffer[] = [];
  take(SPACE);
  do {
    const name = take(TOKEN);
    if (name === null) return null;
    const parameters = new Map<string, string | true>();
    let repeats = false;
    while (skip(';')) {
      const parameter = take(TOKEN);
      if (parameter === null) return null;
      let value: string | true = true;
      if (skip('=')) {
        const quoted = take(QUOTED);
        const given = quoted === null ? take(TOKEN)?.[0] : quoted[1].replaceAll(/\\(.)/g, '$1');
        // What is quoted must be a token all the same.
        if (given === undefined || !WHOLE_TOKEN.test(given)) return null;
        value = given;
      }
      repeats ||= parameters.has(parameter[0]);
      parameters.set(parameter[0], value);
    }
    offers.push({ name: name[0], parameters, repeats });
  } while (skip(','));
  return at === header.length ? offers : null;
}
