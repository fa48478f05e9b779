import { test } from 'node:test';
import { runReplayScenario } from './replay-scenario.ts';

test('a hundred clients of others receive exactly what was published, through twelve kills of the server', async (t) => {
  await runReplayScenario(t, { replayMs: 60_000, kills: 12, completeTimeoutMs: 60_000 });
});
