import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Attempt,
  type AttemptOutcome,
  mayRetry,
  mayRetryKeptAlive,
} from '../../../src/gateway/routes/attempt.ts';
import type { RouteOptions } from '../../../src/gateway/routes/options.ts';
import type { RetryRule } from '../../../src/gateway/routes/resilience.ts';
import { routeOf } from '../../../src/gateway/routes/route.ts';

const ruleOf = (retry: RouteOptions['retry']): RetryRule =>
  routeOf('r', { upstream: 'a', retry }).retry as RetryRule;

const status = (code: number): AttemptOutcome => ({ kind: 'status', status: code });

const attempt = (changes: Partial<Attempt>): Attempt => ({
  number: 1,
  method: 'GET',
  outcome: { kind: 'reset' },
  request: 'sent',
  replay: 'possible',
  ...changes,
});

test('what the rule lists is tried again, and nothing else', () => {
  const rule = ruleOf({});
  for (const outcome of [{ kind: 'connect' }, { kind: 'reset' }, status(503)] as const)
    assert.equal(mayRetry(rule, attempt({ outcome })), true, outcome.kind);
  for (const outcome of [{ kind: 'timeout' }, { kind: 'malformed' }, status(500), status(200)] as const)
    assert.equal(mayRetry(rule, attempt({ outcome })), false, outcome.kind);
  assert.equal(mayRetry(ruleOf({ on: ['timeout'] }), attempt({ outcome: { kind: 'timeout' } })), true);
  assert.equal(mayRetry(ruleOf({ on: ['timeout'] }), attempt({ outcome: { kind: 'connect' } })), false);
});

test('there are as many attempts as the rule says, the first one included', () => {
  const rule = ruleOf({ attempts: 3 });
  assert.deepEqual(
    [1, 2, 3].map((number) => mayRetry(rule, attempt({ number }))),
    [true, true, false],
  );
});

test('a method that may not be made twice is tried again only where the origin cannot have seen it, or on demand', () => {
  const rule = ruleOf({});
  for (const method of ['POST', 'PATCH', 'LOCK']) {
    assert.equal(mayRetry(rule, attempt({ method })), false, method);
    assert.equal(mayRetry(rule, attempt({ method, request: 'unsent' })), true, method);
    assert.equal(mayRetry(ruleOf({ methods: 'any' }), attempt({ method })), true, method);
  }
  for (const method of ['PUT', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE'])
    assert.equal(mayRetry(rule, attempt({ method })), true, method);
});

test('what cannot be sent again is not tried again', () => {
  assert.equal(mayRetry(ruleOf({ methods: 'any' }), attempt({ replay: 'impossible' })), false);
  assert.equal(mayRetryKeptAlive(attempt({ replay: 'impossible' })), false);
});

test('a kept connection that was closed is replaced once, without any rule, where that is safe', () => {
  assert.equal(mayRetryKeptAlive(attempt({})), true);
  assert.equal(mayRetryKeptAlive(attempt({ number: 2 })), false);
  assert.equal(mayRetryKeptAlive(attempt({ method: 'POST' })), false);
  assert.equal(mayRetryKeptAlive(attempt({ method: 'POST', request: 'unsent' })), true);
  assert.equal(mayRetryKeptAlive(attempt({ outcome: { kind: 'timeout' } })), false);
  assert.equal(mayRetryKeptAlive(attempt({ outcome: status(503) })), false);
});
