/*
 * SockJS protocol 0.3.3, "Framing accepted by the client":
 *
 * frame = "o"                            a session has begun
 *       / "h"                            there is still somebody
 *       / "a" JSON array of strings      messages
 *       / "c" JSON array: code, reason   the session has ended
 */

export const OPEN = 'o';
export const HEARTBEAT = 'h';

/** Characters that browsers change on their way, and surrogates without their other half, which no encoding has. */
const PROBLEMATIC =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: JSON has escaped most of them, and the rest is to be.
  /[\x00-\x1f\ud800-\udfff\u200c-\u200f\u2028-\u202f\u2060-\u206f\ufff0-\uffff]/g;

/** A message as it stands in a frame: a JSON string in which all that browsers trip over is escaped. */
export function quoteMessage(message: string): string {
  return JSON.stringify(message).replace(PROBLEMATIC, escaped);
}

/** @param quoted messages as `quoteMessage` makes them */
export function messagesFrame(quoted: readonly string[]): string {
  return `a[${quoted.join(',')}]`;
}

export function closeFrame(code: number, reason: string): string {
  return `c[${code},${quoteMessage(reason)}]`;
}

function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
