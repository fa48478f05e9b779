import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ERRORS, LIMITS, resolveLimits, TidegateError } from '../../src/kernel/index.ts';

test('every code is lower case with underscores, with a title and a hint that are sentences', () => {
  for (const [code, { title, hint }] of Object.entries(ERRORS)) {
    assert.match(code, /^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/);
    assert.match(title, /^[A-Z].*[^.]$/, code);
    assert.match(hint, /^[A-Z].*\.$/, code);
  }
});

test('the message of an error is its title and its detail; the code is for programs', () => {
  const error = new TidegateError('log_topic_unknown', '"x"');
  assert.equal(error.message, `${ERRORS.log_topic_unknown.title}: "x"`);
  assert.equal(new TidegateError('log_closed').message, ERRORS.log_closed.title);
  assert.equal(error.code, 'log_topic_unknown');
});

test('an error that is not ours becomes internal and keeps its cause', () => {
  const cause = new Error('a bug');
  const error = TidegateError.from(cause);
  assert.equal(error.code, 'internal');
  assert.equal(error.cause, cause);
  assert.equal(error.message.includes('a bug'), false);
  assert.equal(TidegateError.from(error), error);
});

test('every limit has its unit in its name, a default within its range, and a reason', () => {
  for (const [name, { default: value, min, max, why }] of Object.entries(LIMITS)) {
    assert.match(name, /(?:Max|Bytes|Ms)$/, name);
    assert.ok(min <= value && value <= max, name);
    assert.match(why, /^[A-Z].*\.$/, name);
  }
});

test('limits are the defaults with overrides in their place, and cannot be changed', () => {
  const limits = resolveLimits({ connectionsMax: 7 });
  assert.equal(limits.connectionsMax, 7);
  assert.equal(limits.topicsMax, LIMITS.topicsMax.default);
  assert.ok(Object.isFrozen(limits));
});
