export { type BackoffOptions, backoffDelayMs } from './backoff.ts';
export { Bulkhead, type BulkheadGuest, type BulkheadOptions, type BulkheadPlace } from './bulkhead.ts';
export {
  type CallOutcome,
  type CallTicket,
  CircuitBreaker,
  type CircuitBreakerOptions,
  type CircuitState,
} from './circuit-breaker.ts';
export {
  assertInTime,
  type DeadlineFields,
  deadlineField,
  deadlineOf,
  REQUEST_TIMEOUT_HEADER,
  timeLeftMs,
} from './deadline.ts';
export { HealthState, type HealthStateOptions } from './health-state.ts';
export { OutlierEjection, type OutlierEjectionOptions } from './outlier-ejection.ts';
export { RetryBudget, type RetryBudgetOptions } from './retry-budget.ts';
export { SlidingCounts } from './sliding-counts.ts';
export { slowStartShare } from './slow-start.ts';
