/** What is logged besides the message: plain values under names in camelCase. */
export type LogFields = Readonly<Record<string, unknown>>;

/** The server's log of what it does (not to be confused with the event log). Bound to pino by main. */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

/** A logger that says nothing, for tests and tools. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
};
