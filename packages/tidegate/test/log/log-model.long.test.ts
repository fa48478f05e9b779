import { test } from 'node:test';
import { openLog } from '../../src/log/index.ts';
import { logOptions, range, scratchFolder } from './log-fixture.ts';
import { runModel } from './log-model.ts';

test('LMDB agrees with a plain list, through restarts (seeds 100 to 199)', async () => {
  for (const seed of range(100, 200)) {
    const { folder, remove } = scratchFolder();
    const open = async (settings: Parameters<typeof logOptions>[1]) => openLog(logOptions(folder, settings));
    await runModel({
      seed,
      steps: 200,
      compacted: seed % 4 < 2,
      keyIndex: seed % 2 === 0,
      durability: 'written',
      open,
      restarts: 'survives restarts',
    });
    remove();
  }
});
