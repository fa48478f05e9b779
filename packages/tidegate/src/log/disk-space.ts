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

  constructor(folder: string, reserveBytes: number, clock: Clock) {
    this.#folder = folder;
    this.#reserveBytes = reserveBytes;
    this.#clock = clock;
  }

  get freeBytes(): number {
    return this.#freeBytes;
  }

  isShort(): boolean {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#askedMs >= BELIEVED_MS) this.refresh();
    return this.#freeBytes < this.#reserveBytes;
  }

  /** Asks the file system again, as after a write that failed. */
  refresh(): void {
    this.#askedMs = this.#clock.monotonicMs();
    const { bavail, bsize } = statfsSync(this.#folder);
    this.#freeBytes = bavail * bsize;
  }

  describe(): string {
    return `${this.#freeBytes} bytes are free in ${this.#folder}; publishing needs limits.diskReserveBytes = ${this.#reserveBytes}.`;
  }
}
