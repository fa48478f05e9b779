import { Buffer } from 'node:buffer';
import type { Duplex } from 'node:stream';
import { TidegateError } from '../../kernel/index.ts';
import type {
  OriginExchange,
  OriginFailure,
  OriginHead,
  OriginReceiver,
  OriginRequest,
} from '../origin/exchange.ts';

/** An answer that is complete. */
export interface EventsAnswer {
  readonly head: OriginHead;
  readonly body: Buffer;
}

/** What became of a request: an answer; or a failure, and whether the origin may have acted on the events. */
export type EventsOutcome =
  | { readonly kind: 'answer'; readonly answer: EventsAnswer }
  | { readonly kind: 'failure'; readonly error: TidegateError; readonly taken: 'no' | 'perhaps' };

/** What became of the request that opens a WebSocket. */
export type Opening =
  /** To be followed by `open`, or by `disconnect` if the client has gone. */
  | { readonly kind: 'accepted'; readonly fields: readonly string[] }
  | { readonly kind: 'rejected'; readonly answer: EventsAnswer }
  | { readonly kind: 'failed'; readonly error: TidegateError };

/** One request with events. Its answer is held in memory until it is complete, up to a limit. */
export class EventsRequest implements OriginReceiver {
  readonly #body: Buffer;
  readonly #answerBytesMax: number;
  readonly #done: (outcome: EventsOutcome) => void;
  #exchange: OriginExchange | null = null;
  #head: OriginHead | null = null;
  #slices: Buffer[] = [];
  #bytes = 0;
  #isBodySent = false;
  #isOver = false;

  /** @param done comes once, after `begin` has returned or within it, unless the request is aborted */
  constructor(body: Buffer, answerBytesMax: number, done: (outcome: EventsOutcome) => void) {
    this.#body = body;
    this.#answerBytesMax = answerBytesMax;
    this.#done = done;
  }

  begin(
    request: OriginRequest,
    ask: (request: OriginRequest, receiver: OriginReceiver) => OriginExchange,
  ): void {
    try {
      this.#exchange = ask(request, this);
    } catch (error) {
      this.#finish({ kind: 'failure', error: TidegateError.from(error), taken: 'no' });
      return;
    }
    // The body may have been asked for before there was anything to write it to.
    if (this.#isBodySent) this.#sendBody();
  }

  abort(): void {
    this.#isOver = true;
    this.#exchange?.abort();
  }

  bodyWanted(): void {
    this.#isBodySent = true;
    if (this.#exchange !== null) this.#sendBody();
  }

  #sendBody(): void {
    // However slowly the origin takes it: it is bounded, and in memory already.
    this.#exchange?.write(this.#body);
    this.#exchange?.end([]);
  }

  interim(): void {}

  head(head: OriginHead): void {
    this.#head = head;
    if (head.bodyBytes !== null && head.bodyBytes > this.#answerBytesMax) this.#tooLarge();
  }

  data(slice: Buffer): void {
    if (this.#isOver) return;
    this.#bytes += slice.length;
    if (this.#bytes > this.#answerBytesMax) this.#tooLarge();
    else this.#slices.push(slice);
  }

  answerEnded(): void {
    const head = this.#head as OriginHead;
    const body = this.#slices.length === 1 ? this.#slices[0] : Buffer.concat(this.#slices);
    this.#finish({ kind: 'answer', answer: { head, body } });
  }

  failed({ error, reached }: OriginFailure): void {
    const taken = reached === 'nothing' || !this.#isBodySent ? 'no' : 'perhaps';
    this.#finish({ kind: 'failure', error, taken });
  }

  drained(): void {}

  upgraded(socket: Duplex): void {
    socket.destroy();
    this.#finish({
      kind: 'failure',
      error: new TidegateError('upstream_malformed', 'The origin switched protocols.'),
      taken: 'perhaps',
    });
  }

  #tooLarge(): void {
    if (this.#isOver) return;
    const error = new TidegateError(
      'upstream_malformed',
      `The answer has more than ${this.#answerBytesMax} bytes.`,
    );
    this.#exchange?.abort();
    this.#finish({ kind: 'failure', error, taken: 'perhaps' });
  }

  #finish(outcome: EventsOutcome): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#slices = [];
    this.#done(outcome);
  }
}
