import type { Headers } from '../../listeners/port.ts';

/** RFC 9111, section 1.2.2: what is too large to be represented counts as this many seconds. */
const SECONDS_MAX = 2 ** 31;

/** The directives of a Cache-Control field by their names in lower case, with their arguments, unquoted; empty if there is none. */
export type Directives = ReadonlyMap<string, string>;

const NO_DIRECTIVES: Directives = new Map();

/** One directive: a token, and an argument that is a token or a quoted string (RFC 9111, section 5.2; RFC 9110, section 5.6). */
const DIRECTIVE = /([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:[\t ]*=[\t ]*(?:"((?:[^"\\]|\\.)*)"|([^\t ,"]*)))?/y;

/** The value of a field with all its lines as one list (RFC 9110, section 5.3); undefined if there is no such field. */
export function combinedField(headers: Headers, name: string): string | undefined {
  const first = headers.get(name);
  if (first === undefined) return undefined;
  const all = headers.all(name);
  return all.length === 1 ? first : all.join(', ');
}

/**
 * Reads Cache-Control. Where a directive is repeated with another argument, the argument is replaced by one that no directive takes, so
 * that a response counts as stale (RFC 9111, section 4.2.1) instead of one of the two being guessed. What follows a fault is read from
 * the next comma on: a directive that forbids something is found wherever it stands.
 */
export function readDirectives(headers: Headers): Directives {
  const text = combinedField(headers, 'cache-control');
  if (text === undefined) return NO_DIRECTIVES;
  const directives = new Map<string, string>();
  // Separators are skipped by hand: an expression that skipped them would do so again and again in a field of nothing else.
  for (let at = 0; at < text.length; ) {
    if (SEPARATORS.includes(text[at])) {
      at++;
      continue;
    }
    DIRECTIVE.lastIndex = at;
    const match = DIRECTIVE.exec(text);
    if (match === null) {
      const comma = text.indexOf(',', at);
      if (comma === -1) break;
      at = comma;
      continue;
    }
    at = DIRECTIVE.lastIndex;
    const name = match[1].toLowerCase();
    const argument = match[2] ?? match[3] ?? '';
    const known = directives.get(name);
    directives.set(name, known === undefined || known === argument ? argument : CONTRADICTION);
  }
  return directives;
}

const CONTRADICTION = '\0';
const SEPARATORS = ' \t,';

/**
 * The argument of a directive as seconds: undefined if the directive is absent, `invalid` if its argument is no whole number (RFC 9111,
 * section 4.2.1: such a response is stale).
 */
export function secondsOf(directives: Directives, name: string): number | 'invalid' | undefined {
  const argument = directives.get(name);
  if (argument === undefined) return undefined;
  if (!/^[0-9]+$/.test(argument)) return 'invalid';
  return Math.min(Number(argument), SECONDS_MAX);
}
