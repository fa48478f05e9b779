import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Plan, simulate } from './simulation.ts';

// Every client resumes from the last message that reached it, and in the end must have each message of its channels exactly once, in
// order per partition, unless it was told of a gap.

const calm: Omit<Plan, 'seed'> = {
  steps: 300,
  backend: 'memory',
  failuresPercent: 0,
  throwsPercent: 0,
  retention: 'ample',
};

test('through full transports, cuts and restarts, each client gets each message once and in order (seeds 1 to 100)', async () => {
  for (let seed = 1; seed <= 100; seed++) await simulate({ ...calm, seed });
});

test('neither refused appends nor sinks that throw disturb that (seeds 1 to 30)', async () => {
  let refused = 0;
  for (let seed = 1; seed <= 30; seed++)
    refused += (await simulate({ ...calm, seed, failuresPercent: 10, throwsPercent: 2 })).refused;
  assert.ok(refused > 0);
});

test('whoever retention overtakes is told, and misses nothing else (seeds 1 to 30)', async () => {
  let gaps = 0;
  for (let seed = 1; seed <= 30; seed++)
    gaps += (await simulate({ ...calm, seed, retention: 'scarce' })).gaps;
  assert.ok(gaps > 0);
});

test('a log on disk that is closed and opened again changes nothing (seeds 1 to 3)', async () => {
  for (let seed = 1; seed <= 3; seed++)
    await simulate({ ...calm, seed, backend: 'lmdb', steps: 150, retention: 'scarce' });
});
