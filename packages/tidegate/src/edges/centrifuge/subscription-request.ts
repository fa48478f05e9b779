import type { Side } from './channel-subscription.ts';
import type { SubscribeResult, SubscribeWish } from './protocol.ts';
import type { ProtocolError } from './status.ts';
import type { SubscribeOptions } from './subscribe-options.ts';

/** What became of a subscription. */
export interface Opened {
  readonly outcome: SubscribeResult | ProtocolError;
  /** To be called once the client has been told: it is present from then on. */
  entered(): void;
}

/** A subscription that was prepared. */
export interface Opening {
  /** How many subscriptions it takes: none if it is known already that it is refused. */
  readonly takes: 0 | 1;
  /** Publications follow in the next turn, so that the client is to be told before. */
  open(): Opened;
}

/** A subscription that is asked for. */
export interface SubscriptionRequest {
  readonly channel: string;
  readonly wish: SubscribeWish;
  readonly side: Side;
  /** What the server wants of it, unless a token of its own says so. */
  readonly options: SubscribeOptions;
}

/** What a request comes to that is refused. */
export function refusal(error: ProtocolError): Opening {
  return { takes: 0, open: () => ({ outcome: error, entered() {} }) };
}
