import { setTimeout as delay } from 'node:timers/promises';

/** Pushpin's shortest time-outs take six seconds, of which none is measured: this is when a scenario is given up. */
const PATIENCE_MS = 25_000;
const INTERVAL_MS = 5;

/** Waits until a condition holds. */
export async function until(condition: () => boolean, what: () => string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what()}`);
    await delay(INTERVAL_MS);
  }
}

/** Does something again and again until a condition holds: at least once. */
export async function repeatUntil(
  act: () => Promise<unknown>,
  condition: () => boolean,
  what: () => string,
): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  do {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what()}`);
    await act();
    // What was done shows a moment later: without a pause it would be done many times more than needed.
    const pause = performance.now() + 100;
    while (!condition() && performance.now() < pause) await delay(INTERVAL_MS);
  } while (!condition());
}
