import type { Socket } from 'node:net';
import { type Deadlines, type Limits, TidegateError } from '../../kernel/index.ts';
import type { Connector } from './connector.ts';
import { Http2Connection, type Http2ConnectionPool } from './http2-connection.ts';
import type { LinkWaiter, OriginLink, OriginPool } from './origin-link.ts';

export interface Http2PoolOptions {
  readonly scheme: 'http' | 'https';
  readonly connector: Connector;
  /** Open connections at a time. */
  readonly connectionsMax: number;
  readonly deadlines: Deadlines;
  readonly limits: Limits;
}

/** The connections to one target that speak HTTP/2. The first with room takes the next request, so that few stay open. */
export class Http2Pool implements OriginPool, Http2ConnectionPool {
  readonly #options: Http2PoolOptions;
  readonly #open = new Set<Http2Connection>();
  readonly #waiting: LinkWaiter[] = [];
  #connecting = 0;
  /** How many requests the last connection took, which is expected of the next. */
  #streamsExpected: number;
  #connectTimeoutMs: number;
  #isClosed = false;

  constructor(options: Http2PoolOptions) {
    this.#options = options;
    this.#streamsExpected = options.limits.upstreamHttp2StreamsMax;
    this.#connectTimeoutMs = options.limits.upstreamConnectTimeoutMs;
  }

  get size(): number {
    return this.#open.size + this.#connecting;
  }

  /** An origin tells with GOAWAY which requests it has not looked at, so that a connection serves however long it was idle. */
  take(_sinceMs: number): OriginLink | null {
    for (const connection of this.#open) if (connection.room > 0) return connection.take();
    return null;
  }

  request(waiter: LinkWaiter, connectTimeoutMs: number): void {
    const { upstreamWaitingMax } = this.#options.limits;
    if (this.#waiting.length - this.#coming >= upstreamWaitingMax) {
      queueMicrotask(() =>
        waiter.refused(
          new TidegateError(
            'bulkhead_full',
            `limits.upstreamWaitingMax = ${upstreamWaitingMax} wait already.`,
          ),
        ),
      );
      return;
    }
    this.#waiting.push(waiter);
    this.#connectTimeoutMs = connectTimeoutMs;
    queueMicrotask(() => this.#serve());
  }

  withdraw(waiter: LinkWaiter): void {
    const at = this.#waiting.indexOf(waiter);
    if (at !== -1) this.#waiting.splice(at, 1);
  }

  close(): void {
    this.#isClosed = true;
    if (this.#waiting.length > 0) return;
    for (const connection of this.#open) connection.retire();
  }

  /** Places that connections on their way are expected to have, and those that take no requests for now. */
  get #coming(): number {
    let connections = this.#connecting;
    for (const { streamsMax } of this.#open) if (streamsMax === 0) connections++;
    return connections * this.#streamsExpected;
  }

  /** Gives places to those who wait, and opens connections for those who have none. */
  #serve(): void {
    while (this.#waiting.length > 0) {
      const link = this.take(Number.NEGATIVE_INFINITY);
      if (link === null) break;
      (this.#waiting.shift() as LinkWaiter).connected(link);
    }
    let missing = this.#waiting.length - this.#coming;
    for (; missing > 0 && this.size < this.#options.connectionsMax; missing -= this.#streamsExpected) {
      this.#connect();
    }
    if (this.#isClosed && this.#waiting.length === 0) this.close();
  }

  #connect(): void {
    this.#connecting++;
    this.#options.connector.connect(this.#connectTimeoutMs, (error, socket) => {
      this.#connecting--;
      if (socket !== null) this.#connected(socket);
      else this.#refuse(error as TidegateError);
    });
  }

  #connected(socket: Socket): void {
    this.#open.add(new Http2Connection(socket, this, this.#options));
  }

  /** A connection that was waited for is not coming. Where others serve, those who wait for it may still have a place on one of them. */
  #refuse(error: TidegateError): void {
    const isServed = [...this.#open].some(({ streamsMax }) => streamsMax > 0);
    const given = this.#waiting.splice(0, isServed ? 1 : this.#waiting.length);
    for (const waiter of given) waiter.refused(error);
    this.#serve();
  }

  // --- What a connection tells. ---

  greeted({ streamsMax }: Http2Connection): void {
    this.#streamsExpected = Math.max(1, streamsMax);
  }

  roomier(): void {
    if (this.#waiting.length > 0 || this.#isClosed) this.#serve();
  }

  left(connection: Http2Connection, error: TidegateError | null): void {
    this.#open.delete(connection);
    if (error === null) this.#serve();
    else this.#refuse(error);
  }
}
