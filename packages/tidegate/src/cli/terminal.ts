import type { Readable, Writable } from 'node:stream';
import type { Environment } from '../config/index.ts';

/** All that a command has to do with the outside, so that tests can stand in for it. */
export interface Terminal {
  readonly input: Readable;
  readonly output: Writable;
  readonly errors: Writable;
  /** Whether a person reads the output. */
  readonly isInteractive: boolean;
  readonly environment: Environment;
  readonly workingFolder: string;
}

/** The terminal, or the pipes, of this process. */
export function processTerminal(): Terminal {
  return {
    input: process.stdin,
    output: process.stdout,
    errors: process.stderr,
    isInteractive: process.stdout.isTTY === true,
    environment: process.env,
    workingFolder: process.cwd(),
  };
}

/** Writes, and waits while the reader does not keep pace. */
export async function write(stream: Writable, bytes: string | Uint8Array): Promise<void> {
  if (stream.write(bytes)) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      stream.off('drain', done);
      stream.off('close', done);
      resolve();
    };
    stream.once('drain', done);
    stream.once('close', done);
  });
}

/** Waits until all that was written is with the system, or cannot be any more. */
export function flushed(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed) resolve();
    else stream.write('', () => resolve());
  });
}
