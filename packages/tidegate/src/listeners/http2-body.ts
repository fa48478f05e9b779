import type { Buffer } from 'node:buffer';
import type { ServerHttp2Stream } from 'node:http2';
import { type Expiring, TidegateError } from '../kernel/index.ts';
import type { ListenerContext } from './connection-registry.ts';
import { type Http2Head, readHttp2Trailers } from './http2-head.ts';
import type { BodyReceiver, Headers, RequestBody } from './port.ts';

/**
 * The body of a request on an HTTP/2 stream. While nobody asks for it, or it is paused, the stream's window is not opened again:
 * the client stops after what one window holds, and the other streams of its connection go on.
 */
export class Http2Body implements RequestBody, Expiring {
  readonly lengthBytes: number | null;
  deadlineMs = Number.POSITIVE_INFINITY;
  /** All of it was received. */
  isRead: boolean;
  readonly #stream: ServerHttp2Stream;
  readonly #context: ListenerContext;
  /** Is told of an error that a receiver throws. */
  readonly #escaped: (error: unknown) => void;
  #owesContinue: boolean;
  #receiver: BodyReceiver | null = null;
  #isAskedFor = false;
  /** Some of it may have been taken from the stream, which then no longer looks after the rest by itself. */
  #hasBegun = false;
  #isPaused = false;
  #bytesMax = 0;
  #bytesSeen = 0;
  #trailers: Headers | null = null;
  /** What is wrong with the trailers. */
  #trailersFault: TidegateError | null = null;

  constructor(
    stream: ServerHttp2Stream,
    head: Http2Head,
    context: ListenerContext,
    escaped: (error: unknown) => void,
  ) {
    this.#stream = stream;
    this.#context = context;
    this.#escaped = escaped;
    this.lengthBytes = head.bodyBytes;
    this.isRead = stream.endAfterHeaders;
    this.#owesContinue = head.expectsContinue;
    stream.once('trailers', (_headers, _flags, raw: readonly string[]) => this.#readTrailers(raw));
  }

  /** Nothing is delivered before `receive` has returned. */
  receive(receiver: BodyReceiver, bytesMax: number): void {
    if (this.#isAskedFor) throw new TidegateError('internal', 'The body of a request was asked for twice.');
    this.#isAskedFor = true;
    this.#receiver = receiver;
    this.#bytesMax = bytesMax;
    if (this.isRead) {
      queueMicrotask(() => this.#guard(() => this.#complete()));
      return;
    }
    if (this.lengthBytes !== null && this.lengthBytes > bytesMax) {
      // Content-Length alone tells: the client need not send it first.
      queueMicrotask(() => this.#guard(() => this.fail(new TidegateError('body_too_large'))));
      return;
    }
    const stream = this.#stream;
    if (this.#owesContinue && !stream.closed && !stream.destroyed)
      stream.additionalHeaders({ ':status': 100 });
    this.#owesContinue = false;
    this.#hasBegun = true;
    stream.on('data', this.#received);
    stream.on('end', this.#ended);
    this.#context.deadlines.add(this);
    if (this.#isPaused) stream.pause();
    else this.#expectProgress();
  }

  pause(): void {
    this.#isPaused = true;
    if (this.#hasBegun) this.#stream.pause();
    this.deadlineMs = Number.POSITIVE_INFINITY;
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#receiver === null || !this.#hasBegun) return;
    this.#stream.resume();
    this.#expectProgress();
  }

  /** Ends the delivery with an error; nothing follows. */
  fail(reason: TidegateError): void {
    const receiver = this.#receiver;
    this.#letGo();
    receiver?.failed(reason);
  }

  /** What is still to come interests nobody. */
  abandon(): void {
    this.#isAskedFor = true;
    this.#letGo();
    // What has arrived would keep the stream from closing.
    if (this.#hasBegun) this.#stream.resume();
  }

  expired(): void {
    this.#guard(() => this.fail(new TidegateError('http_request_timeout', 'The body stopped arriving.')));
  }

  readonly #received = (slice: Buffer): void => {
    this.#guard(() => {
      this.#bytesSeen += slice.length;
      if (this.#bytesSeen > this.#bytesMax) {
        this.fail(new TidegateError('body_too_large'));
        return;
      }
      if (!this.#isPaused) this.#expectProgress();
      this.#receiver?.data(slice);
    });
  };

  readonly #ended = (): void => {
    // A stream that was reset ends too; its closing tells the receiver that the body failed.
    if (this.#stream.aborted || this.#stream.rstCode !== 0) return;
    this.isRead = true;
    this.#guard(() => this.#complete());
  };

  /** They may come before the body is asked for. */
  #readTrailers(raw: readonly string[]): void {
    try {
      this.#trailers = readHttp2Trailers(raw, this.#context.limits);
    } catch (error) {
      this.#trailersFault = TidegateError.from(error);
    }
  }

  #complete(): void {
    if (this.#trailersFault !== null) {
      this.fail(this.#trailersFault);
      return;
    }
    const receiver = this.#receiver;
    this.#letGo();
    receiver?.end(this.#trailers);
  }

  #letGo(): void {
    this.#receiver = null;
    this.deadlineMs = Number.POSITIVE_INFINITY;
    this.#context.deadlines.delete(this);
    this.#stream.off('data', this.#received);
    this.#stream.off('end', this.#ended);
  }

  #expectProgress(): void {
    const { deadlines, limits } = this.#context;
    this.deadlineMs = deadlines.after(limits.httpBodyIdleTimeoutMs);
  }

  #guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#escaped(error);
    }
  }
}
