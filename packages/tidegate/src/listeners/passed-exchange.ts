import type { TidegateError } from '../kernel/index.ts';
import type {
  ByteChannel,
  ByteChannelOwner,
  HttpExchange,
  HttpRequest,
  RelayedBody,
  RelayedHead,
  RelayOwner,
  ResponseHeaders,
  StreamFraming,
} from './port.ts';

/** An exchange that passes everything on to another one: for those that change a part of it. */
export class PassedExchange implements HttpExchange {
  readonly request: HttpRequest;
  readonly #exchange: HttpExchange;

  /** @param request what the handler sees in place of the exchange's own */
  constructor(exchange: HttpExchange, request: HttpRequest = exchange.request) {
    this.request = request;
    this.#exchange = exchange;
  }

  respond(status: number, headers: ResponseHeaders, body?: string | Uint8Array): void {
    this.#exchange.respond(status, headers, body);
  }

  fail(error: TidegateError, headers?: ResponseHeaders): void {
    this.#exchange.fail(error, headers);
  }

  relay(head: RelayedHead, owner: RelayOwner): RelayedBody {
    return this.#exchange.relay(head, owner);
  }

  inform(status: number, fields: readonly string[]): void {
    this.#exchange.inform(status, fields);
  }

  stream(
    status: number,
    headers: ResponseHeaders,
    owner: ByteChannelOwner,
    framing: StreamFraming,
  ): ByteChannel {
    return this.#exchange.stream(status, headers, owner, framing);
  }

  converse(
    status: number,
    headers: ResponseHeaders,
    owner: ByteChannelOwner,
    framing: StreamFraming,
  ): ByteChannel {
    return this.#exchange.converse(status, headers, owner, framing);
  }

  upgrade(headers: ResponseHeaders, owner: ByteChannelOwner): ByteChannel {
    return this.#exchange.upgrade(headers, owner);
  }

  onAbandoned(callback: () => void): void {
    this.#exchange.onAbandoned(callback);
  }
}
