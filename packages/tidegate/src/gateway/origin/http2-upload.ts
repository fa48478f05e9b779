import type { Buffer } from 'node:buffer';
import { type ClientHttp2Stream, constants } from 'node:http2';
import type { Expiring } from '../../kernel/index.ts';
import { http2TrailerFields } from './http2-fields.ts';

/** What the sending side of a stream needs of its connection. */
export interface UploadConnection {
  /** How many of its streams are telling something just now. */
  readonly hearing: number;
  /** An upload that nobody looks after any more is to expire: soon, or if it does not come to its end in time. */
  expire(upload: Expiring, when: 'soon' | 'in_time'): void;
  /** There is nothing to expire any more. */
  forget(upload: Expiring): void;
}

const NO_FIELDS: readonly string[] = [];

/** What goes to the origin on a stream, and how the stream is taken back before its end. */
export class Http2Upload implements Expiring {
  deadlineMs = Number.POSITIVE_INFINITY;
  /** All of it was handed to the stream. */
  isComplete: boolean;
  readonly #stream: ClientHttp2Stream;
  readonly #connection: UploadConnection;
  /** The end of the body is yet to be sent, with the trailers. */
  #awaitsTrailers: boolean;
  #trailers = NO_FIELDS;
  #isDropped = false;
  #behind = false;

  /**
   * @param body a body is followed by trailers, maybe none; a tunnel has neither
   * @param drained what was written has been sent
   */
  constructor(
    stream: ClientHttp2Stream,
    body: 'none' | 'body' | 'tunnel',
    connection: UploadConnection,
    drained: () => void,
  ) {
    this.#stream = stream;
    this.#connection = connection;
    this.isComplete = body === 'none';
    this.#awaitsTrailers = body === 'body';
    stream.on('wantTrailers', () => this.#sendTrailers());
    stream.on('drain', () => {
      if (!this.#behind) return;
      this.#behind = false;
      drained();
    });
  }

  /** Returns whether the stream kept pace; if not, `drained` is called once it has. */
  write(slice: Buffer): boolean {
    if (this.#isDropped || this.#isGone || slice.length === 0 || this.#stream.write(slice)) return true;
    this.#behind = true;
    return false;
  }

  /** @param trailers names and values in turn */
  end(trailers: readonly string[]): void {
    this.isComplete = true;
    this.#trailers = trailers;
    if (!this.#isGone) this.#stream.end();
  }

  /** The origin has answered in full. It need not take the rest (RFC 9113, section 8.1), and if it takes it, it has its time. */
  answered(): void {
    if (!this.isComplete) this.drop();
    else if (!this.#stream.writableFinished) this.#connection.expire(this, 'in_time');
  }

  /**
   * Takes the stream back. Told to do so while a body is on its way, the library would first send END_STREAM, as if the body were complete; or end the
   * process, where the stream is gone and its trailers are asked for; and a reset that it is asked for while it reads may never be sent. So the body
   * comes to where its trailers would follow, and the reset once nothing is read.
   */
  drop(): void {
    if (this.#isGone || this.#isDropped) return;
    this.#isDropped = true;
    if (this.#awaitsTrailers) {
      this.#stream.end();
      this.#connection.expire(this, 'in_time');
    } else if (this.#connection.hearing > 0) {
      this.#connection.expire(this, 'soon');
    } else {
      this.expired();
    }
  }

  expired(): void {
    if (!this.#isGone) this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  /** The stream is gone. */
  closed(): void {
    this.#connection.forget(this);
  }

  get #isGone(): boolean {
    return this.#stream.closed || this.#stream.destroyed;
  }

  #sendTrailers(): void {
    this.#awaitsTrailers = false;
    if (this.#isGone) return;
    if (this.#isDropped) this.#connection.expire(this, 'soon');
    else this.#stream.sendTrailers(http2TrailerFields(this.#trailers));
  }
}
