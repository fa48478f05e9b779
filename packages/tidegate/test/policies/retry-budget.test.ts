import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RetryBudget } from '../../src/policies/retry-budget.ts';

/** How many retries the budget gives at a time. */
function taken(budget: RetryBudget, nowMs: number): number {
  let count = 0;
  while (count < 10_000 && budget.take(nowMs)) count++;
  return count;
}

test('retries are a share of the requests of the last ten seconds', () => {
  const budget = new RetryBudget({ budgetPercent: 20 });
  for (let i = 0; i < 1000; i++) budget.countRequest(50_000);
  assert.equal(taken(budget, 50_000), 200);
  assert.equal(taken(budget, 58_999), 0);
  for (let i = 0; i < 500; i++) budget.countRequest(61_000);
  assert.equal(taken(budget, 61_000), 100);
});

test('one retry a second there may be however few requests there are', () => {
  const budget = new RetryBudget({ budgetPercent: 20 });
  budget.countRequest(0);
  assert.equal(taken(budget, 0), 10);
  assert.equal(taken(budget, 8_999), 0);
  assert.equal(taken(budget, 10_000), 10);
});

test('an origin that fails everything gets no more than the share on top', () => {
  const budget = new RetryBudget({ budgetPercent: 10 });
  let retries = 0;
  for (let nowMs = 0; nowMs < 60_000; nowMs++) {
    budget.countRequest(nowMs);
    if (budget.take(nowMs)) retries++;
  }
  assert.ok(retries <= 6_000 * 1.12 && retries >= 5_900, `${retries}`);
});
