const SECONDS = /^[0-9]{1,10}(?:\.[0-9]{1,9})?$/;

/** A number of seconds that was written as text; NaN if it is none. */
export function secondsOf(text: string): number {
  return SECONDS.test(text) ? Number(text) : Number.NaN;
}
