import { hasMember } from './json-value.ts';

/** A tilde that is not the beginning of an escape (RFC 6901, section 3). */
const STRAY_TILDE = /~(?![01])/;
/** An array index has no leading zeros (RFC 6901, section 4). */
const INDEX = /^(?:0|[1-9][0-9]{0,9})$/;

/**
 * The reference tokens of a JSON pointer (RFC 6901), unescaped; null if it is not one. The empty pointer, which is the whole
 * document, has none.
 */
export function parsePointer(pointer: string): readonly string[] | null {
  if (pointer === '') return [];
  if (pointer.charCodeAt(0) !== 0x2f || STRAY_TILDE.test(pointer)) return null;
  const tokens = pointer.slice(1).split('/');
  if (!pointer.includes('~')) return tokens;
  // Section 4: first ~1, then ~0, so that ~01 becomes ~1 and not a slash.
  return tokens.map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** The JSON pointer of these reference tokens. */
export function formatPointer(tokens: readonly string[]): string {
  let pointer = '';
  for (const token of tokens) {
    pointer += `/${token.includes('~') || token.includes('/') ? token.replaceAll('~', '~0').replaceAll('/', '~1') : token}`;
  }
  return pointer;
}

/** The index that a token names in an array, which may lie beyond its end; -1 if it names none. */
export function indexOfToken(token: string): number {
  return INDEX.test(token) ? Number(token) : -1;
}

/** The value that a pointer refers to (RFC 6901, section 4); undefined if there is none, or if this is not a pointer. */
export function valueAt(document: unknown, pointer: string): unknown {
  const tokens = parsePointer(pointer);
  if (tokens === null) return undefined;
  let value = document;
  for (const token of tokens) {
    if (Array.isArray(value)) {
      const index = indexOfToken(token);
      if (index === -1 || index >= value.length) return undefined;
      value = value[index];
    } else {
      if (!hasMember(value, token)) return undefined;
      value = value[token];
    }
  }
  return value;
}
