import { after, before, describe, test } from 'node:test';
import { scratchFolder } from './log-fixture.ts';
import { assertSyncedBeforeAcknowledged, recordWriter, replayPowerCuts } from './power-cut.ts';
import { type FileEvent, hasStrace } from './system-calls.ts';

describe('the disk', { skip: hasStrace ? false : 'needs strace' }, () => {
  const { folder, remove } = scratchFolder();
  let events: readonly FileEvent[] = [];

  before(async () => {
    events = await recordWriter(folder, 3, 600);
  });
  after(remove);

  test('is flushed before a synced record is acknowledged: fdatasync for the pages, O_DSYNC for the page that makes them current', () => {
    assertSyncedBeforeAcknowledged(events);
  });

  test('after a power cut holds every acknowledged record of synced topics, and a whole file of the others', () =>
    replayPowerCuts(events, 40, 4));
});
