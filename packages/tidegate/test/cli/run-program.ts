import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../bin/tidegate.cjs', import.meta.url));

/** How a run of the program ended. */
export interface Ended {
  /** Null if a signal ended it. */
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** The program as a child process. */
export class Program {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<Ended>;
  #output = '';
  #errors = '';

  constructor(args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
    this.child = spawn(process.execPath, [PROGRAM, ...args], { env: { ...process.env, ...environment } });
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#output += text;
    });
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#errors += text;
    });
    this.ended = new Promise((resolve) => {
      this.child.once('close', (code) => resolve({ code, output: this.#output, errors: this.#errors }));
    });
  }

  /** What it has printed so far. */
  get output(): string {
    return this.#output;
  }

  /** Waits until the output matches; fails if the program ends before. */
  async printed(pattern: RegExp): Promise<void> {
    const over = this.ended.then(({ errors }) => {
      if (!pattern.test(this.#output))
        throw new Error(`the program ended without printing ${pattern}: ${errors}`);
    });
    while (!pattern.test(this.#output)) {
      const more = new Promise((resolve) => this.child.stdout.once('data', resolve));
      await Promise.race([more, over]);
    }
  }
}

/** Runs the program to its end. */
export function runProgram(
  args: readonly string[],
  input: string | Uint8Array = '',
  environment: NodeJS.ProcessEnv = {},
): Promise<Ended> {
  const program = new Program(args, environment);
  // A program that does not read its input may be gone before all of it is written.
  program.child.stdin.on('error', () => {});
  program.child.stdin.end(input);
  return program.ended;
}
