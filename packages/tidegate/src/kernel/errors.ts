import { ERRORS, type ErrorCode, type ErrorEntry } from './error-registry.ts';

/**
 * The only error that crosses a folder. `message` is the title with the detail, for people; programs look at `code`.
 * The cause is for logs and never leaves the server.
 */
export class TidegateError extends Error {
  readonly code: ErrorCode;
  /** What exactly was wrong this time, in a sentence; empty if the title says it all. */
  readonly detail: string;
  /** After how long another try makes sense, where that is known; null if it is not. */
  readonly retryAfterMs: number | null;

  constructor(
    code: ErrorCode,
    detail = '',
    options?: { readonly cause?: unknown; readonly retryAfterMs?: number },
  ) {
    super(detail === '' ? ERRORS[code].title : `${ERRORS[code].title}: ${detail}`, options);
    this.name = 'TidegateError';
    this.code = code;
    this.detail = detail;
    this.retryAfterMs = options?.retryAfterMs ?? null;
  }

  get entry(): ErrorEntry {
    return ERRORS[this.code];
  }

  /** The error itself if it is one of ours, otherwise `internal` with the error as its cause. */
  static from(error: unknown): TidegateError {
    return error instanceof TidegateError ? error : new TidegateError('internal', '', { cause: error });
  }
}
