import { test } from 'node:test';
import { runReplayScenario } from './replay-scenario.ts';

test('a hundred clients of others receive exactly what was published, through a kill of the server', async (t) => {
  await runReplayScenario(t, { victim: 'server', replayMs: 6000, kills: 1, completeTimeoutMs: 20_000 });
});

test('a hundred clients of others receive exactly what was published, through kills of a worker', async (t) => {
  await runReplayScenario(t, { victim: 'worker', replayMs: 6000, kills: 2, completeTimeoutMs: 20_000 });
});
