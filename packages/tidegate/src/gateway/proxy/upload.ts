import type { Buffer } from 'node:buffer';
import type { TidegateError } from '../../kernel/index.ts';
import type { BodyReceiver, Headers, RequestBody } from '../../listeners/port.ts';
import type { OriginExchange } from '../origin/exchange.ts';

/** The body of a request on its way to the origin. */
export class Upload implements BodyReceiver {
  readonly #body: RequestBody;
  readonly #fetch: OriginExchange;
  readonly #broken: (error: TidegateError) => void;

  /** @param broken the body will not be complete: the client left, stalled, or sent too much */
  constructor(body: RequestBody, fetch: OriginExchange, broken: (error: TidegateError) => void) {
    this.#body = body;
    this.#fetch = fetch;
    this.#broken = broken;
  }

  data(slice: Buffer): void {
    if (!this.#fetch.write(slice)) this.#body.pause();
  }

  end(trailers: Headers | null): void {
    this.#fetch.end(trailers === null ? [] : [...trailers.entries()].flat());
  }

  failed(error: TidegateError): void {
    this.#broken(error);
  }

  /** The origin has taken what was written. */
  drained(): void {
    this.#body.resume();
  }
}
