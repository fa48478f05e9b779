import type { TidegateError } from '../../kernel/index.ts';
import { HTTP_STATUS } from '../../listeners/index.ts';
import type { HttpExchange } from '../../listeners/port.ts';
import { WEBSOCKET_VERSION } from '../../wire/websocket/index.ts';
import type { GripRoute } from '../grip/port.ts';

/** Answers a handshake with an error. */
export function refuse(exchange: HttpExchange, error: TidegateError, route: GripRoute): void {
  // RFC 6455, section 4.4: a client of another version learns which one there is.
  const isHandshake = error.code === 'upgrade_invalid';
  exchange.fail(error, isHandshake ? { 'sec-websocket-version': WEBSOCKET_VERSION } : {});
  route.ended(HTTP_STATUS[error.code]);
}
