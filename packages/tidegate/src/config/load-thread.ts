import { parentPort, Worker, workerData } from 'node:worker_threads';
import { type ErrorCode, TidegateError } from '../kernel/index.ts';
import { type ConfigRequest, type LoadedConfig, loadConfig } from './load.ts';

const ENTRY = new URL('../../bin/config-thread.cjs', import.meta.url);

/** What the thread says, once: errors lose their class on the way. */
type Answer =
  | { readonly kind: 'loaded'; readonly loaded: LoadedConfig }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly detail: string };

/**
 * The same as `loadConfig`, in a thread of its own, which takes a tenth of a second longer and leaves the event loop to those who are served.
 * @throws TidegateError config_unreadable, and internal if the thread dies
 */
export function loadConfigInThread(request: ConfigRequest): Promise<LoadedConfig> {
  return new Promise((resolve, reject) => {
    const lost = (error: unknown): void =>
      reject(new TidegateError('internal', 'The thread that reads the config file died', { cause: error }));
    const thread = new Worker(ENTRY, { workerData: request });
    thread.once('message', (answer: Answer) => {
      if (answer.kind === 'loaded') resolve(answer.loaded);
      else reject(new TidegateError(answer.code, answer.detail));
    });
    thread.once('error', lost);
    // After an answer it has no effect.
    thread.once('exit', lost);
  });
}

/** What the thread does: reads as it was told, says what it found, and ends. */
export async function answer(): Promise<void> {
  const loaded = await loadConfig(workerData as ConfigRequest).then(
    (found): Answer => ({ kind: 'loaded', loaded: found }),
    (error): Answer => {
      const { code, detail } = TidegateError.from(error);
      return { kind: 'failed', code, detail };
    },
  );
  parentPort?.postMessage(loaded);
}
