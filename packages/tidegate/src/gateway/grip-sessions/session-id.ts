import { Buffer, isUtf8 } from 'node:buffer';
import type { SessionRule } from '../../wire/grip/index.ts';
import { valueAt } from '../../wire/json-patch/index.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: They are what a field cannot have.
const BREAKS_FIELD = /[\x00-\x1f\x7f]/;

/**
 * The id of the session that a request belongs to, by the first rule that finds one: at the JSON pointer (RFC 6901) in the body, or in the JSON that a parameter of a
 * form in the body has. Null if there is none, or none that a field can carry.
 */
export function sessionIdIn(body: Buffer, rules: readonly SessionRule[], bytesMax: number): string | null {
  if (!isUtf8(body)) return null;
  const text = body.toString('utf8');
  for (const { sidPointer, jsonParam } of rules) {
    const json = jsonParam === null ? text : new URLSearchParams(text).get(jsonParam);
    const id = valueAt(json === null ? undefined : parsed(json), sidPointer);
    if (typeof id === 'string' && isUsable(id, bytesMax)) return id;
  }
  return null;
}

/** Whether an id can be told to an origin, and remembered. */
export function isUsable(id: string, bytesMax: number): boolean {
  return id !== '' && id.trim() === id && Buffer.byteLength(id) <= bytesMax && !BREAKS_FIELD.test(id);
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
