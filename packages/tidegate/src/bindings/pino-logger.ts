import { type DestinationStream, type LoggerOptions, pino, stdSerializers } from 'pino';
import pretty from 'pino-pretty';
import { type LogFields, type Logger, TidegateError } from '../kernel/index.ts';

/** The least severe events that are logged. */
export type PinoLevel = 'debug' | 'info' | 'warn' | 'error';

/** Where the log goes: a stream with a file descriptor, usually standard error. */
export interface LogTarget {
  readonly fd: number;
  readonly isTTY?: boolean;
}

/** An error with what tells apart one of ours: its code, and the cause that clients are never shown. */
function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const serialized = stdSerializers.err(error);
  return error instanceof TidegateError ? { code: error.code, ...serialized } : serialized;
}

const OPTIONS: LoggerOptions = {
  timestamp: pino.stdTimeFunctions.isoTime,
  formatters: { level: (level) => ({ level }) },
  serializers: { error: serializeError, err: serializeError, cause: serializeError },
};

/** Lines for people, written at once, so that the last words of a process that dies are read. */
function readable(target: LogTarget): DestinationStream {
  return pretty({
    destination: target.fd,
    sync: true,
    colorize: true,
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss.l',
    errorLikeObjectKeys: ['error', 'err', 'cause'],
  });
}

/**
 * The kernel's logger over pino: readable lines on a terminal, one JSON object a line anywhere else (`level`, `time`, `msg`
 * and the fields). Both go to standard error, so that standard output stays free for what a command prints.
 * @param always fields that every line has
 */
export function createPinoLogger(
  level: PinoLevel = 'info',
  target: LogTarget = process.stderr,
  always: LogFields | null = null,
): Logger {
  const destination =
    target.isTTY === true ? readable(target) : pino.destination({ fd: target.fd, sync: true });
  const logger = pino({ ...OPTIONS, base: always, level }, destination);
  return {
    debug: (fields: LogFields, message: string) => logger.debug(fields, message),
    info: (fields: LogFields, message: string) => logger.info(fields, message),
    warn: (fields: LogFields, message: string) => logger.warn(fields, message),
    error: (fields: LogFields, message: string) => logger.error(fields, message),
  };
}
