import { TidegateError } from '../kernel/index.ts';
import { looksLikeCursor } from './cursor.ts';
import type { StartPosition } from './port.ts';

const LAST = /^-([0-9]{1,9})$/;
// RFC 3339, section 5.6. Date.parse accepts much more, so the form is checked here and the calendar there.
const TIME = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$/;

/**
 * Reads the value of `from`: `latest`, `earliest`, `-N`, an RFC 3339 time, or a cursor.
 * @throws TidegateError position_invalid
 */
export function parsePosition(text: string): StartPosition {
  if (text === 'latest') return { kind: 'latest' };
  if (text === 'earliest') return { kind: 'earliest' };
  const last = LAST.exec(text);
  if (last !== null) return { kind: 'last', count: Number(last[1]) };
  if (TIME.test(text)) {
    const timeMs = Date.parse(text.toUpperCase());
    if (Number.isNaN(timeMs)) throw new TidegateError('position_invalid', 'There is no such date or time');
    return { kind: 'time', timeMs };
  }
  if (looksLikeCursor(text)) return { kind: 'cursor', cursor: text };
  throw new TidegateError('position_invalid', 'It is none of latest, earliest, -N, a time or a cursor');
}
