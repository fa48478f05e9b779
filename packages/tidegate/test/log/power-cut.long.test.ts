import { test } from 'node:test';
import { scratchFolder } from './log-fixture.ts';
import { assertSyncedBeforeAcknowledged, recordWriter, replayPowerCuts } from './power-cut.ts';
import { hasStrace } from './system-calls.ts';

for (const seed of [11, 12, 13]) {
  test(`1,000 power cuts lose nothing that was acknowledged as synced (seed ${seed})`, {
    skip: hasStrace ? false : 'needs strace',
  }, async () => {
    const { folder, remove } = scratchFolder();
    const events = await recordWriter(folder, seed, 2000);
    assertSyncedBeforeAcknowledged(events);
    await replayPowerCuts(events, 1000, seed);
    remove();
  });
}
