import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from './child.ts';
import { Histogram, type HistogramReport } from './histogram.ts';
import { nativeProgram, type ProgramName } from './native.ts';
import { scratchFolder } from './scratch.ts';

/**
 * A native program that puts load on a server for some time: it prepares itself, begins when it is told, says when the time is over, and
 * then what came of it, which is `Counts` and the latencies.
 */
export class TimedProgram<Counts extends object> {
  readonly #child: Child;

  protected constructor(child: Child) {
    this.#child = child;
  }

  /** Starts the program, and waits until it is prepared. */
  protected static async prepared(
    name: string,
    program: ProgramName,
    args: readonly string[],
  ): Promise<Child> {
    const child = new Child(name, nativeProgram(program), args);
    await child.line();
    return child;
  }

  get pid(): number {
    return this.#child.pid;
  }

  start(): void {
    this.#child.tell('go');
  }

  /** Resolves when the time is over: nothing more is begun. */
  async stopped(): Promise<void> {
    await this.#child.line();
  }

  /** Resolves when all that was begun is over. */
  async result(): Promise<Counts & { readonly latencies: Histogram }> {
    const answer = JSON.parse(await this.#child.line()) as Counts & { readonly latencies: HistogramReport };
    return { ...answer, latencies: Histogram.from(answer.latencies) };
  }
}

/** A file in the scratch folder with what a program is to send. */
export function scratchFile(name: string, content: string | Uint8Array): string {
  const file = join(scratchFolder(name), name);
  writeFileSync(file, content);
  return file;
}
