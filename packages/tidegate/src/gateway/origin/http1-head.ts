import type { RelayedLines } from '../../listeners/port.ts';
import type { ReceivedResponse } from '../../wire/http1/index.ts';
import type { OriginHead } from './exchange.ts';
import { endToEndFields, endToEndLines } from './response-fields.ts';

/** The head of an answer of HTTP/1.1. Most are passed on as they came, so that names and values are taken apart only for who asks. */
export class Http1Head implements OriginHead {
  readonly status: number;
  readonly reason: string;
  readonly bodyBytes: number | null;
  readonly #received: ReceivedResponse;
  #fields: readonly string[] | null = null;
  #lines: RelayedLines | null | undefined;

  constructor(received: ReceivedResponse) {
    const { status, reason, framing, lengthBytes } = received;
    this.status = status;
    this.reason = reason;
    this.bodyBytes = framing === 'none' || framing === 'length' ? lengthBytes : null;
    this.#received = received;
  }

  get fields(): readonly string[] {
    this.#fields ??= endToEndFields(this.#received);
    return this.#fields;
  }

  get lines(): RelayedLines | null {
    if (this.#lines === undefined) this.#lines = endToEndLines(this.#received);
    return this.#lines;
  }
}
