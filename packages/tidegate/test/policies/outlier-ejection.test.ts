import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OutlierEjection, type OutlierEjectionOptions } from '../../src/policies/outlier-ejection.ts';

const OPTIONS: OutlierEjectionOptions = {
  failures: 3,
  withinMs: 10_000,
  ejectForMs: 30_000,
  ejectForMaxMs: 70_000,
  ejectedPercentMax: 50,
};

const targets = (count: number): { readonly name: string }[] =>
  Array.from({ length: count }, (_, index) => ({ name: `t${index}` }));

/** Fails a target until it is ejected or for `times`; returns whether it was. */
function failing<Target extends object>(
  ejection: OutlierEjection<Target>,
  target: Target,
  nowMs: number,
  times = 3,
): boolean {
  let ejected = false;
  for (let i = 0; i < times && !ejected; i++) ejected = ejection.fail(target, nowMs);
  return ejected;
}

test('a target that fails so many requests within the window is left alone for a while', () => {
  const [a, b] = targets(2);
  const ejection = new OutlierEjection(OPTIONS, [a, b]);
  assert.ok(!failing(ejection, a, 0, 2));
  assert.ok(!ejection.isEjected(a, 0));
  assert.ok(!ejection.fail(a, 10_000), 'the first two are out of the window');
  assert.ok(failing(ejection, a, 10_001));
  assert.ok(ejection.isEjected(a, 40_000));
  assert.ok(!ejection.isEjected(a, 40_001));
  assert.ok(!ejection.isEjected(b, 40_000));
});

test('a target that is ejected again soon is left alone for longer, up to a bound, and lives that down', () => {
  const [a, b] = targets(2);
  const ejection = new OutlierEjection(OPTIONS, [a, b]);
  let nowMs = 0;
  for (const ejectedMs of [30_000, 60_000, 70_000]) {
    assert.ok(failing(ejection, a, nowMs));
    assert.ok(ejection.isEjected(a, nowMs + ejectedMs - 1));
    nowMs += ejectedMs;
    assert.ok(!ejection.isEjected(a, nowMs), `${ejectedMs}`);
  }
  nowMs += 3 * OPTIONS.ejectForMs;
  assert.ok(failing(ejection, a, nowMs));
  assert.ok(!ejection.isEjected(a, nowMs + 30_000));
});

test('never more of the targets are ejected than their share', () => {
  const all = targets(5);
  const ejection = new OutlierEjection(OPTIONS, all);
  const ejected = all.filter((target) => failing(ejection, target, 0, 50));
  assert.deepEqual(ejected, all.slice(0, 2));
  assert.ok(ejection.fail(all[2], 30_000 - 20_001) === false);
});

test('a single target is never ejected, unless all may be', () => {
  const [only] = targets(1);
  assert.ok(!failing(new OutlierEjection(OPTIONS, [only]), only, 0, 50));
  const unbounded = new OutlierEjection({ ...OPTIONS, ejectedPercentMax: 100 }, [only]);
  assert.ok(failing(unbounded, only, 0));
});

test('what is known of a target stays when the list of targets is another one', () => {
  const [a, b, c] = targets(3);
  const before = new OutlierEjection(OPTIONS, [a, b]);
  failing(before, a, 0);
  failing(before, b, 0, 2);
  const after = new OutlierEjection(OPTIONS, [a, b, c], before);
  assert.ok(after.isEjected(a, 1));
  assert.ok(!after.isEjected(c, 1));
  const without = new OutlierEjection(OPTIONS, [b, c], after);
  assert.ok(!without.isEjected(a, 1));
  assert.ok(without.fail(b, 1), 'the third failure');
});
