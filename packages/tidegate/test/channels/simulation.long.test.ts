import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Plan, simulate } from './simulation.ts';

// The simulation of simulation.test.ts, with everything at once, for longer.

const PLANS: readonly (Omit<Plan, 'seed'> & { readonly seeds: number })[] = [
  { backend: 'memory', seeds: 600, steps: 600, failuresPercent: 0, throwsPercent: 0, retention: 'ample' },
  { backend: 'memory', seeds: 300, steps: 1200, failuresPercent: 10, throwsPercent: 2, retention: 'scarce' },
  { backend: 'lmdb', seeds: 30, steps: 400, failuresPercent: 5, throwsPercent: 1, retention: 'scarce' },
  { backend: 'lmdb', seeds: 20, steps: 400, failuresPercent: 0, throwsPercent: 0, retention: 'ample' },
];

for (const { seeds, ...plan } of PLANS) {
  const { backend, steps, retention } = plan;
  test(`${seeds} worlds of ${steps} steps on ${backend}, with ${retention} retention: nothing is lost silently`, async () => {
    const total = { stored: 0, refused: 0, gaps: 0 };
    for (let seed = 1; seed <= seeds; seed++) {
      const { stored, refused, gaps } = await simulate({ ...plan, seed: 1000 + seed });
      total.stored += stored;
      total.refused += refused;
      total.gaps += gaps;
    }
    assert.ok(total.stored > seeds * steps, `${total.stored} messages`);
    assert.equal(total.refused > 0, plan.failuresPercent > 0);
    assert.ok(retention === 'ample' || total.gaps > seeds, `${total.gaps} gaps`);
  });
}
