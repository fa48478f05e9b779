import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import type { Clock, Limits } from '../kernel/index.ts';
import { askLife } from './life.ts';
import { LINE_DESCRIPTOR } from './owner-line.ts';
import { StreamLine } from './stream-line.ts';

/** Pulses that may go unanswered, one after the other. */
const PULSES_MISSED_MAX = 3;

/** How a worker came to its end. */
export interface WorkerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface WorkerProcessOptions {
  readonly number: number;
  /** The program that a worker runs. */
  readonly entry: string;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly exited: (worker: WorkerProcess, exit: WorkerExit) => void;
}

/** A worker, as its owner sees it: a process with a line. */
export class WorkerProcess {
  readonly number: number;
  readonly line: StreamLine;
  readonly startedMs: number;
  /** Its metrics when they were last asked for; null if they never were. */
  figures: unknown = null;
  /** It has been asked to end. */
  isLeaving = false;
  readonly #child: ChildProcess;
  #pulses = 0;

  constructor({ number, entry, clock, limits, exited }: WorkerProcessOptions) {
    this.number = number;
    this.startedMs = clock.monotonicMs();
    this.#child = spawn(process.execPath, [...workerArguments(), entry], {
      stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    });
    this.line = new StreamLine({
      stream: this.#child.stdio[LINE_DESCRIPTOR] as Duplex,
      peer: number,
      clock,
      sends: 'soon',
      unsentBytesMax: limits.workerUnsentBytesMax,
    });
    let hasExited = false;
    const exit = (code: number | null, signal: NodeJS.Signals | null): void => {
      if (hasExited) return;
      hasExited = true;
      this.line.close();
      exited(this, { code, signal });
    };
    this.#child.once('exit', exit);
    // As when no process can be made: then nothing exits either.
    this.#child.once('error', () => exit(null, null));
    // Without its line it is of no use, and if it is stuck it would never notice.
    this.line.onClosed(() => this.kill());
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Asks whether it is there; returns false once it has been silent for too long. Does not count the time that this process was busy. */
  pulse(): boolean {
    if (this.#pulses >= PULSES_MISSED_MAX) return false;
    this.#pulses++;
    askLife(this.line, { about: 'pulse' }).then(
      () => {
        this.#pulses = 0;
      },
      () => {},
    );
    return true;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

/** Those of this process, but for a debugger's, whose port is taken. */
function workerArguments(): readonly string[] {
  return process.execArgv.filter((argument) => !argument.startsWith('--inspect') && argument !== '--test');
}
