import { Buffer } from 'node:buffer';
import { ByteWriter } from '../../kernel/index.ts';

const LINE_FEED = 0x0a;

/** Takes the lines of one slice. */
export interface LineReceiver {
  /** Lines are valid UTF-8 or not; `bytes[start, end)` has no line feed. The bytes belong to the receiver. */
  line(bytes: Buffer, start: number, end: number): void;
  /** A line was longer than allowed; what was longer is not kept. */
  tooLong(): void;
}

/** Cuts a stream of bytes into lines. Holds at most one incomplete line. */
export class LineSplitter {
  readonly #bytesMax: number;
  readonly #receiver: LineReceiver;
  /** The beginning of a line whose end has not arrived. One buffer: slices may be as small as a byte. */
  readonly #rest = new ByteWriter();
  /** The line under way was too long: the rest of it is dropped. */
  #skipping = false;

  constructor(bytesMax: number, receiver: LineReceiver) {
    this.#bytesMax = bytesMax;
    this.#receiver = receiver;
  }

  /** Takes the next bytes, which are valid only during the call. */
  push(slice: Buffer): void {
    const last = slice.lastIndexOf(LINE_FEED);
    if (last === -1) {
      this.#keep(slice);
      return;
    }
    if (this.#rest.length === 0) {
      this.#split(Buffer.from(slice.subarray(0, last)));
    } else {
      this.#rest.bytes(slice, 0, last);
      this.#split(this.#rest.take());
    }
    if (last + 1 < slice.length) this.#keep(slice.subarray(last + 1));
  }

  /** The stream has ended; what follows the last line feed is a line too. */
  end(): void {
    if (!this.#skipping && this.#rest.length > 0) this.#split(this.#rest.take());
  }

  /** Cuts whole lines apart; the last one has no line feed. */
  #split(bytes: Buffer): void {
    let start = 0;
    for (;;) {
      const feed = bytes.indexOf(LINE_FEED, start);
      const end = feed === -1 ? bytes.length : feed;
      if (this.#skipping) this.#skipping = false;
      else if (end - start > this.#bytesMax) this.#receiver.tooLong();
      else this.#receiver.line(bytes, start, end);
      if (feed === -1) return;
      start = feed + 1;
    }
  }

  #keep(slice: Buffer): void {
    if (this.#skipping) return;
    if (this.#rest.length + slice.length > this.#bytesMax) {
      this.#rest.truncate(0);
      this.#skipping = true;
      this.#receiver.tooLong();
    } else {
      this.#rest.bytes(slice);
    }
  }
}
