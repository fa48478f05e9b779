import { SlidingCounts } from './sliding-counts.ts';

/** How many retries there may be. */
export interface RetryBudgetOptions {
  /** Of the requests of the window. */
  readonly budgetPercent: number;
}

/** What a budget looks back on. */
const WINDOW_MS = 10_000;
/** Retries there may always be: a share of few requests is nothing. */
const RETRIES_PER_SECOND_MIN = 1;

/**
 * Bounds retries to a share of the requests: an origin that fails because it has too much to do does not get a multiple of it.
 * Counted for each route, in each process.
 */
export class RetryBudget {
  readonly #share: number;
  readonly #requests = new SlidingCounts(WINDOW_MS);
  readonly #retries = new SlidingCounts(WINDOW_MS);

  constructor({ budgetPercent }: RetryBudgetOptions) {
    this.#share = budgetPercent / 100;
  }

  /** A request has begun: its first attempt. */
  countRequest(nowMs: number): void {
    this.#requests.add(nowMs);
  }

  /** Takes a retry out of the budget; false if there is none left, and the request has to fail. */
  take(nowMs: number): boolean {
    const minimum = RETRIES_PER_SECOND_MIN * (WINDOW_MS / 1000);
    const allowed = Math.max(minimum, this.#share * this.#requests.total(nowMs));
    if (this.#retries.total(nowMs) + 1 > allowed) return false;
    this.#retries.add(nowMs);
    return true;
  }
}
