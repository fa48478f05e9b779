import { after } from 'node:test';
import { openLog } from '../../src/log/index.ts';
import { logOptions, scratchFolder } from './log-fixture.ts';
import { describeLog } from './log-suite.ts';

const folders: (() => void)[] = [];
after(() => {
  for (const remove of folders) remove();
});

for (const durability of ['none', 'written', 'synced'] as const) {
  describeLog({
    name: `LMDB, ${durability}`,
    durability,
    open: async (settings) => {
      const { folder, remove } = scratchFolder();
      folders.push(remove);
      return openLog(logOptions(folder, settings));
    },
  });
}
