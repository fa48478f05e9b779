import { Buffer } from 'node:buffer';
import { systemClock } from '../../src/kernel/index.ts';
import { answerLife, lineToOwner } from '../../src/workers/index.ts';

/**
 * A worker that does nothing but live; for the tests of the pool. If the setup says so it fails to serve; if the setup is a number, it first says
 * as many bytes at once.
 */
const line = lineToOwner(systemClock, (error) => {
  throw error;
});
let served = 0;
line.onClosed(() => process.exit(1));
answerLife(line, {
  async serve(question) {
    const { setup } = question as { readonly setup: unknown };
    if (setup === 'fail') throw new Error('as it was told to');
    if (typeof setup === 'number') line.tell('presence', Buffer.alloc(setup));
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
