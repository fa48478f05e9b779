import { Buffer } from 'node:buffer';
import { TidegateError } from '../../kernel/index.ts';
import type { ByteChannel, ByteChannelOwner, HttpExchange, ResponseHeaders } from '../../listeners/port.ts';
import { chunk, endOfStream, framingFor, type StreamFraming } from '../../wire/http1/index.ts';

/** Hears what becomes of an answer. */
export interface SessionAnswerOwner {
  /** The client takes more. */
  drained(): void;
  /** The client is gone before the answer was complete. Comes at most once. */
  left(): void;
}

/** The answer to a request of a session, in this process or in the one that the request came to. Either `respond`, or `open`, `write` and `end`. */
export interface SessionAnswer {
  /** To be called once, before anything is answered. */
  heardBy(owner: SessionAnswerOwner): void;
  respond(status: number, headers: ResponseHeaders, body: string | Uint8Array): void;
  /** Begins an answer whose end is not known. */
  open(status: number, headers: ResponseHeaders): void;
  /** Returns whether the client keeps pace; if not, `drained` is called once it does. */
  write(text: string): boolean;
  end(): void;
}

/** An answer on a connection of this process. */
export class ExchangeAnswer implements SessionAnswer, ByteChannelOwner {
  readonly #exchange: HttpExchange;
  readonly #framing: StreamFraming;
  #owner: SessionAnswerOwner | null = null;
  #channel: ByteChannel | null = null;
  #isOver = false;

  constructor(exchange: HttpExchange) {
    this.#exchange = exchange;
    this.#framing = framingFor(exchange.request.minorVersion);
  }

  heardBy(owner: SessionAnswerOwner): void {
    this.#owner = owner;
    this.#exchange.onAbandoned(() => {
      if (this.#isOver || this.#channel !== null) return;
      this.#leave();
      // Whoever has only ended its side is still there, and nothing else would end the other.
      this.#exchange.fail(
        new TidegateError('http_malformed', 'The client ended its side before it had an answer.'),
      );
    });
  }

  respond(status: number, headers: ResponseHeaders, body: string | Uint8Array): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#exchange.respond(status, headers, body);
  }

  open(status: number, headers: ResponseHeaders): void {
    if (!this.#isOver) this.#channel = this.#exchange.stream(status, headers, this, this.#framing);
  }

  write(text: string): boolean {
    if (this.#isOver || this.#channel === null) return false;
    const bytes = Buffer.from(text, 'utf8');
    return this.#channel.write(this.#framing === 'chunked' ? chunk(bytes) : bytes);
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#channel?.end(endOfStream(this.#framing));
  }

  #leave(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#owner?.left();
  }

  // --- What the connection tells. ---

  received(): void {}

  receivedEnd(): void {}

  drained(): void {
    if (!this.#isOver) this.#owner?.drained();
  }

  closed(): void {
    this.#leave();
  }

  /** The session says it, and ends the answer. */
  draining(): void {}
}
