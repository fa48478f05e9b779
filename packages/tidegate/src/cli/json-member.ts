const QUOTE = '"';
const CLOSERS: ReadonlySet<string> = new Set(['}', ']']);
const OPENERS: ReadonlySet<string> = new Set(['{', '[']);

/** The position after the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== QUOTE) at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

/** The position after the value that begins at `start`: at the comma or the brace that follows it. */
function endOfValue(text: string, start: number): number {
  let depth = 0;
  let at = start;
  while (at < text.length) {
    const character = text[at];
    if (character === QUOTE) {
      at = endOfString(text, at);
      continue;
    }
    if (depth === 0 && (character === ',' || CLOSERS.has(character))) break;
    if (OPENERS.has(character)) depth++;
    if (CLOSERS.has(character)) depth--;
    at++;
  }
  return at;
}

/**
 * The source text of the member `name` of a JSON object, as it was written: parsing and writing it again would change
 * numbers that JavaScript cannot hold, and spacing. Undefined if there is no such member. The text must be valid JSON.
 */
export function memberSource(text: string, name: string): string | undefined {
  let at = text.indexOf('{') + 1;
  while (at > 0 && at < text.length) {
    const keyStart = text.indexOf(QUOTE, at);
    if (keyStart === -1) return undefined;
    const keyEnd = endOfString(text, keyStart);
    const valueStart = text.indexOf(':', keyEnd) + 1;
    const valueEnd = endOfValue(text, valueStart);
    if (JSON.parse(text.slice(keyStart, keyEnd)) === name) return text.slice(valueStart, valueEnd).trim();
    at = valueEnd + 1;
  }
  return undefined;
}
