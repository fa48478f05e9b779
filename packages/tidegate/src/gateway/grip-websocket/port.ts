import type { Buffer } from 'node:buffer';
import type { Duplex } from 'node:stream';
import type { HttpExchange, HttpRequest } from '../../listeners/port.ts';
import type { GripRoute } from '../grip/port.ts';
import type { OriginHead, OriginRequest } from '../origin/exchange.ts';
import type { GripRule } from '../routes/route.ts';

/** GRIP on WebSockets, for the proxy. */
export interface GripWebSockets {
  /**
   * Whether a request pretends to come from a gateway: a POST of events of WebSocket-over-HTTP. It is to be refused with
   * `access_denied` on every route with GRIP, unless whoever sends it has proved to be one.
   */
  pretendsToBeGateway(request: HttpRequest): boolean;
  /**
   * Takes over a client's handshake on a route whose origin speaks WebSocket-over-HTTP: answers it in any case, and calls `route.ended`.
   * @param handshake as it would be sent to the origin, with the fields of the client
   */
  openOverHttp(exchange: HttpExchange, handshake: OriginRequest, route: GripRoute): void;
  /** The handshake as it goes to an origin that may speak GRIP in a WebSocket of its own: it offers `grip`, and no other extension. */
  offerGrip(handshake: OriginRequest, route: GripRoute): OriginRequest;
  /**
   * Whether `openNative` is to take over after an answer with 101 in place of a plain tunnel: the origin accepts `grip`, or the route has
   * channels of its own.
   */
  takesNative(head: OriginHead, rule: GripRule): boolean;
  /**
   * Takes over a client's handshake that the origin has answered with 101: answers it in any case, and calls `route.ended`.
   * @param asked the handshake as the origin got it
   * @param sentAhead came from the origin behind its head
   */
  openNative(
    exchange: HttpExchange,
    asked: OriginRequest,
    head: OriginHead,
    origin: Duplex,
    sentAhead: Buffer,
    route: GripRoute,
  ): void;
}
