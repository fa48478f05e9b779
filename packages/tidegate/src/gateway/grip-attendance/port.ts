/** How somebody is subscribed: by a held response, a stream or a WebSocket. */
export type SubscriptionMode = 'response' | 'stream' | 'ws';

export const SUBSCRIPTION_MODES: readonly SubscriptionMode[] = ['response', 'stream', 'ws'];

/** A connection that GRIP holds from now on. */
export interface Arrival {
  readonly mode: SubscriptionMode;
  /** What its origin calls it; null to have it given an id. */
  readonly id: string | null;
  /** The route by which it came. */
  readonly route: string;
  readonly remoteAddress: string;
  readonly scheme: 'http' | 'https';
  /** Asks its origin now; null where there is nothing to be asked. */
  readonly refresh: (() => void) | null;
}

/** A connection that is held, for whoever holds it to say what becomes of it. */
export interface Attendee {
  /** Subscribes to a channel. One that is joined several times has to be parted from as often. */
  join(channel: string): void;
  part(channel: string): void;
  /** It was sent a keep-alive, or its origin was asked anew. */
  active(): void;
  /** It is held no longer, and not subscribed to anything. Further calls do nothing. */
  leave(): void;
}

/** The list of those whom GRIP holds in this process. There is one only if somebody wants to know: see `listen.zmq`. */
export interface Attendance {
  arrive(arrival: Arrival): Attendee;
  /** A request came by a route. */
  requested(route: string): void;
}

/** A connection, as others hear of it. */
export interface Visitor {
  readonly id: string;
  readonly type: 'http' | 'ws';
  readonly route: string;
  readonly remoteAddress: string;
  readonly scheme: 'http' | 'https';
}

/** Hears what changes on the list of one process. */
export interface AttendanceListener {
  arrived(visitor: Visitor): void;
  left(id: string): void;
  /** So many are subscribed to a channel in this way by this route. */
  counted(mode: SubscriptionMode, route: string, channel: string, count: number): void;
  /** @param times how often something was sent that is neither a message nor an answer */
  active(route: string, times: number): void;
  requested(route: string, times: number): void;
}
