import { runCommandLine } from './run.ts';
import { flushed, processTerminal, type Terminal } from './terminal.ts';

/** Ends quietly when the reader of a pipe leaves, as `| head` does. */
function endWithReader({ output }: Terminal): void {
  output.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
}

/** Runs the command line `given` (without the program's name) and ends the process with the command's exit code. */
export async function main(given: readonly string[]): Promise<void> {
  const terminal = processTerminal();
  endWithReader(terminal);
  const code = await runCommandLine(given, terminal);
  // Exit would lose what is still on its way into a pipe; waiting for the process to end by itself could last.
  await Promise.all([flushed(terminal.output), flushed(terminal.errors)]);
  process.exit(code);
}
