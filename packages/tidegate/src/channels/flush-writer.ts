import type { Buffer } from 'node:buffer';
import { ByteWriter } from '../kernel/index.ts';
import type { FrameEncoder, Gap, Message } from './port.ts';

/** Thousands of channels may be under way at once, each with little. */
const INITIAL_BYTES = 1024;

/**
 * Makes flushes: some messages, one gap or one keep-alive, in the framing of an encoder. Between flushes it belongs to nobody, so
 * that idle audiences need none of their own.
 */
export class FlushWriter {
  readonly #out: ByteWriter;
  /** Messages of the flush that is being made. */
  messages = 0;

  /** @param keptBytesMax how large a buffer it may keep between flushes; none unless told */
  constructor(keptBytesMax = 0) {
    this.#out = new ByteWriter(INITIAL_BYTES, keptBytesMax);
  }

  /** Bytes of the flush that is being made. */
  get bytes(): number {
    return this.#out.length;
  }

  /** Adds a message. If the encoder throws, what the flush had before is still good. */
  message(message: Message, encoder: FrameEncoder): void {
    const out = this.#out;
    const before = out.length;
    try {
      if (this.messages === 0) encoder.begin(out);
      encoder.message(message, out);
    } catch (error) {
      out.truncate(before);
      throw error;
    }
    this.messages++;
  }

  /** Ends the flush and hands it out. Empty if there were no messages. */
  take(encoder: FrameEncoder): Buffer {
    if (this.messages > 0) encoder.end(this.#out);
    this.messages = 0;
    return this.#out.take();
  }

  gap(gap: Gap, encoder: FrameEncoder): Buffer {
    return this.#flush(encoder, () => encoder.gap(gap, this.#out));
  }

  keepAlive(cursor: string, encoder: FrameEncoder): Buffer {
    return this.#flush(encoder, () => encoder.keepAlive(cursor, this.#out));
  }

  #flush(encoder: FrameEncoder, write: () => void): Buffer {
    this.reset();
    encoder.begin(this.#out);
    write();
    encoder.end(this.#out);
    return this.#out.take();
  }

  /** Forgets a flush that an error left unfinished. */
  reset(): void {
    this.messages = 0;
    this.#out.truncate(0);
  }
}
