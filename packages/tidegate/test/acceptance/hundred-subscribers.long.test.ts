import { test } from 'node:test';
import { runReplayScenario } from './replay-scenario.ts';

test('a hundred clients of others receive exactly what was published, through twelve kills of the server', async (t) => {
  await runReplayScenario(t, { victim: 'server', replayMs: 60_000, kills: 12, completeTimeoutMs: 60_000 });
});

test('a hundred clients of others receive exactly what was published, through twelve kills of a worker', async (t) => {
  await runReplayScenario(t, { victim: 'worker', replayMs: 60_000, kills: 12, completeTimeoutMs: 60_000 });
});
