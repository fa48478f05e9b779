import type { Buffer } from 'node:buffer';
import type { CacheFetch } from '../cache/index.ts';
import type { OriginExchange, OriginFailure, OriginHead, OriginReceiver } from '../origin/exchange.ts';
import type { ProxyOutcome } from './admission.ts';
import type { ProxyExchange } from './proxy-exchange.ts';

/** What the feed says of its course. */
export interface FeedCourse {
  /** The cache has no use for the answer: the client takes it, if there is one. */
  passed(): ProxyExchange | null;
  /** The origin has nothing more to do with it. Comes once, but not after `passed` has given a client. */
  ended(outcome: ProxyOutcome): void;
}

/** Bodies that nobody wants are read up to here, to keep the connection. */
const UNWANTED_BYTES_MAX = 64 * 1024;

/** The answer of an origin on its way to the cache. */
export class CacheFeed implements OriginReceiver {
  readonly #fetch: CacheFetch;
  readonly #course: FeedCourse;
  #origin: OriginExchange | null = null;
  #client: ProxyExchange | null = null;
  #mode: 'asked' | 'storing' | 'done' = 'asked';
  #status = 0;

  constructor(fetch: CacheFetch, course: FeedCourse) {
    this.#fetch = fetch;
    this.#course = course;
  }

  /** To be called before the request is sent. */
  attach(origin: OriginExchange): void {
    this.#origin = origin;
    this.#fetch.begin({
      resume: () => origin.resume(),
      abort: () => {
        this.#mode = 'done';
        origin.abort();
        this.#course.ended('client_left');
      },
    });
  }

  // What is asked on behalf of the cache has no body, and no connection to hand over.
  bodyWanted(): void {}

  drained(): void {}

  upgraded(): void {}

  interim(status: number, fields: readonly string[]): void {
    this.#client?.interim(status, fields);
  }

  head(head: OriginHead): void {
    const { status, fields, bodyBytes } = head;
    this.#status = status;
    switch (this.#fetch.head({ status, fields, bodyBytes })) {
      case 'store':
        this.#mode = 'storing';
        break;
      case 'pass':
        this.#pass(head);
        break;
      case 'done':
        this.#mode = 'done';
        if (bodyBytes === null || bodyBytes > UNWANTED_BYTES_MAX) this.#drop();
        break;
    }
  }

  #pass(head: OriginHead): void {
    const client = this.#course.passed();
    this.#client = client;
    if (client === null || this.#origin === null) {
      this.#mode = 'done';
      this.#drop();
      return;
    }
    client.attach(this.#origin);
    client.head(head);
  }

  #drop(): void {
    this.#origin?.abort();
    this.#course.ended(this.#status);
  }

  data(slice: Buffer): void {
    if (this.#client !== null) this.#client.data(slice);
    else if (this.#mode === 'storing' && !this.#fetch.data(slice)) this.#origin?.pause();
  }

  answerEnded(trailers: readonly string[]): void {
    if (this.#client !== null) {
      this.#client.answerEnded(trailers);
      return;
    }
    this.#course.ended(this.#status);
    if (this.#mode === 'storing') this.#fetch.end();
  }

  failed(failure: OriginFailure): void {
    if (this.#client !== null) {
      this.#client.failed(failure);
      return;
    }
    this.#course.ended(failure.error);
    if (this.#mode !== 'done') this.#fetch.failed(failure.error);
  }
}
