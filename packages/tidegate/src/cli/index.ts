import { runCommandLine } from './run.ts';
import { processTerminal, type Terminal, write } from './terminal.ts';

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
  // What is still in a pipe's buffer would be lost by exit; what is still open would keep the process.
  await write(terminal.output, '');
  process.exit(code);
}
