import { parseTimestamp, TidegateError } from '../kernel/index.ts';
import { looksLikeCursor } from './cursor.ts';
import type { StartPosition } from './port.ts';

const LAST = /^-([0-9]{1,9})$/;

/**
 * Reads the value of `from`: `latest`, `earliest`, `-N`, an RFC 3339 time, or a cursor.
 * @throws TidegateError position_invalid
 */
export function parsePosition(text: string): StartPosition {
  if (text === 'latest') return { kind: 'latest' };
  if (text === 'earliest') return { kind: 'earliest' };
  const last = LAST.exec(text);
  if (last !== null) return { kind: 'last', count: Number(last[1]) };
  const timeMs = parseTimestamp(text);
  if (timeMs !== null) return { kind: 'time', timeMs };
  if (looksLikeCursor(text)) return { kind: 'cursor', cursor: text };
  throw new TidegateError('position_invalid', 'It is none of latest, earliest, -N, a time or a cursor');
}
