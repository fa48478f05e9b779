import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import type { Clock, Limits } from '../kernel/index.ts';
import { askLife } from './life.ts';
import { LINE_DESCRIPTOR, lineArguments } from './owner-line.ts';
import { StreamLine } from './stream-line.ts';

/** Pulses that may go unanswered, one after the other. */
const PULSES_MISSED_MAX = 3;

/** How a worker came to its end. */
export interface WorkerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Why there was no process in the first place; null if there was. */
  readonly error: Error | null;
}

/** Starts a program with some arguments as a process that has a pipe at `LINE_DESCRIPTOR`. */
export type StartProcess = (program: string, programArguments: readonly string[]) => ChildProcess;

export interface WorkerProcessOptions {
  readonly number: number;
  /** The program that a worker runs. */
  readonly entry: string;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly startProcess: StartProcess;
  /** Told what went wrong with what the worker said. */
  readonly failed: (worker: WorkerProcess, error: unknown) => void;
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
  /** It has said that it serves. */
  isServing = false;
  readonly #child: ChildProcess;
  #pulses = 0;

  /** @throws Error if no process can be made */
  constructor(options: WorkerProcessOptions) {
    const { number, entry, clock, limits, startProcess, failed, exited } = options;
    this.number = number;
    this.startedMs = clock.monotonicMs();
    this.#child = startProcess(entry, lineArguments(limits.workerUnsentBytesMax));
    // Before anything may fail: an error that nobody listens for would end this process.
    this.#child.on('error', () => {});
    this.line = new StreamLine({
      stream: pipeOf(this.#child),
      peer: number,
      clock,
      sends: 'soon',
      unsentBytesMax: limits.workerUnsentBytesMax,
      failed: (error) => failed(this, error),
    });
    let hasExited = false;
    const exit = (how: WorkerExit): void => {
      if (hasExited) return;
      hasExited = true;
      this.line.close();
      exited(this, how);
    };
    this.#child.once('exit', (code, signal) => exit({ code, signal, error: null }));
    this.#child.on('error', (error) => {
      // Otherwise it is a process that could not be killed, and may exit yet.
      if (this.#child.pid === undefined) exit({ code: null, signal: null, error });
    });
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

/** Runs a program with the Node of this process. */
export const startNode: StartProcess = (program, programArguments) =>
  spawn(process.execPath, [...nodeArguments(), program, ...programArguments], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  });

/** The owner's end of the pipe. Without file descriptors for it, Node gives a process that has none, and says why a moment later. */
function pipeOf({ stdio }: ChildProcess): Duplex {
  const pipe = (stdio as ChildProcess['stdio'] | undefined)?.[LINE_DESCRIPTOR];
  if (pipe === undefined || pipe === null)
    throw new Error('There are no file descriptors left for a process');
  return pipe as Duplex;
}

/** Those of this process, but for a debugger's, whose port is taken. */
function nodeArguments(): readonly string[] {
  return process.execArgv.filter((argument) => !argument.startsWith('--inspect') && argument !== '--test');
}
