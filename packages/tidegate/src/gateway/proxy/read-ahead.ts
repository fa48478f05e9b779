import { Buffer } from 'node:buffer';
import type { TidegateError } from '../../kernel/index.ts';
import type { BodyReceiver, Headers, RequestBody } from '../../listeners/port.ts';

/** What comes of reading ahead. */
export interface ReadAheadOwner {
  /** The whole body; null if it is larger than what may be kept. Comes once, unless `broken` does. */
  readAhead(body: Buffer | null): void;
  /** The body will not be complete. */
  broken(error: TidegateError): void;
}

/** The body of a request whose beginning is read before anybody receives it, who then gets all of it. */
export class ReadAhead implements RequestBody, BodyReceiver {
  readonly lengthBytes: number | null;
  readonly #body: RequestBody;
  readonly #keptBytesMax: number;
  readonly #owner: ReadAheadOwner;
  #parts: Buffer[] = [];
  #bytes = 0;
  #receiver: BodyReceiver | null = null;
  #end: { readonly trailers: Headers | null } | null = null;
  #error: TidegateError | null = null;
  #isRead = false;

  constructor(body: RequestBody, keptBytesMax: number, owner: ReadAheadOwner) {
    this.lengthBytes = body.lengthBytes;
    this.#body = body;
    this.#keptBytesMax = keptBytesMax;
    this.#owner = owner;
  }

  /** @param bytesMax the largest body that is taken at all */
  start(bytesMax: number): void {
    this.#body.receive(this, bytesMax);
  }

  // --- What the body brings. ---

  data(slice: Buffer): void {
    if (this.#receiver !== null) {
      this.#receiver.data(slice);
      return;
    }
    // It is valid during the call only.
    this.#parts.push(Buffer.from(slice));
    this.#bytes += slice.length;
    if (this.#bytes <= this.#keptBytesMax) return;
    this.#body.pause();
    this.#tell(null);
  }

  end(trailers: Headers | null): void {
    if (this.#receiver !== null) {
      this.#receiver.end(trailers);
      return;
    }
    this.#end = { trailers };
    this.#tell(Buffer.concat(this.#parts));
  }

  failed(error: TidegateError): void {
    if (this.#receiver !== null) {
      this.#receiver.failed(error);
      return;
    }
    this.#error = error;
    if (this.#isRead) return;
    this.#isRead = true;
    this.#owner.broken(error);
  }

  #tell(body: Buffer | null): void {
    if (this.#isRead) return;
    this.#isRead = true;
    this.#owner.readAhead(body);
  }

  // --- What the receiver asks. ---

  receive(receiver: BodyReceiver): void {
    this.#receiver = receiver;
    const parts = this.#parts;
    this.#parts = [];
    if (this.#end === null && this.#error === null) this.#body.resume();
    for (const part of parts) receiver.data(part);
    if (this.#error !== null) receiver.failed(this.#error);
    else if (this.#end !== null) receiver.end(this.#end.trailers);
  }

  pause(): void {
    if (this.#end === null) this.#body.pause();
  }

  resume(): void {
    if (this.#end === null) this.#body.resume();
  }
}
