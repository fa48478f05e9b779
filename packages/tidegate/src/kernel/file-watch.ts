import { stat } from 'node:fs/promises';
import type { Clock, Timer } from './clock.ts';

export interface FileWatchOptions {
  readonly paths: readonly string[];
  readonly clock: Clock;
  /** How often the files are looked at. */
  readonly lookMs: number;
  /**
   * When a change is told: as soon as it is seen, for files whose halves are recognised and read again; or once two looks in a row have found the same,
   * for files that somebody may still be writing.
   */
  readonly tell: 'at once' | 'once settled';
}

/**
 * Tells when files have been replaced or written to. It looks at them instead of asking the system to tell: that works for files that editors put others in
 * the place of, for links that are led elsewhere, and on every file system.
 */
export class FileWatch {
  readonly #options: FileWatchOptions;
  /** How the files looked when they were last read, or about to be. */
  #read: string;
  #lastLook: string;
  #isLooking = false;
  #timer: Timer | null = null;
  #changed: (() => Promise<void>) | null = null;

  private constructor(options: FileWatchOptions, look: string) {
    this.#options = options;
    this.#read = look;
    this.#lastLook = look;
  }

  /** Looks at the files for the first time: read them after that, so that what changes meanwhile is told. */
  static async open(options: FileWatchOptions): Promise<FileWatch> {
    return new FileWatch(options, await appearance(options.paths));
  }

  /** Calls `changed` whenever the files are others than when they were last read; not again before it has finished. It must not fail. */
  start(changed: () => Promise<void>): void {
    const { clock, lookMs } = this.#options;
    this.#changed = changed;
    this.#timer ??= clock.setRepeatingTimer(() => void this.look(), lookMs);
  }

  /** Call before the files are read, whatever the reason: what they look like now is not told. */
  async aboutToRead(): Promise<void> {
    this.#read = await appearance(this.#options.paths);
  }

  close(): void {
    if (this.#timer !== null) this.#options.clock.clearTimer(this.#timer);
    this.#timer = null;
    this.#changed = null;
  }

  /** Looks at the files, as it does by itself from time to time; resolves once whatever there is to tell has been taken. */
  async look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const read = this.#read;
    const look = await appearance(this.#options.paths);
    const isSettled = this.#options.tell === 'at once' || look === this.#lastLook;
    this.#lastLook = look;
    // Not if somebody else has begun to read them meanwhile: this look may be the older one.
    if (look !== read && read === this.#read && isSettled && this.#changed !== null) {
      this.#read = look;
      await this.#changed();
    }
    this.#isLooking = false;
  }
}

/** What tells whether any of the files has been replaced or written to. */
async function appearance(paths: readonly string[]): Promise<string> {
  const looks = await Promise.all(
    paths.map(async (path) => {
      try {
        const { dev, ino, size, mtimeMs } = await stat(path);
        return `${dev}:${ino}:${size}:${mtimeMs}`;
      } catch {
        return 'unreadable';
      }
    }),
  );
  return looks.join(' ');
}
