import type { Clock, Random } from '../../kernel/index.ts';
import { backoffDelayMs, type RetryBudget } from '../../policies/index.ts';
import { type Attempt, type AttemptOutcome, mayRetry } from '../routes/attempt.ts';
import type { RetryRule } from '../routes/resilience.ts';
import type { OriginFailure } from './exchange.ts';

/** What a failure is to the rules of retries. */
export function outcomeOf({ error, reached }: OriginFailure): AttemptOutcome {
  if (reached === 'nothing') return { kind: 'connect' };
  switch (error.code) {
    case 'upstream_timeout':
      return { kind: 'timeout' };
    case 'upstream_malformed':
      return { kind: 'malformed' };
    default:
      return { kind: 'reset' };
  }
}

/** Decides about the further attempts of one request, by the rule of its route. */
export class RetryRun {
  readonly #rule: RetryRule;
  readonly #budget: RetryBudget;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #retried: () => void;

  /** @param retried hears of each attempt that is made again */
  constructor(rule: RetryRule, budget: RetryBudget, clock: Clock, random: Random, retried: () => void) {
    this.#rule = rule;
    this.#budget = budget;
    this.#clock = clock;
    this.#random = random;
    this.#retried = retried;
    budget.countRequest(clock.monotonicMs());
  }

  /** How long to wait before the next attempt, in milliseconds; null if there is to be none. */
  pauseAfter(attempt: Attempt): number | null {
    if (!mayRetry(this.#rule, attempt) || !this.#budget.take(this.#clock.monotonicMs())) return null;
    this.#retried();
    return backoffDelayMs(this.#rule, attempt.number, this.#random);
  }
}
