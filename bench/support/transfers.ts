import type { Histogram } from './histogram.ts';
import { TimedProgram } from './timed-program.ts';

export type Direction = 'download' | 'upload';

/** Long bodies to move; see native/transfer.c. */
export interface TransferOptions {
  readonly port: number;
  readonly target: string;
  readonly direction: Direction;
  readonly connections: number;
  readonly bodyBytes: number;
  /** Bodies are begun for so long, at least one on each connection. */
  readonly seconds: number;
  /** Bytes a second that each connection moves at most. Default: as many as it can. */
  readonly bytesPerSecond?: number;
}

/** What came of it. */
export interface TransferResult {
  /** Bodies that came whole, each byte compared. */
  readonly done: number;
  readonly failed: number;
  readonly startedUs: number;
  /** When the last body was over. */
  readonly stoppedUs: number;
  /** Of whole transfers, in microseconds. */
  readonly latencies: Histogram;
}

/** A process that moves long bodies, waiting for `start`. */
export class Transfers extends TimedProgram<TransferResult> {
  static async prepare(options: TransferOptions): Promise<Transfers> {
    const program = await TimedProgram.prepared('transfer', 'transfer', [
      ...['--port', `${options.port}`, '--target', options.target, '--direction', options.direction],
      ...['--connections', `${options.connections}`, '--bytes', `${options.bodyBytes}`],
      ...['--seconds', `${options.seconds}`, '--rate', `${options.bytesPerSecond ?? 0}`],
    ]);
    return new Transfers(program);
  }
}
