/** At night hardly anything leaves, so the day is begun again before it. */
const FIRST_MINUTE = 6 * 60 + 30;
const LAST_MINUTE = 22 * 60;

/**
 * The minute after midnight that the boards show.
 * @param elapsedMs since the first one
 * @param speed how many seconds of the boards pass in one
 */
export function minuteAfter(elapsedMs: number, speed: number): number {
  const minutes = Math.floor((elapsedMs * speed) / 60_000);
  return FIRST_MINUTE + (minutes % (LAST_MINUTE - FIRST_MINUTE));
}
