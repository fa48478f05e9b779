import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type CallOutcome,
  CircuitBreaker,
  type CircuitBreakerOptions,
} from '../../src/policies/circuit-breaker.ts';

const OPTIONS: CircuitBreakerOptions = {
  failures: 3,
  percent: 50,
  withinMs: 10_000,
  openForMs: 5_000,
  openForMaxMs: 15_000,
  trials: 1,
};

/** Makes a call that ends at once; returns whether it was let through. */
function call(breaker: CircuitBreaker, nowMs: number, outcome: CallOutcome): boolean {
  const ticket = breaker.admit(nowMs);
  if (ticket === null) return false;
  breaker.settle(ticket, outcome, nowMs);
  return true;
}

function opened(options: Partial<CircuitBreakerOptions> = {}, nowMs = 0): CircuitBreaker {
  const breaker = new CircuitBreaker({ ...OPTIONS, ...options });
  for (let i = 0; i < OPTIONS.failures; i++) call(breaker, nowMs, 'failure');
  assert.equal(breaker.state(nowMs), 'open');
  return breaker;
}

test('a circuit opens at the given number of failures, and lets nothing through until its time is over', () => {
  const breaker = new CircuitBreaker(OPTIONS);
  assert.ok(call(breaker, 0, 'failure'));
  assert.ok(call(breaker, 1, 'failure'));
  assert.equal(breaker.state(1), 'closed');
  assert.ok(call(breaker, 2, 'failure'));
  assert.equal(breaker.state(2), 'open');
  for (const nowMs of [2, 3, 5_001]) assert.ok(!call(breaker, nowMs, 'success'), `${nowMs}`);
  assert.equal(breaker.retryAfterMs(3), 4_999);
  assert.equal(breaker.state(5_002), 'half_open');
  assert.equal(breaker.retryAfterMs(5_002), 0);
});

test('failures that are further apart than the window do not open it', () => {
  const breaker = new CircuitBreaker(OPTIONS);
  for (let i = 0; i < 50; i++) call(breaker, i * 5_000, 'failure');
  assert.equal(breaker.state(250_000), 'closed');
});

test('a few failures among many successes do not open it', () => {
  const breaker = new CircuitBreaker(OPTIONS);
  for (let i = 0; i < 100; i++) call(breaker, i, 'success');
  for (let i = 0; i < 99; i++) call(breaker, 100, 'failure');
  assert.equal(breaker.state(100), 'closed');
  call(breaker, 100, 'failure');
  assert.equal(breaker.state(100), 'open');
});

test('what tells nothing of the origin is not counted', () => {
  const breaker = new CircuitBreaker(OPTIONS);
  for (let i = 0; i < 100; i++) call(breaker, 0, 'unknown');
  for (let i = 0; i < 3; i++) call(breaker, 0, 'failure');
  assert.equal(breaker.state(0), 'open');
});

test('half-open, one trial is let through at a time, and its success closes the circuit', () => {
  const breaker = opened();
  const trial = breaker.admit(5_000);
  assert.notEqual(trial, null);
  assert.equal(breaker.admit(5_000), null);
  breaker.settle(trial as number, 'success', 5_100);
  assert.equal(breaker.state(5_100), 'closed');
  call(breaker, 5_100, 'failure');
  assert.equal(breaker.state(5_100), 'closed');
});

test('a trial that fails opens the circuit again, for twice as long, up to a bound', () => {
  const breaker = opened();
  let nowMs = 5_000;
  for (const openForMs of [10_000, 15_000, 15_000]) {
    assert.ok(call(breaker, nowMs, 'failure'));
    assert.equal(breaker.retryAfterMs(nowMs), openForMs);
    nowMs += openForMs;
  }
  assert.ok(call(breaker, nowMs, 'success'));
  for (let i = 0; i < 3; i++) call(breaker, nowMs, 'failure');
  assert.equal(breaker.retryAfterMs(nowMs), OPTIONS.openForMs);
});

test('with several trials all have to succeed', () => {
  const breaker = opened({ trials: 2 });
  const [first, second] = [breaker.admit(5_000), breaker.admit(5_000)];
  assert.equal(breaker.admit(5_000), null);
  breaker.settle(first as number, 'success', 5_001);
  assert.equal(breaker.state(5_001), 'half_open');
  assert.equal(breaker.admit(5_001), null);
  breaker.settle(second as number, 'success', 5_002);
  assert.equal(breaker.state(5_002), 'closed');
});

test('a trial that tells nothing makes room for another', () => {
  const breaker = opened();
  assert.ok(call(breaker, 5_000, 'unknown'));
  assert.equal(breaker.state(5_000), 'half_open');
  assert.ok(call(breaker, 5_000, 'success'));
  assert.equal(breaker.state(5_000), 'closed');
});

test('a call that began before the circuit opened says nothing of what it is now', () => {
  const breaker = new CircuitBreaker(OPTIONS);
  const late = breaker.admit(0) as number;
  for (let i = 0; i < 3; i++) call(breaker, 0, 'failure');
  breaker.settle(late, 'success', 10);
  assert.equal(breaker.state(10), 'open');
  const trial = breaker.admit(5_000) as number;
  breaker.settle(late, 'failure', 5_001);
  assert.equal(breaker.state(5_001), 'half_open');
  breaker.settle(trial, 'success', 5_002);
  assert.equal(breaker.state(5_002), 'closed');
});

test('whatever happens, an open circuit lets nothing through, and one that is asked long after lets a trial through', () => {
  const step = fc.record({
    passedMs: fc.nat(8_000),
    outcome: fc.constantFrom<CallOutcome>('success', 'failure', 'unknown'),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const breaker = new CircuitBreaker(OPTIONS);
      let nowMs = 0;
      for (const { passedMs, outcome } of steps) {
        nowMs += passedMs;
        const state = breaker.state(nowMs);
        assert.equal(call(breaker, nowMs, outcome), state !== 'open');
      }
      assert.ok(call(breaker, nowMs + OPTIONS.openForMaxMs, 'success'));
    }),
  );
});
