import { type Clock, pause } from '../kernel/index.ts';
import type { Terminal } from './terminal.ts';
import { write } from './terminal.ts';

/** A terminal sends its Ctrl-C to npm and to the server, and npm passes it on: two signals that close are one wish. */
const SAME_WISH_MS = 500;

/** What can be ended: a server. */
export interface Closable {
  close(): Promise<void>;
}

/** How a server came to its end. */
export type Ending = 'drained' | 'timed out' | 'forced';

/**
 * Waits for SIGTERM or SIGINT, then closes. Ends as `drained` once it is closed, as `timed out` if closing takes longer
 * than `timeoutMs`, as `forced` at a second signal.
 */
export function closeOnSignal(
  server: Closable,
  timeoutMs: number,
  clock: Clock,
  terminal: Terminal,
): Promise<Ending> {
  return new Promise((resolve, reject) => {
    let firstMs: number | null = null;
    const onSignal = (): void => {
      const nowMs = clock.monotonicMs();
      if (firstMs !== null) {
        if (nowMs - firstMs > SAME_WISH_MS) resolve('forced');
        return;
      }
      firstMs = nowMs;
      if (terminal.isInteractive) {
        void write(terminal.output, '\nFinishing what is under way. Press Ctrl-C again to end at once.\n');
      }
      server.close().then(() => resolve('drained'), reject);
      void pause(timeoutMs).then(() => resolve('timed out'));
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}
