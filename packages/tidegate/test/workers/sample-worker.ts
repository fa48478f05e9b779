import { systemClock } from '../../src/kernel/index.ts';
import { answerLife, lineToOwner } from '../../src/workers/index.ts';

/** A worker that does nothing but live; for the tests of the pool. It fails to serve if the setup says so. */
const line = lineToOwner(systemClock, 1 << 20);
let served = 0;
line.onClosed(() => process.exit(1));
answerLife(line, {
  async serve(question) {
    if ((question as { readonly setup: unknown }).setup === 'fail') throw new Error('as it was told to');
    served++;
  },
  async pulse() {},
  async figures() {
    return { pid: process.pid, served };
  },
  async reload() {},
  async drain() {
    process.exit(0);
  },
});
