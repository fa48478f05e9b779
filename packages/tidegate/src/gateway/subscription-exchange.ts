import { PassedExchange } from '../listeners/index.ts';
import type { HttpExchange, HttpRequest } from '../listeners/port.ts';

/** The parameter by which several channels are asked for, which here the route does. */
const CHANNEL_PARAMETER = 'channel';

/**
 * A request by a route that leads to a channel, as it is to whoever serves event streams: it asks for that channel, and otherwise for what the client said. Who asks,
 * and with what credential, is as it came.
 */
export class SubscriptionExchange extends PassedExchange {
  /** @param path where event streams of channels are served */
  constructor(exchange: HttpExchange, path: string, channel: string) {
    const query = new URLSearchParams(exchange.request.query);
    query.set(CHANNEL_PARAMETER, channel);
    super(exchange, requestOf(exchange.request, path, query));
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
