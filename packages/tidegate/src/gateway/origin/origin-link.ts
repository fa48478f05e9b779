import type { TidegateError } from '../../kernel/index.ts';
import type { OriginExchange, OriginReceiver, OriginRequest } from './exchange.ts';

/** A way to an origin for one request: a whole connection of HTTP/1.1, or one stream of a connection of HTTP/2. */
export interface OriginLink extends OriginExchange {
  /**
   * Sends a request. Nothing but that the body is wanted is told before the caller has returned.
   * @param host in place of the request's own; null for that
   */
  begin(request: OriginRequest, host: string | null, receiver: OriginReceiver): void;
  /** The origin has not said in time whether it wants the body. */
  releaseBody(): void;
  /** Nobody begins a request on it: it came too late. */
  giveBack(): void;
}

/** Somebody who waits for a link. */
export interface LinkWaiter {
  connected(link: OriginLink): void;
  /** upstream_unreachable, upstream_unavailable, upstream_timeout or bulkhead_full. */
  refused(error: TidegateError): void;
}

/** The connections to one target, whichever protocol they speak. */
export interface OriginPool {
  /** Connections that are open or being opened. */
  readonly size: number;
  /**
   * A link that is there at once, if there is one; whoever takes it begins a request on it.
   * @param sinceMs a connection that may have been closed unnoticed must not have been idle before this, on the monotonic clock
   */
  take(sinceMs: number): OriginLink | null;
  /** A link once there is one, on a new connection if need be. Nothing is told before it has returned. */
  request(waiter: LinkWaiter, connectTimeoutMs: number): void;
  /** Somebody does not wait any longer. */
  withdraw(waiter: LinkWaiter): void;
  /** Closes the connections that nobody uses, and takes none back: those in use end with their requests. */
  close(): void;
}
