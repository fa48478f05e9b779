import type { Socket } from 'node:net';
import { type Clock, type Deadlines, type Limits, TidegateError } from '../../kernel/index.ts';
import type { Connector } from './connector.ts';
import { type ConnectionPool, Http1Connection } from './http1-connection.ts';
import type { LinkWaiter, OriginPool } from './origin-link.ts';

export interface Http1PoolOptions {
  readonly connector: Connector;
  /** Open connections at a time. */
  readonly connectionsMax: number;
  readonly deadlines: Deadlines;
  readonly clock: Clock;
  readonly limits: Limits;
}

/** An origin that says how long it keeps connections may close one this much earlier, by its own clock. */
const KEEP_ALIVE_MARGIN_MS = 1000;

/** The connections to one target that speak HTTP/1.1. Those that were used last are used first, so that few stay open. */
export class Http1Pool implements OriginPool, ConnectionPool {
  readonly #options: Http1PoolOptions;
  readonly #idle: Http1Connection[] = [];
  readonly #open = new Set<Http1Connection>();
  readonly #waiting: LinkWaiter[] = [];
  #connecting = 0;
  #isClosed = false;

  constructor(options: Http1PoolOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#open.size + this.#connecting;
  }

  take(sinceMs: number): Http1Connection | null {
    for (;;) {
      const connection = this.#idle.at(-1);
      // The last one is the one that was used last.
      if (connection === undefined || connection.idleSinceMs < sinceMs) return null;
      this.#idle.pop();
      connection.deadlineMs = Number.POSITIVE_INFINITY;
      if (!connection.socket.destroyed && !connection.socket.readableEnded) return connection;
    }
  }

  request(waiter: LinkWaiter, connectTimeoutMs: number): void {
    const { connectionsMax, limits } = this.#options;
    if (this.#waiting.length - this.#connecting >= limits.upstreamWaitingMax) {
      queueMicrotask(() =>
        waiter.refused(
          new TidegateError(
            'bulkhead_full',
            `limits.upstreamWaitingMax = ${limits.upstreamWaitingMax} wait already.`,
          ),
        ),
      );
      return;
    }
    this.#waiting.push(waiter);
    if (this.size < connectionsMax) this.#connect(connectTimeoutMs);
  }

  withdraw(waiter: LinkWaiter): void {
    const at = this.#waiting.indexOf(waiter);
    if (at !== -1) this.#waiting.splice(at, 1);
  }

  close(): void {
    this.#isClosed = true;
    for (const connection of this.#idle.splice(0)) connection.socket.destroy();
  }

  #connect(timeoutMs: number): void {
    this.#connecting++;
    this.#options.connector.connect(timeoutMs, (error, socket) => {
      this.#connecting--;
      if (socket !== null) {
        this.#connected(socket);
        return;
      }
      this.#waiting.shift()?.refused(error as TidegateError);
      this.#connectForWaiting();
    });
  }

  /** Somebody may wait for a connection that is not coming any more. */
  #connectForWaiting(): void {
    if (this.#waiting.length > this.#connecting && this.size < this.#options.connectionsMax)
      this.#connect(this.#options.limits.upstreamConnectTimeoutMs);
  }

  #connected(socket: Socket): void {
    const connection = new Http1Connection(socket, this, this.#options.limits);
    this.#open.add(connection);
    this.#options.deadlines.add(connection);
    this.#give(connection);
  }

  idle(connection: Http1Connection): void {
    // The caller has something left to say of the answer that has just ended.
    queueMicrotask(() => {
      if (!connection.socket.destroyed) this.#give(connection);
    });
  }

  #give(connection: Http1Connection): void {
    const waiter = this.#waiting.shift();
    if (waiter !== undefined) {
      waiter.connected(connection);
      return;
    }
    if (this.#isClosed) {
      connection.socket.destroy();
      return;
    }
    const { deadlines, limits, clock } = this.#options;
    const hint = connection.keepAliveMs;
    const keptMs =
      hint === null
        ? limits.upstreamIdleTimeoutMs
        : Math.min(limits.upstreamIdleTimeoutMs, Math.max(0, hint - KEEP_ALIVE_MARGIN_MS));
    connection.deadlineMs = deadlines.after(keptMs);
    connection.idleSinceMs = clock.monotonicMs();
    this.#idle.push(connection);
  }

  left(connection: Http1Connection): void {
    this.#options.deadlines.delete(connection);
    this.#open.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at !== -1) this.#idle.splice(at, 1);
    this.#connectForWaiting();
  }
}
