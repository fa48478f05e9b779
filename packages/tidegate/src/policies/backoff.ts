import type { Random } from '../kernel/index.ts';

/** How pauses grow. */
export interface BackoffOptions {
  /** The longest pause before the first retry. */
  readonly backoffMs: number;
  /** What the longest pause does not grow beyond. */
  readonly backoffMaxMs: number;
}

const UINT32_RANGE = 2 ** 32;

/**
 * How long to wait before a retry: drawn evenly between nothing and a bound that doubles with each one (full jitter), so that those who
 * failed together do not come back together.
 * @param retry 1 for the first retry, which is the second attempt
 */
export function backoffDelayMs(
  { backoffMs, backoffMaxMs }: BackoffOptions,
  retry: number,
  random: Random,
): number {
  const bound = Math.min(backoffMaxMs, backoffMs * 2 ** (retry - 1));
  return (random.uint32() / UINT32_RANGE) * bound;
}
