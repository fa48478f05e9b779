/** What a target gets at once: nothing at all would tell nothing of it. */
const SHARE_MIN = 0.1;

/**
 * The share of its weight that a target has which became healthy a while ago: it grows evenly from a tenth to all of it, so that caches
 * and pools fill before the load is full.
 * @param slowStartMs how long that takes; 0 for the full share at once
 */
export function slowStartShare(healthySinceMs: number, slowStartMs: number, nowMs: number): number {
  if (slowStartMs === 0) return 1;
  return Math.min(1, Math.max(SHARE_MIN, (nowMs - healthySinceMs) / slowStartMs));
}
