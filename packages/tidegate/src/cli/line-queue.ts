import { Buffer } from 'node:buffer';
import type { Readable } from 'node:stream';

/** Reading pauses while this many lines wait. */
const LINES_MAX = 1000;

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * The lines of an input that were read and not taken yet, so that it is known whether more are there already. A line is
 * the bytes before a line feed, without a carriage return at its end. `node:readline` is of no use here: it decodes what
 * is not UTF-8 to something else, and takes the separators U+2028 and U+2029, which JSON texts may have, for line breaks.
 */
export class LineQueue {
  readonly #input: Readable;
  #lines: Uint8Array[] = [];
  #taken = 0;
  /** The pieces of a line whose end has not come yet. */
  #pieces: Uint8Array[] = [];
  #ended = false;
  #error: Error | null = null;
  #wake: (() => void) | null = null;

  constructor(input: Readable) {
    this.#input = input;
    input.on('data', (bytes: Uint8Array) => {
      this.#take(bytes);
      if (this.length >= LINES_MAX) input.pause();
      this.#wake?.();
    });
    input.on('end', () => {
      if (this.#pieces.length > 0) this.#endLine();
      this.#ended = true;
      this.#wake?.();
    });
    input.on('error', (error) => {
      this.#error = error;
      this.#wake?.();
    });
  }

  get length(): number {
    return this.#lines.length - this.#taken;
  }

  /** The next line; null after the last. Throws what the reading of the input fails with. */
  async next(): Promise<Uint8Array | null> {
    while (this.length === 0) {
      if (this.#error !== null) throw this.#error;
      if (this.#ended) return null;
      this.#lines = [];
      this.#taken = 0;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.#input.resume();
      });
    }
    return this.#lines[this.#taken++];
  }

  #take(bytes: Uint8Array): void {
    let start = 0;
    for (let end = bytes.indexOf(LINE_FEED); end !== -1; end = bytes.indexOf(LINE_FEED, start)) {
      this.#pieces.push(bytes.subarray(start, end));
      this.#endLine();
      start = end + 1;
    }
    if (start < bytes.length) this.#pieces.push(bytes.subarray(start));
  }

  #endLine(): void {
    const line = this.#pieces.length === 1 ? this.#pieces[0] : Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#lines.push(line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line);
  }
}
