import { Buffer } from 'node:buffer';
import { EMPTY, type Line, lineJson, readLineJson } from '../kernel/index.ts';
import type { Attempts, KnownFailures } from './attempts.ts';

/** Counts failed attempts together with a worker: what one process hears, the owner passes on to all. */
export function serveAttempts(line: Line, attempts: Attempts): void {
  passOn(line, attempts);
  line.onAsked('attempts', (_question, answer) => answer(lineJson(attempts.known())));
}

/** Counts failed attempts together with the owner, and takes over what it knows already. */
export function joinAttempts(line: Line, attempts: Attempts): void {
  passOn(line, attempts);
  line.ask('attempts', EMPTY, (error, known) => {
    if (error === null) attempts.learn(readLineJson<readonly KnownFailures[]>(known));
  });
}

function passOn(line: Line, attempts: Attempts): void {
  const tell = (group: string): void => line.tell('attempts', Buffer.from(group));
  const forget = attempts.onFailure(tell);
  line.onTold('attempts', (message) => attempts.counted(message.toString('utf8'), tell));
  line.onClosed(forget);
}
