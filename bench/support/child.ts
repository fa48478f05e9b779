import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { processTree } from './process-figures.ts';

const STOP_TIMEOUT_MS = 15_000;
const running = new Set<ChildProcess>();

// A benchmark that fails or is interrupted leaves nothing running behind, nor do servers of several processes.
process.on('exit', () => {
  for (const { pid } of running) if (pid !== undefined) killTree(pid);
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

function killTree(root: number): void {
  for (const pid of processTree(root)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
  }
}

/** A process that the benchmark started. */
export class Child {
  readonly #process: ChildProcess;
  readonly #lines: string[] = [];
  readonly #waiting: ((line: string) => void)[] = [];
  readonly #name: string;
  #errors = '';
  #exited = false;
  #stopping = false;
  readonly #failed: Promise<never>;
  /** Resolves when the process has ended, however it did. */
  readonly exited: Promise<void>;

  constructor(
    name: string,
    command: string,
    args: readonly string[],
    environment: NodeJS.ProcessEnv = process.env,
  ) {
    this.#name = name;
    this.#process = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env: environment });
    running.add(this.#process);
    createInterface({ input: this.#process.stdout! }).on('line', (line) => this.#take(line));
    this.#process.stdin!.on('error', () => {});
    this.#process.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(-4000);
    });
    this.#failed = new Promise((_, reject) => {
      this.#process.once('error', (error) => reject(new Error(`cannot run ${command}: ${error.message}`)));
      this.#process.once('exit', (code, signal) => {
        this.#exited = true;
        running.delete(this.#process);
        if (this.#stopping || code === 0) return;
        const failure = `${name} ended with ${signal ?? code}:\n${this.#errors}`;
        // Whoever waits for another process would only see that one's trouble.
        process.stderr.write(`${failure}\n`);
        reject(new Error(failure));
      });
    });
    this.#failed.catch(() => {});
    this.exited = new Promise((resolve) => {
      this.#process.once('close', () => resolve());
      this.#process.once('error', () => resolve());
    });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** What it has written to stderr, the end of it. */
  get errors(): string {
    return this.#errors;
  }

  /** The next line of its output. Rejects if it ends with an error first. */
  async line(): Promise<string> {
    const held = this.#lines.shift();
    if (held !== undefined) return held;
    return Promise.race([new Promise<string>((resolve) => this.#waiting.push(resolve)), this.#failed]);
  }

  /** Waits for `work`, but fails as soon as the process does. */
  async during<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#failed]);
  }

  tell(line: string): void {
    this.#process.stdin!.write(`${line}\n`);
  }

  /** Ends it with SIGTERM, or SIGKILL if it has not ended in time. */
  async stop(): Promise<void> {
    if (this.#exited) return;
    this.#stopping = true;
    this.#process.kill('SIGTERM');
    const killer = setTimeout(() => {
      process.stderr.write(`${this.#name} did not end on SIGTERM and was killed\n`);
      this.#process.kill('SIGKILL');
    }, STOP_TIMEOUT_MS);
    await this.exited;
    clearTimeout(killer);
  }

  /** Ends it with SIGKILL, as a crash would. */
  async kill(): Promise<void> {
    this.#stopping = true;
    this.#process.kill('SIGKILL');
    await this.exited;
  }

  #take(line: string): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#lines.push(line);
    else waiting(line);
  }
}
