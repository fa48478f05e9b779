import { Buffer } from 'node:buffer';
import { ByteWriter, EMPTY, type TidegateError } from '../kernel/index.ts';
import type { BodyReceiver } from '../listeners/port.ts';

/** What is done with a body that has arrived. */
export interface BodyTaker {
  complete(body: Buffer): void;
  failed(error: TidegateError): void;
}

/** Collects a body that is taken whole. Its size is bounded by what `receive` was called with. */
export class BodyCollector implements BodyReceiver {
  readonly #taker: BodyTaker;
  /** The usual body arrives in one slice and costs one copy. */
  #only: Buffer = EMPTY;
  /** One buffer for all others: slices may be as small as a byte. */
  #slices: ByteWriter | null = null;

  constructor(taker: BodyTaker) {
    this.#taker = taker;
  }

  data(slice: Buffer): void {
    if (this.#slices !== null) {
      this.#slices.bytes(slice);
    } else if (this.#only.length === 0) {
      this.#only = Buffer.from(slice);
    } else {
      this.#slices = new ByteWriter(this.#only.length + slice.length);
      this.#slices.bytes(this.#only);
      this.#slices.bytes(slice);
    }
  }

  end(): void {
    this.#taker.complete(this.#slices === null ? this.#only : this.#slices.take());
  }

  failed(error: TidegateError): void {
    this.#taker.failed(error);
  }
}
