import { type Limits, TidegateError } from '../../kernel/index.ts';
import type { HttpExchange } from '../../listeners/port.ts';
import { isWebSocketHandshake } from '../handshake.ts';
import type { CrossOriginRule } from '../routes/route.ts';
import type { RouteMatch } from '../routes/route-match.ts';
import { JsonpExchange } from './jsonp-exchange.ts';
import { jsonpRequest } from './jsonp-request.ts';
import { OpenExchange } from './open-exchange.ts';

/**
 * An exchange whose answer pages of other origins get: by CORS, or as a script. Null if it has been answered already.
 * WebSockets need neither: there, it is the origin that goes by Origin.
 */
export function forPages(
  exchange: HttpExchange,
  rule: CrossOriginRule,
  { methods }: RouteMatch,
  limits: Limits,
): HttpExchange | null {
  if (isWebSocketHandshake(exchange.request)) return exchange;
  const open = new OpenExchange(exchange);
  if (rule.jsonp === null) return open;
  try {
    const asked = jsonpRequest(exchange.request, rule.jsonp, methods);
    return asked === null ? open : new JsonpExchange(exchange, asked, rule.jsonp, limits);
  } catch (error) {
    open.fail(TidegateError.from(error));
    return null;
  }
}
