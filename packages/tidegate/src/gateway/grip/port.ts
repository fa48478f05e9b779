import type { HttpExchange } from '../../listeners/port.ts';
import type { OriginExchange, OriginHead, OriginReceiver, OriginRequest } from '../origin/exchange.ts';
import type { GripRule } from '../routes/route.ts';

/** What GRIP needs of the route by which a request went. */
export interface GripRoute {
  readonly name: string;
  readonly rule: GripRule;
  /** What tells the sessions of its origin from those of others; null if the route has none. */
  readonly sessionScope: string | null;
  /** The fields that every request to the origin has that GRIP speaks to: Grip-Sig and Grip-Feature. Names and values in turn. */
  gripFields(): string[];
  /**
   * Asks the origin again, by the route's upstream and rules: for a next link, a gone link, the same request with `Grip-Last`, or a
   * request of WebSocket-over-HTTP. What the client's request had in its fields is not in it unless it is given.
   */
  ask(request: OriginRequest, receiver: OriginReceiver): OriginExchange;
  /** The response fields of the origin, as the route lets them through. */
  responseFields(fields: readonly string[]): readonly string[];
  /** The connection that GRIP took over is answered for good: with this status, or by an end without one. */
  ended(status: number | null): void;
}

/** Follows the instructions of origins on HTTP responses. */
export interface GripHolds {
  /** Whether an answer has instructions. Cheap for those that have none. */
  wants(head: OriginHead): boolean;
  /**
   * Takes over the exchange, which is not answered yet, and the rest of the answer.
   * @param request as it was sent to the origin. It may be made again, if it is a GET or HEAD and has no body
   * @param fetch by which the answer comes
   * @returns receives what follows the head
   */
  take(
    exchange: HttpExchange,
    head: OriginHead,
    request: OriginRequest,
    fetch: OriginExchange,
    route: GripRoute,
  ): OriginReceiver;
}
