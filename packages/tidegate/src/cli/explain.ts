import type { TidegateError } from '../kernel/index.ts';
import { EXIT, type ExitCode } from './command.ts';

/** The words of the innermost cause, where a system call or a library failed. */
function causeOf(error: TidegateError): string | undefined {
  let cause: unknown = error.cause;
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause;
  if (!(cause instanceof Error)) return undefined;
  // Messages of OpenSSL end with a line break.
  const message = cause.message.trim();
  const text = message === '' ? String((cause as NodeJS.ErrnoException).code ?? cause.name) : message;
  return error.message.includes(text) ? undefined : text;
}

/**
 * An error for a person: what happened, why, how to put it right, what to type next. `code` is for searching in docs/errors.md.
 */
export function explain(error: TidegateError, next?: string): string {
  const cause =
    error.code === 'internal'
      ? error.cause instanceof Error
        ? error.cause.stack
        : undefined
      : causeOf(error);
  return [
    `error: ${error.message}`,
    ...(cause === undefined ? [] : [`why:   ${cause}`]),
    `fix:   ${error.entry.hint}`,
    ...(next === undefined ? [] : [`next:  ${next}`]),
    `code:  ${error.code}`,
  ].join('\n');
}

/** Misuse of the command line is told apart from failure, as shells do. */
export function exitCodeOf(error: TidegateError): ExitCode {
  return error.code === 'arguments_invalid' ? EXIT.misuse : EXIT.failure;
}
