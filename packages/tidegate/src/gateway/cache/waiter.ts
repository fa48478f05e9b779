import type { TidegateError } from '../../kernel/index.ts';
import type { FetchBody } from './fetch-body.ts';
import type { CacheReceiver, CacheReply, CacheRequest, CacheTicket } from './port.ts';
import type { RequestTerms } from './request-terms.ts';

/** The fetch that somebody waits for, as the waiting one sees it. */
export interface AwaitedFetch {
  attached(waiter: Waiter): void;
  drained(waiter: Waiter): void;
  left(waiter: Waiter): void;
}

/** A client that waits for a response, and how far it has come in it. */
export class Waiter implements CacheTicket {
  readonly request: CacheRequest;
  readonly terms: RequestTerms;
  readonly #fetch: AwaitedFetch;
  #receiver: CacheReceiver | null = null;
  /** `over` once nothing more is told. */
  #state: 'new' | 'waiting' | 'receiving' | 'over' = 'new';
  #position = 0;
  #pace: 'keeps' | 'full' = 'keeps';

  constructor(fetch: AwaitedFetch, request: CacheRequest, terms: RequestTerms) {
    this.#fetch = fetch;
    this.request = request;
    this.terms = terms;
  }

  attach(receiver: CacheReceiver): void {
    if (this.#state !== 'new') return;
    this.#receiver = receiver;
    this.#state = 'waiting';
    this.#fetch.attached(this);
  }

  drained(): void {
    if (this.#state !== 'receiving') return;
    this.#pace = 'keeps';
    this.#fetch.drained(this);
  }

  leave(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#receiver = null;
    this.#fetch.left(this);
  }

  get state(): 'new' | 'waiting' | 'receiving' | 'over' {
    return this.#state;
  }

  /** How many bytes of the body it has been given. */
  get position(): number {
    return this.#position;
  }

  get isFull(): boolean {
    return this.#pace === 'full';
  }

  /** Gives it the head, and the body if that is there. */
  reply(reply: CacheReply): void {
    if (this.#state !== 'waiting') return;
    const receiver = this.#receiver;
    if (reply.body === null) this.#state = 'receiving';
    else this.#finish();
    receiver?.head(reply);
  }

  /** Gives it what it takes of the body that it has not had. */
  feed(body: FetchBody): void {
    while (this.#state === 'receiving' && this.#pace === 'keeps') {
      const slice = body.from(this.#position);
      if (slice.length === 0) return;
      this.#position += slice.length;
      if (this.#receiver?.data(slice) === false) this.#pace = 'full';
    }
  }

  end(): void {
    if (this.#state !== 'receiving') return;
    const receiver = this.#receiver;
    this.#finish();
    receiver?.end();
  }

  fail(error: TidegateError): void {
    if (this.#state === 'over') return;
    const receiver = this.#receiver;
    this.#finish();
    receiver?.failed(error);
  }

  release(): void {
    if (this.#state === 'over') return;
    const receiver = this.#receiver;
    this.#finish();
    receiver?.released();
  }

  #finish(): void {
    this.#state = 'over';
    this.#receiver = null;
  }
}
