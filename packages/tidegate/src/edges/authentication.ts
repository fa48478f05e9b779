import { type Access, bearerCredential, type Identity } from '../access/index.ts';
import { TidegateError } from '../kernel/index.ts';
import type { HttpExchange, HttpHandler, HttpRequest } from '../listeners/port.ts';
import type { ChannelsHandler } from './router.ts';

/** Where clients that cannot set headers, such as a browser's EventSource and WebSocket, show their credential. */
const QUERY_PARAMETER = 'access_token';
const QUERY_MARK = `${QUERY_PARAMETER}=`;

/** Finds out who asks, and hands the exchange on with the channels as they may use them. Whoever is not known is refused. */
export function withAccess(access: Access, handler: ChannelsHandler): HttpHandler {
  const settle = (exchange: HttpExchange, result: Identity | TidegateError): void => {
    if (result instanceof TidegateError) exchange.fail(result);
    else handler(exchange, access.channelsFor(result));
  };
  return (exchange) => {
    let credential: string | null;
    try {
      credential = credentialOf(exchange.request);
    } catch (error) {
      exchange.fail(TidegateError.from(error));
      return;
    }
    if (credential === null)
      handler(exchange, access.channelsFor(withoutCredential(access, exchange.request)));
    else access.verify(credential, exchange.request.remoteAddress, (result) => settle(exchange, result));
  };
}

/**
 * The credential of a request: RFC 6750, sections 2.1 and 2.3. Null if it shows none.
 * @throws TidegateError credential_invalid
 */
export function credentialOf(request: HttpRequest): string | null {
  const shown = request.headers.all('authorization');
  const inQuery = request.target.includes(QUERY_MARK) ? request.query.getAll(QUERY_PARAMETER) : [];
  if (shown.length + inQuery.length > 1)
    throw new TidegateError('credential_invalid', 'The request shows more than one');
  if (shown.length === 0) return inQuery.length === 0 ? null : inQuery[0];
  return bearerCredential(shown[0]);
}

/** Who a request is of that shows no key and no token. */
export function withoutCredential(access: Access, { clientCertificate }: HttpRequest): Identity {
  return clientCertificate === null ? access.anonymous : access.certified(clientCertificate);
}
