import { Buffer } from 'node:buffer';
import type { Line } from '../kernel/index.ts';
import type { Attempts } from './attempts.ts';

/**
 * Counts failed attempts together with the process at the other end of a line. The owner tells each worker what it hears of the others, so
 * that all count the same.
 */
export function shareAttempts(line: Line, attempts: Attempts): void {
  const tell = (group: string): void => line.tell('attempts', Buffer.from(group));
  const forget = attempts.onFailure(tell);
  line.onTold('attempts', (message) => attempts.counted(message.toString('utf8'), tell));
  line.onClosed(forget);
}
