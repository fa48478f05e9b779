import { systemClock } from './clock.ts';

/** Somebody who has something to send that may wait for the end of a turn of the event loop. */
export interface HoldsWrites {
  /** Sends it. It may have been sent already, or be nobody's any more. */
  sendHeld(): void;
}

/** So many hold something at a time at most, which bounds how long the first of them waits for what has arrived after it. */
const HOLDERS_MAX = 32;

// One list for the process, and the machine's own turns: sockets are real, whatever clock those who use them go by.
let held: HoldsWrites[] = [];

/**
 * Has `sendHeld` called once all that has arrived in this turn of the event loop is handled. What many requests cause is then sent in one go: a process at
 * the other end wakes up once for several of them, and waking it costs the sender as much as sending does. Under little load nothing else has
 * arrived, and nothing waits.
 * @param holder which has what it is to send
 */
export function holdWrites(holder: HoldsWrites): void {
  if (held.push(holder) === 1) systemClock.endOfTurn(release);
  else if (held.length === HOLDERS_MAX) release();
}

function release(): void {
  const holders = held;
  held = [];
  let sent = 0;
  try {
    while (sent < holders.length) holders[sent++].sendHeld();
  } finally {
    // What goes wrong with one must not keep the others from being sent.
    while (sent < holders.length) holdWrites(holders[sent++]);
  }
}
