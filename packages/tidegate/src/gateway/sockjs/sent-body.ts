import { Buffer } from 'node:buffer';
import type { TidegateError } from '../../kernel/index.ts';
import type { BodyReceiver, RequestBody } from '../../listeners/port.ts';

/** The body of a request, which is read whole. */
export class SentBody implements BodyReceiver {
  readonly #done: (body: string | TidegateError) => void;
  readonly #parts: Buffer[] = [];

  /** @param done comes once: with the text, or with what kept it from being complete, such as body_too_large */
  static read(body: RequestBody, bytesMax: number, done: (body: string | TidegateError) => void): void {
    if (body.lengthBytes === 0) done('');
    else body.receive(new SentBody(done), bytesMax);
  }

  private constructor(done: (body: string | TidegateError) => void) {
    this.#done = done;
  }

  data(slice: Buffer): void {
    this.#parts.push(Buffer.from(slice));
  }

  end(): void {
    this.#done(Buffer.concat(this.#parts).toString('utf8'));
  }

  failed(error: TidegateError): void {
    this.#done(error);
  }
}
