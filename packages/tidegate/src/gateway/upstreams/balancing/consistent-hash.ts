import { type Balancer, type Candidate, isEligible } from './candidate.ts';

const UINT32_RANGE = 2 ** 32;

/** A 32-bit number of a text, evenly spread. The same in every process, so that all choose alike. */
export function hashOfText(text: string): number {
  let hash = 0x811c9dc5 ^ text.length;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x5bd1e995);
    hash ^= hash >>> 15;
  }
  return mixed(hash, 0);
}

/** Two numbers as one, in which every bit of both counts. */
function mixed(a: number, b: number): number {
  let hash = Math.imul(a ^ (b >>> 16) ^ (b << 16), 0x85ebca6b) ^ b;
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  hash ^= hash >>> 12;
  hash = Math.imul(hash, 0x297a2d39);
  return (hash ^ (hash >>> 15)) >>> 0;
}

/**
 * Chooses by hash (highest random weight, also called rendezvous): each target has a number for each hash, and the largest is
 * chosen. Without a target only its own requests go elsewhere, spread over all others, and when it is back they come back; a ring with points
 * would do so less evenly, and would have to be built anew for weights. Takes a step for each target.
 */
export function consistentHash<Target extends Candidate>(candidates: readonly Target[]): Balancer<Target> {
  const keys = Uint32Array.from(candidates, ({ key }) => hashOfText(key));
  return (hash, tried) => {
    let best: Target | null = null;
    let bestScore = Number.NEGATIVE_INFINITY;
    for (let index = 0; index < candidates.length; index++) {
      const candidate = candidates[index];
      if (!isEligible(candidate, tried)) continue;
      // The largest of -w / ln(u), with u even in (0, 1), is each target's as often as its weight says.
      const score = -candidate.weight / Math.log((mixed(hash, keys[index]) + 0.5) / UINT32_RANGE);
      if (score <= bestScore) continue;
      best = candidate;
      bestScore = score;
    }
    return best;
  };
}
