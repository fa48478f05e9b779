import type { Socket } from 'node:net';
import type { Clock, Deadlines, Limits, Logger } from '../kernel/index.ts';
import type { DateHeader } from './date-header.ts';
import type { HttpMetrics } from './http-metrics.ts';
import type { HttpHandler } from './port.ts';
import type { TrustedProxies } from './trusted-proxies.ts';

/** A connection in one of its stages: requests, a stream, or an upgraded protocol. */
export interface OpenConnection {
  readonly socket: Socket;
  /** The server is shutting down: end as soon as that is polite. */
  drain(): void;
}

/** What the connections of one listener share. */
export interface ListenerContext {
  readonly limits: Limits;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: HttpMetrics;
  readonly handler: HttpHandler;
  /** Null if nobody is trusted. */
  readonly trustedProxies: TrustedProxies | null;
  readonly deadlines: Deadlines;
  readonly date: DateHeader;
  readonly connections: ConnectionRegistry;
}

/** All open connections of a listener. */
export class ConnectionRegistry {
  readonly #open = new Set<OpenConnection>();
  #emptied: (() => void) | null = null;
  /** Whether the listener is shutting down. */
  draining = false;
  /** Streams of HTTP/2 that go on: each is held like a connection of HTTP/1, of which several share one. */
  heldStreams = 0;

  get size(): number {
    return this.#open.size;
  }

  add(connection: OpenConnection): void {
    this.#open.add(connection);
  }

  /** The same socket goes on in another stage. */
  replace(earlier: OpenConnection, later: OpenConnection): void {
    this.#open.delete(earlier);
    this.#open.add(later);
  }

  delete(connection: OpenConnection): void {
    this.#open.delete(connection);
    if (this.#open.size === 0) this.#emptied?.();
  }

  /** Bytes that the open connections have carried. */
  bytes(): { received: number; sent: number } {
    let received = 0;
    let sent = 0;
    for (const { socket } of this.#open) {
      received += socket.bytesRead;
      sent += socket.bytesWritten;
    }
    return { received, sent };
  }

  /** Asks every connection to end, and calls back once when none is left. */
  drain(emptied: () => void): void {
    this.draining = true;
    this.#emptied = emptied;
    for (const connection of [...this.#open]) connection.drain();
    if (this.#open.size === 0) emptied();
  }

  destroyAll(): void {
    for (const { socket } of [...this.#open]) socket.destroy();
  }
}
