import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from './child.ts';
import { Histogram, type HistogramReport } from './histogram.ts';
import { nativeProgram, type ProgramName } from './native.ts';
import { CpuMeter } from './process-figures.ts';
import { scratchFolder } from './scratch.ts';

/** What came of a run: numbers, and histograms. */
interface TimedResult {
  readonly startedUs: number;
  readonly stoppedUs: number;
  readonly latencies: Histogram;
}

/** What came of a run on a server, and what it took. */
export interface MeasuredRun<Result> {
  readonly result: Result;
  /** From its beginning until the time was over. */
  readonly seconds: number;
  /** In percent of one core, of the server and of the program. */
  readonly cpu: { readonly server: number; readonly load: number };
}

/**
 * A native program that puts load on a server for some time: it prepares itself, begins when it is told, says when the time is over, and
 * then what came of it.
 */
export class TimedProgram<Result extends TimedResult> {
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
  async result(): Promise<Result> {
    const answer = JSON.parse(await this.#child.line()) as Readonly<Record<string, number | HistogramReport>>;
    const result = Object.entries(answer).map(([name, value]) => [
      name,
      typeof value === 'number' ? value : Histogram.from(value),
    ]);
    return Object.fromEntries(result) as Result;
  }

  /** Runs from the beginning to the end. */
  async run(): Promise<Result> {
    this.start();
    await this.stopped();
    return this.result();
  }

  /** The same, with what the server used. */
  async runOn(serverPid: number): Promise<MeasuredRun<Result>> {
    const meter = new CpuMeter({ server: serverPid, load: this.pid });
    this.start();
    await this.stopped();
    const { server = 0, load = 0 } = meter.percentages();
    const result = await this.result();
    return { result, seconds: (result.stoppedUs - result.startedUs) / 1e6, cpu: { server, load } };
  }
}

/** A file in the scratch folder with what a program is to send. */
export function scratchFile(name: string, content: string | Uint8Array): string {
  const file = join(scratchFolder(name), name);
  writeFileSync(file, content);
  return file;
}
