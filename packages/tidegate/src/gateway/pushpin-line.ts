import { TidegateError } from '../kernel/index.ts';

/** One word of a line: a condition or a target, with what is said of it. */
export interface PushpinSection {
  /** What stands first; empty if the word begins with a property. */
  readonly value: string;
  /** In their order; a name can be there several times. The text is empty for a name alone. */
  readonly properties: readonly (readonly [name: string, text: string])[];
}

/** @throws TidegateError routes_file_invalid */
export function refuseLine(line: number, what: string): never {
  throw new TidegateError('routes_file_invalid', `Line ${line}: ${what}.`);
}

/**
 * Reads a line of Pushpin's routes file: words with spaces between them, each a list of parts with commas between them. What stands in
 * double quotes may hold all of these; within, a backslash stands before a quote or a backslash. `#` begins a comment.
 * @throws TidegateError routes_file_invalid
 */
export function parsePushpinLine(text: string, line: number): readonly PushpinSection[] {
  const words: string[][] = [];
  let word: string[] | null = null;
  let at = 0;
  while (at < text.length) {
    const character = text[at];
    if (character === '#') break;
    if (character === ' ' || character === '\t') {
      word = null;
      at++;
      continue;
    }
    if (word === null) {
      word = [''];
      words.push(word);
    }
    if (character === ',') {
      word.push('');
      at++;
    } else if (character === '"') {
      const quoted = readQuoted(text, at, line);
      word[word.length - 1] += quoted.text;
      at = quoted.end;
    } else {
      word[word.length - 1] += character;
      at++;
    }
  }
  return words.map((parts) => sectionOf(parts, line));
}

/** The text in quotes that begins at `start`, and where it is over. */
function readQuoted(
  text: string,
  start: number,
  line: number,
): { readonly text: string; readonly end: number } {
  let inner = '';
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '"') return { text: inner, end: at + 1 };
    if (text[at] === '\\') {
      at++;
      if (text[at] !== '"' && text[at] !== '\\')
        return refuseLine(line, 'within quotes, a backslash stands before a quote or a backslash only');
    }
    inner += text[at];
  }
  return refuseLine(line, 'a quote is not closed');
}

function sectionOf(parts: readonly string[], line: number): PushpinSection {
  const hasValue = !parts[0].includes('=');
  const properties = parts.slice(hasValue ? 1 : 0).map((part): readonly [string, string] => {
    const equals = part.indexOf('=');
    const name = equals === -1 ? part : part.slice(0, equals);
    if (name === '') return refuseLine(line, 'a property has no name');
    return [name, equals === -1 ? '' : part.slice(equals + 1)];
  });
  return { value: hasValue ? parts[0] : '', properties };
}
