import { test } from 'node:test';
import { runKillLoop } from './kill-loop.ts';

test('through 200 kills during publishing, each acknowledged event is there once and in order', {
  timeout: 600_000,
}, async () => {
  await runKillLoop({ victim: 'server', kills: 200, seed: 2 });
});

test('through 200 kills of a worker during publishing, each acknowledged event is there once and in order', {
  timeout: 600_000,
}, async () => {
  await runKillLoop({ victim: 'worker', kills: 200, seed: 3 });
});
