import type { Buffer } from 'node:buffer';
import { TidegateError } from '../kernel/index.ts';
import type { RequestHead, RequestParser } from '../wire/http1/index.ts';
import type { BodyReceiver, Headers, RequestBody } from './port.ts';

/** What a body asks of the connection that it comes on. */
export interface BodySource {
  /** The body may go on: it was asked for, or resumed. */
  bodyWanted(): void;
  /** The client waits to be told that the body may come (RFC 9110, section 10.1.1). */
  sendContinue(): void;
}

/** What reading on in a body has come to: it moved, nobody waits for it, it needs more bytes, or it is not worth reading. */
export type BodyProgress = 'moved' | 'unwanted' | 'starved' | 'hopeless';

/** The body of one request, between the connection that reads it and the receiver that asked for it. */
export class IncomingBody implements RequestBody {
  readonly lengthBytes: number | null;
  /** The client awaits 100 and has not been sent it: it may send the body after all, or may not. */
  owesContinue: boolean;
  /** The end of the body was read. */
  isRead = false;
  readonly #source: BodySource;
  #receiver: BodyReceiver | null = null;
  #isAskedFor = false;
  #isPaused = false;
  #bytesMax = 0;
  #bytesSeen = 0;

  constructor(head: RequestHead, source: BodySource) {
    this.lengthBytes = head.bodyBytes;
    this.owesContinue = head.expectsContinue;
    this.#source = source;
  }

  /** Nothing is delivered before `receive` has returned. */
  receive(receiver: BodyReceiver, bytesMax: number): void {
    if (this.#isAskedFor) throw new TidegateError('internal', 'The body of a request was asked for twice.');
    this.#isAskedFor = true;
    this.#receiver = receiver;
    this.#bytesMax = bytesMax;
    this.#source.bodyWanted();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#receiver !== null) this.#source.bodyWanted();
  }

  /** Whether somebody waits for the next bytes. */
  get isWanted(): boolean {
    return this.#receiver !== null && !this.#isPaused;
  }

  /** Takes one step of what the parser holds to the receiver. */
  read(parser: RequestParser): BodyProgress {
    if (!this.isWanted) return 'unwanted';
    if (this.lengthBytes !== null && this.lengthBytes > this.#bytesMax) {
      // Content-Length alone tells: the client need not send it first.
      this.fail(new TidegateError('body_too_large'));
      return 'moved';
    }
    if (this.owesContinue) {
      this.owesContinue = false;
      // RFC 9110, section 10.1.1: 100 may be left out once some of the body has arrived.
      if (parser.bufferedBytes === 0) this.#source.sendContinue();
    }
    switch (parser.next()) {
      case 'data':
        this.#deliver(parser.slice);
        return 'moved';
      case 'end':
        this.#complete(parser.trailers);
        return 'moved';
      case 'failed':
        this.fail(parser.error as TidegateError);
        return 'moved';
      default:
        return 'starved';
    }
  }

  /** Takes one step past what nobody wants, as far as that is cheaper than a new connection. */
  discard(parser: RequestParser): BodyProgress {
    switch (parser.next()) {
      case 'data':
        this.#bytesSeen += parser.slice.length;
        return this.#bytesSeen <= this.#bytesMax ? 'moved' : 'hopeless';
      case 'end':
        this.isRead = true;
        return 'moved';
      case 'more':
        return 'starved';
      default:
        return 'hopeless';
    }
  }

  /** Ends the delivery with an error; nothing follows. */
  fail(error: TidegateError): void {
    const receiver = this.#receiver;
    this.#receiver = null;
    receiver?.failed(error);
  }

  /** The request was answered: what is still to come interests nobody, and so much of it may be read past. */
  abandon(discardBytesMax: number): void {
    this.#isAskedFor = true;
    this.#receiver = null;
    this.#bytesMax = discardBytesMax;
    this.#bytesSeen = 0;
  }

  #deliver(slice: Buffer): void {
    this.#bytesSeen += slice.length;
    if (this.#bytesSeen > this.#bytesMax) this.fail(new TidegateError('body_too_large'));
    else this.#receiver?.data(slice);
  }

  #complete(trailers: Headers | null): void {
    this.isRead = true;
    const receiver = this.#receiver;
    this.#receiver = null;
    receiver?.end(trailers);
  }
}
