import { statfsSync } from 'node:fs';
import type { Clock } from '../kernel/index.ts';

/** How long an answer of the file system is believed. */
const BELIEVED_MS = 100;

/** Tells when the disk is so full that nothing more should be written to it. */
export class DiskSpace {
  readonly #folder: string;
  readonly #reserveBytes: number;
  readonly #clock: Clock;
  #askedMs = Number.NEGATIVE_INFINITY;
  #freeBytes = Number.POSITIVE_INFINITY;
  /** What was allowed since the file system was asked. */
  #promisedBytes = 0;

  constructor(folder: string, reserveBytes: number, clock: Clock) {
    this.#folder = folder;
    this.#reserveBytes = reserveBytes;
    this.#clock = clock;
  }

  get freeBytes(): number {
    return this.#freeBytes;
  }

  /** Whether `bytes` more would go beyond what may be used. */
  isShortOf(bytes: number): boolean {
    this.#promisedBytes += bytes;
    const isOld = this.#clock.monotonicMs() - this.#askedMs >= BELIEVED_MS;
    if (isOld || this.#freeBytes - this.#promisedBytes < this.#reserveBytes) this.refresh();
    return this.#freeBytes - bytes < this.#reserveBytes;
  }

  /** Asks the file system again, as after a write that failed. */
  refresh(): void {
    this.#askedMs = this.#clock.monotonicMs();
    this.#promisedBytes = 0;
    const { bavail, bsize } = statfsSync(this.#folder);
    this.#freeBytes = bavail * bsize;
  }

  describe(): string {
    return `${this.#freeBytes} bytes are free in ${this.#folder}; publishing needs limits.diskReserveBytes = ${this.#reserveBytes}.`;
  }
}
