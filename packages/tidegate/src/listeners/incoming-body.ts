import type { Buffer } from 'node:buffer';
import { TidegateError } from '../kernel/index.ts';
import type { BodyReceiver, RequestBody } from './port.ts';

/** What a body tells the connection that reads it. */
export interface BodySource {
  /** The body may go on: it was asked for, or resumed. */
  bodyWanted(): void;
}

/** The body of one request, between the connection that reads it and the receiver that asked for it. */
export class IncomingBody implements RequestBody {
  readonly lengthBytes: number | null;
  readonly #source: BodySource;
  #receiver: BodyReceiver | null = null;
  #received = false;
  #paused = false;
  #bytesAllowed = 0;

  constructor(lengthBytes: number | null, source: BodySource) {
    this.lengthBytes = lengthBytes;
    this.#source = source;
  }

  /** Nothing is delivered before `receive` has returned. */
  receive(receiver: BodyReceiver, bytesMax: number): void {
    if (this.#received) throw new TidegateError('internal', 'The body of a request was asked for twice.');
    this.#received = true;
    this.#receiver = receiver;
    this.#bytesAllowed = bytesMax;
    this.#source.bodyWanted();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    if (this.#receiver !== null) this.#source.bodyWanted();
  }

  /** Whether somebody waits for the next bytes. */
  get isWanted(): boolean {
    return this.#receiver !== null && !this.#paused;
  }

  /** Fails at once if Content-Length says that the body will be too large; returns whether it did. */
  failIfTooLarge(): boolean {
    if (this.lengthBytes === null || this.lengthBytes <= this.#bytesAllowed) return false;
    this.fail(new TidegateError('body_too_large'));
    return true;
  }

  deliver(slice: Buffer): void {
    this.#bytesAllowed -= slice.length;
    if (this.#bytesAllowed < 0) this.fail(new TidegateError('body_too_large'));
    else this.#receiver?.data(slice);
  }

  complete(): void {
    const receiver = this.#receiver;
    this.#receiver = null;
    receiver?.end();
  }

  fail(error: TidegateError): void {
    const receiver = this.#receiver;
    this.#receiver = null;
    receiver?.failed(error);
  }

  /** The request was answered: what is still to come interests nobody. */
  abandon(): void {
    this.#received = true;
    this.#receiver = null;
  }
}
