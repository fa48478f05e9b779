import { type Clock, TidegateError } from '../../kernel/index.ts';
import type { DiskSpace } from '../disk-space.ts';

/** How long lmdb may take to tell why a commit failed, after it told that it did. */
const CAUSE_TIMEOUT_MS = 1000;
/** With less than this free, a failed write is put down to the full disk, whatever it was called. */
const NEARLY_FULL_BYTES = 4 * 1024 * 1024;

const ENOSPC = 28;
const EDQUOT = 122;

/**
 * Why a commit failed. lmdb rejects the commit with a generic error whose `commitError` is another promise that is rejected with the
 * cause a moment later; unhandled, that second rejection would end the process.
 */
export async function commitFailure(
  error: unknown,
  clock: Clock,
  diskSpace: DiskSpace,
): Promise<TidegateError> {
  const cause = await causeOf(error, clock);
  diskSpace.refresh();
  const code = codeOf(cause);
  // A full disk comes back as EIO too, depending on the file system and on which write met it.
  if (code === ENOSPC || code === EDQUOT || diskSpace.freeBytes < NEARLY_FULL_BYTES) {
    return new TidegateError('log_disk_full', diskSpace.describe(), { cause });
  }
  return new TidegateError('log_write_failed', '', { cause });
}

function causeOf(error: unknown, clock: Clock): Promise<unknown> {
  const commitError = error instanceof Error && 'commitError' in error ? error.commitError : undefined;
  if (!(commitError instanceof Promise)) return Promise.resolve(error);
  return new Promise((resolve) => {
    const timer = clock.setTimer(() => resolve(error), CAUSE_TIMEOUT_MS);
    const settle = (cause: unknown): void => {
      clock.clearTimer(timer);
      resolve(cause);
    };
    commitError.then(() => settle(error), settle);
  });
}

function codeOf(cause: unknown): number | undefined {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'number' ? cause.code : undefined;
}
