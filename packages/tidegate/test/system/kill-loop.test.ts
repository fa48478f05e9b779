import { test } from 'node:test';
import { runKillLoop } from './kill-loop.ts';

test('through 5 kills during publishing, each acknowledged event is there once and in order', {
  timeout: 60_000,
}, async () => {
  await runKillLoop({ victim: 'server', kills: 5, seed: 1 });
});

test('through 5 kills of a worker during publishing, each acknowledged event is there once and in order', {
  timeout: 60_000,
}, async () => {
  await runKillLoop({ victim: 'worker', kills: 5, seed: 2 });
});
