import type { Socket } from 'node:net';
import { TidegateError } from '../kernel/index.ts';
import { normalAddress } from './address.ts';
import type { ListenerContext } from './connection-registry.ts';
import type { IncomingExchange } from './incoming-exchange.ts';

/** Takes the exchanges of one connection. */
export type ExchangeHandler = (exchange: IncomingExchange) => void;

/**
 * Who takes what comes on a connection: the handler itself, unless a trusted proxy is at the other end. Then each request is first told where it comes
 * from, and refused if that cannot be found out. It is decided once, so that nobody else's requests pay for it.
 */
export function handlerFor(
  socket: Socket,
  { trustedProxies, handler, logger }: Pick<ListenerContext, 'trustedProxies' | 'handler' | 'logger'>,
): ExchangeHandler {
  if (trustedProxies === null) return handler;
  const peer = normalAddress(socket.remoteAddress ?? '');
  if (peer === null || !trustedProxies.include(peer)) return handler;
  return (exchange) => {
    const { request } = exchange;
    try {
      request.comesFrom(trustedProxies.sourceOf(request, peer));
    } catch (error) {
      const fault = TidegateError.from(error);
      logger.debug({ code: fault.code, detail: fault.detail, proxy: peer }, 'A request was refused');
      exchange.fail(fault);
      return;
    }
    handler(exchange);
  };
}
