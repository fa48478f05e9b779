import { test } from 'node:test';
import { runKillLoop } from './kill-loop.ts';

test('through 200 kills during publishing, each acknowledged event is there once and in order', {
  timeout: 600_000,
}, async () => {
  await runKillLoop({ kills: 200, seed: 2 });
});
