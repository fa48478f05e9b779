import { test } from 'node:test';
import { runReplayScenario } from './replay-scenario.ts';

test('a hundred clients of others receive exactly what was published, through a kill of the server', async (t) => {
  await runReplayScenario(t, { replayMs: 6000, kills: 1, completeTimeoutMs: 20_000 });
});
