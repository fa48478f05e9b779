import type { Random } from '../../../kernel/index.ts';
import { type Balancer, type Candidate, isEligible } from './candidate.ts';

const UINT32_RANGE = 2 ** 32;

/**
 * Draws two targets, by weight, and chooses the one with fewer requests for its weight. The best of all would be what every process
 * chooses at the same time; the better of two spreads nearly as well and never gathers all on one.
 */
export function leastConnections<Target extends Candidate>(
  candidates: readonly Target[],
  random: Random,
): Balancer<Target> {
  /** Draws one of those that may be chosen, but for `other`, whose weights add up to `total`. */
  const draw = (total: number, tried: readonly Target[], other: Target | null): Target | null => {
    let left = (random.uint32() / UINT32_RANGE) * total;
    let last: Target | null = null;
    for (const candidate of candidates) {
      if (candidate === other || !isEligible(candidate, tried)) continue;
      last = candidate;
      left -= candidate.weight;
      if (left < 0) return candidate;
    }
    // What was lost by rounding is the last one's.
    return last;
  };

  return (_hash, tried) => {
    let total = 0;
    for (const candidate of candidates) if (isEligible(candidate, tried)) total += candidate.weight;
    const first = draw(total, tried, null);
    if (first === null) return null;
    const second = draw(total - first.weight, tried, first);
    if (second === null) return first;
    return second.active / second.weight < first.active / first.weight ? second : first;
  };
}
