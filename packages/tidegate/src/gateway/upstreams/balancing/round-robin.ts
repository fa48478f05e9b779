import { type Balancer, type Candidate, isEligible } from './candidate.ts';

/**
 * In turn, by weight, and smoothly: a target with 5 of 7 shares gets its five spread over the seven, not in a row. Each has a credit, which
 * grows by its weight at every choice; the largest is chosen and pays for all.
 */
export function roundRobin<Target extends Candidate>(candidates: readonly Target[]): Balancer<Target> {
  const credits = new Float64Array(candidates.length);
  return (_hash, tried) => {
    let total = 0;
    let best = -1;
    for (let index = 0; index < candidates.length; index++) {
      const candidate = candidates[index];
      if (!isEligible(candidate, tried)) continue;
      const { weight } = candidate;
      total += weight;
      credits[index] += weight;
      if (best === -1 || credits[index] > credits[best]) best = index;
    }
    if (best === -1) return null;
    credits[best] -= total;
    return candidates[best];
  };
}
