import { test } from 'node:test';
import { openLog, openMemoryLog } from '../../src/log/index.ts';
import { logOptions, range, scratchFolder } from './log-fixture.ts';
import { runModel } from './log-model.ts';

for (const compacted of [false, true]) {
  const kind = compacted ? 'compacted' : 'dropped by age';
  test(`memory agrees with a plain list (${kind}, seeds 1 to 15)`, async () => {
    for (const seed of range(1, 16)) {
      const open = async (settings: Parameters<typeof logOptions>[1]) =>
        openMemoryLog(logOptions('', settings));
      const keyIndex = seed % 2 === 0;
      await runModel({
        seed,
        steps: 150,
        compacted,
        keyIndex,
        durability: 'none',
        open,
        restarts: 'is gone with the process',
      });
    }
  });

  for (const durability of ['written', 'synced'] as const) {
    test(`LMDB agrees with a plain list, through restarts (${durability}, ${kind}, seeds 1 to 6)`, async () => {
      for (const seed of range(1, 7)) {
        const { folder, remove } = scratchFolder();
        const open = async (settings: Parameters<typeof logOptions>[1]) =>
          openLog(logOptions(folder, settings));
        const keyIndex = seed % 2 === 0;
        await runModel({
          seed,
          steps: 120,
          compacted,
          keyIndex,
          durability,
          open,
          restarts: 'survives restarts',
        });
        remove();
      }
    });
  }
}
