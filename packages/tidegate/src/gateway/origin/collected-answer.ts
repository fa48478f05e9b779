import { Buffer } from 'node:buffer';
import { TidegateError } from '../../kernel/index.ts';
import type { OriginExchange, OriginFailure, OriginHead, OriginReceiver } from './exchange.ts';

/** A whole answer. `fields` are names and values in turn. */
export interface WholeAnswer {
  readonly status: number;
  readonly fields: readonly string[];
  readonly body: Buffer;
}

/** Exactly one of the two is null. */
export type WholeAnswerCallback = (error: TidegateError | null, answer: WholeAnswer | null) => void;

/** Gathers an answer that somebody needs whole. For requests without a body. */
export class CollectedAnswer implements OriginReceiver {
  readonly #bytesMax: number;
  #done: WholeAnswerCallback | null;
  #exchange: OriginExchange | null = null;
  #head: OriginHead | null = null;
  #parts: Buffer[] = [];
  #bytes = 0;

  /**
   * @param bytesMax of the body; past it the error is body_too_large
   * @param done called once, unless it is aborted first
   */
  constructor(bytesMax: number, done: WholeAnswerCallback) {
    this.#bytesMax = bytesMax;
    this.#done = done;
  }

  /** To be called before the request is sent. */
  attach(exchange: OriginExchange): void {
    this.#exchange = exchange;
  }

  /** Nobody wants it any more. */
  abort(): void {
    this.#done = null;
    this.#exchange?.abort();
  }

  // What is asked has no body, and no connection to hand over.
  bodyWanted(): void {}

  drained(): void {}

  upgraded(): void {}

  interim(): void {}

  head(head: OriginHead): void {
    this.#head = head;
    if (head.bodyBytes !== null && head.bodyBytes > this.#bytesMax) this.#refuse();
  }

  data(slice: Buffer): void {
    this.#bytes += slice.length;
    if (this.#bytes > this.#bytesMax) this.#refuse();
    else this.#parts.push(slice);
  }

  answerEnded(): void {
    const { status, fields } = this.#head as OriginHead;
    this.#finish(null, { status, fields, body: Buffer.concat(this.#parts) });
  }

  failed({ error }: OriginFailure): void {
    this.#finish(error, null);
  }

  #refuse(): void {
    this.#exchange?.abort();
    this.#finish(
      new TidegateError('body_too_large', `The answer of the origin has more than ${this.#bytesMax} bytes.`),
      null,
    );
  }

  #finish(error: TidegateError | null, answer: WholeAnswer | null): void {
    const done = this.#done;
    this.#done = null;
    this.#parts = [];
    done?.(error, answer);
  }
}
