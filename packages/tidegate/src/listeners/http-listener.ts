import type { Buffer } from 'node:buffer';
import { createServer, type Server, type Socket } from 'node:net';
import type { Clock, Limits, Logger, Metrics } from '../kernel/index.ts';
import { Deadlines, TidegateError } from '../kernel/index.ts';
import { responseHead } from '../wire/http1/index.ts';
import { ConnectionRegistry, type ListenerContext } from './connection-registry.ts';
import { DateHeader } from './date-header.ts';
import { HttpConnection } from './http-connection.ts';
import { HttpMetrics } from './http-metrics.ts';
import { listen } from './listen.ts';
import { type TlsSettings, TRUSTED_FIELDS, type TrustedField } from './options.ts';
import type { HttpHandler, PublicListener } from './port.ts';
import { problemResponse } from './problem.ts';
import { ignoreError } from './socket-channel.ts';
import type { TlsAcceptor } from './tls-acceptor.ts';
import { TrustedProxies } from './trusted-proxies.ts';

export interface HttpListenerOptions {
  /** An address or a name of this machine. */
  readonly host: string;
  /** 0 lets the system choose one. */
  readonly port: number;
  /** TLS, and HTTP/2 for those who ask for it; absent or null for plain HTTP/1. */
  readonly tls?: TlsSettings | null;
  /** Share the port with other processes of this server: the system spreads connections over them. Default: alone. */
  readonly sharing?: 'alone' | 'shared';
  /** The secret of TLS session tickets, 48 bytes, where several processes are to take each other's. Default: one of its own. */
  readonly ticketKeys?: Buffer | undefined;
  /** The addresses and ranges of the load balancers that are believed what they say of their clients. Default: none. */
  readonly trustedProxies?: readonly string[];
  /** The fields in which they say it. */
  readonly trustedFields?: readonly TrustedField[];
  readonly limits: Limits;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Probes a silent peer after this long, so that connections of machines that vanished are found. */
const TCP_KEEP_ALIVE_MS = 60_000;

/** How often deadlines are checked, at most and at least. */
const SWEEP_MS_MAX = 1000;
const SWEEP_MS_MIN = 10;

/** Refused connections that linger for their answer; those beyond it are dropped. */
const REFUSALS_MAX = 256;

/**
 * Opens a port that speaks HTTP/1, or with TLS also HTTP/2, and hands every request to `handler`.
 * @throws TidegateError listen_failed if the address cannot be had; tls_file_unreadable, tls_certificate_invalid
 */
export async function createHttpListener(
  options: HttpListenerOptions,
  handler: HttpHandler,
): Promise<PublicListener> {
  const { limits, clock, logger, trustedProxies = [], trustedFields = TRUSTED_FIELDS } = options;
  const connections = new ConnectionRegistry();
  const context: ListenerContext = {
    limits,
    clock,
    logger,
    handler,
    trustedProxies: TrustedProxies.of(trustedProxies, trustedFields),
    connections,
    metrics: new HttpMetrics(options.metrics, connections),
    deadlines: new Deadlines(clock, sweepIntervalMs(limits)),
    date: new DateHeader(clock),
  };
  const refusals = new Refusals(context);
  const secure = await openAcceptor(options, context);
  const server = createServer(
    // A client may half-close after its request and still wait for the answer.
    { allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: TCP_KEEP_ALIVE_MS },
    (socket) => {
      if (connections.size >= limits.connectionsMax) {
        if (secure === null) refusals.refuse(socket);
        else refusals.drop(socket);
        return;
      }
      context.metrics.accepted();
      if (secure !== null) {
        secure.accept(socket);
        return;
      }
      const connection = new HttpConnection(socket, context);
      connections.add(connection);
      context.deadlines.add(connection);
    },
  );
  try {
    const { host, port } = await listen(server, options.host, options.port, options.sharing);
    server.on('error', (error) => logger.error({ error }, 'The listener failed to accept a connection'));
    let drained: Promise<void> | null = null;
    return {
      host,
      port,
      reload: async () => secure?.reload(),
      drain: (timeoutMs) => {
        secure?.close();
        drained ??= drain(server, context, refusals, timeoutMs);
        return drained;
      },
    };
  } catch (error) {
    secure?.close();
    context.deadlines.stop();
    throw error;
  }
}

/** What secures connections; null without TLS. Its code is loaded only where it is wanted. */
async function openAcceptor(
  options: HttpListenerOptions,
  context: ListenerContext,
): Promise<TlsAcceptor | null> {
  if (options.tls === undefined || options.tls === null) return null;
  try {
    const { TlsAcceptor } = await import('./tls-acceptor.ts');
    return await TlsAcceptor.open(options.tls, context, options.metrics, options.ticketKeys);
  } catch (error) {
    context.deadlines.stop();
    throw error;
  }
}

/** A quarter of the shortest timeout, so that none is met much too late. */
function sweepIntervalMs(limits: Limits): number {
  const shortest = Math.min(
    limits.httpHeadTimeoutMs,
    limits.httpBodyIdleTimeoutMs,
    limits.httpKeepAliveTimeoutMs,
    limits.httpLingerTimeoutMs,
    limits.http2StallTimeoutMs,
  );
  return Math.min(SWEEP_MS_MAX, Math.max(SWEEP_MS_MIN, Math.floor(shortest / 4)));
}

function drain(
  server: Server,
  context: ListenerContext,
  refusals: Refusals,
  timeoutMs: number,
): Promise<void> {
  return new Promise((resolve) => {
    const { connections, clock, deadlines } = context;
    server.close();
    refusals.destroyAll();
    const timer = clock.setTimer(() => connections.destroyAll(), timeoutMs);
    connections.drain(() => {
      clock.clearTimer(timer);
      deadlines.stop();
      resolve();
    });
  });
}

/** Connections beyond `limits.connectionsMax`: told to come back later, without waiting for their request. */
class Refusals {
  readonly #context: ListenerContext;
  readonly #sockets = new Set<Socket>();

  constructor(context: ListenerContext) {
    this.#context = context;
  }

  refuse(socket: Socket): void {
    const { deadlines, date, limits, metrics } = this.#context;
    metrics.refused('connections_max');
    socket.on('error', ignoreError);
    if (this.#sockets.size >= REFUSALS_MAX) {
      socket.destroy();
      return;
    }
    const problem = problemResponse(
      new TidegateError('connections_exhausted', `There are ${limits.connectionsMax} connections.`),
    );
    const framing = `${date.line()}Content-Length: ${problem.body.length}\r\nConnection: close\r\n`;
    const expiring = {
      deadlineMs: deadlines.after(limits.httpLingerTimeoutMs),
      expired: () => {
        socket.destroy();
      },
    };
    this.#sockets.add(socket);
    deadlines.add(expiring);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      deadlines.delete(expiring);
    });
    // With both sides ended, the socket closes by itself; what the client sends until then is discarded.
    socket.end(responseHead(problem.status, problem.headers, framing) + problem.body);
    socket.resume();
  }

  /** Without a word, which would have to be encrypted first. */
  drop(socket: Socket): void {
    this.#context.metrics.refused('connections_max');
    socket.on('error', ignoreError);
    socket.destroy();
  }

  destroyAll(): void {
    for (const socket of [...this.#sockets]) socket.destroy();
  }
}
