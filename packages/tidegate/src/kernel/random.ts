import { randomFillSync } from 'node:crypto';

/** Randomness, injected so that a seed replays a run. */
export interface Random {
  /** An integer, uniform over 0 to 2^32 - 1. */
  uint32(): number;
}

const POOL_WORDS = 256;
const pool = new Uint32Array(POOL_WORDS);
let used = POOL_WORDS;

/** Unpredictable: fit for epochs and secrets. */
export const systemRandom: Random = {
  uint32() {
    if (used === POOL_WORDS) {
      randomFillSync(pool);
      used = 0;
    }
    return pool[used++];
  },
};

/**
 * Reproducible: the same seed gives the same numbers (xorshift128, seeded by splitmix32). For simulations and
 * property tests only.
 */
export function seededRandom(seed: number): Random {
  let mix = seed | 0;
  const splitmix = (): number => {
    mix = (mix + 0x9e3779b9) | 0;
    let z = mix;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  };
  let [a, b, c, d] = [splitmix() | 1, splitmix(), splitmix(), splitmix()];
  return {
    uint32() {
      const t = a ^ (a << 11);
      a = b;
      b = c;
      c = d;
      d = d ^ (d >>> 19) ^ t ^ (t >>> 8);
      return d >>> 0;
    },
  };
}
