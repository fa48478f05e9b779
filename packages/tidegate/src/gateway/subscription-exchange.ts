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
} from '../listeners/port.ts';

/** The parameter by which several channels are asked for, which here the route does. */
const CHANNEL_PARAMETER = 'channel';

/**
 * A request by a route that leads to a channel, as it is to whoever serves event streams: it asks for that channel, and otherwise for what the client said. Who asks,
 * and with what credential, is as it came.
 */
export class SubscriptionExchange implements HttpExchange {
  readonly request: HttpRequest;
  readonly #exchange: HttpExchange;

  /** @param path where event streams of channels are served */
  constructor(exchange: HttpExchange, path: string, channel: string) {
    this.#exchange = exchange;
    const query = new URLSearchParams(exchange.request.query);
    query.set(CHANNEL_PARAMETER, channel);
    this.request = requestOf(exchange.request, path, query);
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

/** Field by field, since a request of a listener may find some of them when they are asked for. */
function requestOf(request: HttpRequest, path: string, query: URLSearchParams): HttpRequest {
  const { method, host, headers, body, majorVersion, minorVersion } = request;
  const { scheme, remoteAddress, proxies, clientCertificate } = request;
  return {
    method,
    target: `${path}?${query}`,
    path,
    query,
    host,
    headers,
    body,
    majorVersion,
    minorVersion,
    scheme,
    remoteAddress,
    proxies,
    clientCertificate,
  };
}
