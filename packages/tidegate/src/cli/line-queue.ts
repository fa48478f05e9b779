import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** Reading pauses while this many lines wait. */
const LINES_MAX = 1000;

/** The lines of an input that were read and not taken yet, so that it is known whether more are there already. */
export class LineQueue {
  readonly #reader: ReturnType<typeof createInterface>;
  #lines: string[] = [];
  #taken = 0;
  #ended = false;
  #wake: (() => void) | null = null;

  constructor(input: Readable) {
    const reader = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
    this.#reader = reader;
    reader.on('line', (line) => {
      this.#lines.push(line);
      if (this.length >= LINES_MAX) reader.pause();
      this.#wake?.();
    });
    reader.on('close', () => {
      this.#ended = true;
      this.#wake?.();
    });
  }

  get length(): number {
    return this.#lines.length - this.#taken;
  }

  /** The next line; null after the last. */
  async next(): Promise<string | null> {
    while (this.length === 0) {
      if (this.#ended) return null;
      this.#lines = [];
      this.#taken = 0;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.#reader.resume();
      });
    }
    return this.#lines[this.#taken++];
  }
}
