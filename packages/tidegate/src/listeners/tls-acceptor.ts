import type { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Expiring, Metrics } from '../kernel/index.ts';
import { CertificateStore } from './certificate-store.ts';
import type { ListenerContext, OpenConnection } from './connection-registry.ts';
import { HttpConnection } from './http-connection.ts';
import { Http2Connection } from './http2-connection.ts';
import type { TlsSettings } from './options.ts';
import { ignoreError } from './socket-channel.ts';
import { TlsMetrics } from './tls-metrics.ts';

/** RFC 7301, in the order of preference. */
const PROTOCOLS = ['h2', 'http/1.1'];

/** Node's own limit is out of the way: ours is kept by the listener's clock. */
const NO_HANDSHAKE_TIMEOUT_MS = 2 ** 31 - 1;

/** Makes secure connections out of sockets, and gives them to HTTP/2 or HTTP/1, as the client asks. */
export class TlsAcceptor {
  readonly #context: ListenerContext;
  readonly #metrics: TlsMetrics;
  readonly #store: CertificateStore;
  readonly #server: Server;
  /** Handshakes under way, by the endpoints of their connections. */
  readonly #handshakes = new Map<string, Handshake>();

  private constructor(
    context: ListenerContext,
    metrics: TlsMetrics,
    store: CertificateStore,
    server: Server,
  ) {
    this.#context = context;
    this.#metrics = metrics;
    this.#store = store;
    this.#server = server;
    server.on('secureConnection', (socket) => this.#secured(socket));
    server.on('tlsClientError', (error) => {
      metrics.failed();
      context.logger.debug({ error }, 'A TLS handshake failed');
    });
  }

  /** @throws TidegateError tls_file_unreadable, tls_certificate_invalid */
  static async open(
    settings: TlsSettings,
    context: ListenerContext,
    metrics: Metrics,
    ticketKeys?: Buffer,
  ): Promise<TlsAcceptor> {
    const tickets = ticketKeys === undefined ? {} : { ticketKeys };
    const { clock, logger } = context;
    const store = await CertificateStore.open({ settings, clock, logger, metrics }, (first) =>
      server.setSecureContext({ ...first, ...tickets }),
    );
    // It never listens: sockets are given to it, so that they are counted and limited as those without TLS are.
    const server = createServer({
      ...store.first,
      ...tickets,
      ALPNProtocols: PROTOCOLS,
      SNICallback: (name, done) => done(null, store.select(name)),
      requestCert: settings.clients !== null,
      rejectUnauthorized: settings.clients?.certificates === 'require',
      handshakeTimeout: NO_HANDSHAKE_TIMEOUT_MS,
    });
    return new TlsAcceptor(context, new TlsMetrics(metrics), store, server);
  }

  accept(socket: Socket): void {
    const endpoints = endpointsOf(socket);
    if (endpoints === null) {
      // It is gone already.
      socket.destroy();
      return;
    }
    const { connections, deadlines } = this.#context;
    const handshake = new Handshake(socket, deadlines.after(this.#context.limits.httpHeadTimeoutMs));
    this.#handshakes.set(endpoints, handshake);
    connections.add(handshake);
    deadlines.add(handshake);
    socket.on('error', ignoreError);
    socket.on('close', () => {
      if (this.#handshakes.get(endpoints) === handshake) this.#handshakes.delete(endpoints);
      deadlines.delete(handshake);
      connections.delete(handshake);
    });
    // Who ends its side in the middle of a handshake has left. HTTP/2 has no use for half a connection either.
    socket.allowHalfOpen = false;
    this.#server.emit('connection', socket);
  }

  #secured(socket: TLSSocket): void {
    const { connections, deadlines } = this.#context;
    socket.on('error', ignoreError);
    const endpoints = endpointsOf(socket);
    const handshake = endpoints === null ? undefined : this.#handshakes.get(endpoints);
    if (endpoints === null || handshake === undefined || connections.draining) {
      socket.destroy();
      return;
    }
    this.#handshakes.delete(endpoints);
    deadlines.delete(handshake);
    this.#metrics.succeeded(socket.alpnProtocol === 'h2' ? 'h2' : 'http/1.1');
    // RFC 9113, section 9.2.1 forbids it, and on HTTP/1 it is work that a client can ask for at will.
    socket.disableRenegotiation();
    const connection = this.#connection(socket);
    connections.replace(handshake, connection);
    deadlines.add(connection);
  }

  #connection(socket: TLSSocket): Http2Connection | HttpConnection {
    if (socket.alpnProtocol === 'h2') return new Http2Connection(socket, this.#context);
    socket.allowHalfOpen = true;
    return new HttpConnection(socket, this.#context);
  }

  /** Reads the certificates anew. */
  reload(): Promise<void> {
    return this.#store.reload();
  }

  close(): void {
    this.#store.close();
  }
}

/** A connection whose client has not yet proved that it speaks TLS. */
class Handshake implements OpenConnection, Expiring {
  readonly socket: Socket;
  deadlineMs: number;

  constructor(socket: Socket, deadlineMs: number) {
    this.socket = socket;
    this.deadlineMs = deadlineMs;
  }

  drain(): void {
    this.socket.destroy();
  }

  expired(): void {
    this.socket.destroy();
  }
}

/** What tells a connection from all others of the same listener while it is open; null once it is gone. */
function endpointsOf(socket: Socket): string | null {
  const { localAddress, remoteAddress, remotePort } = socket;
  if (remoteAddress === undefined || remotePort === undefined) return null;
  return `${localAddress} ${remoteAddress} ${remotePort}`;
}
