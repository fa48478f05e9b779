import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type Deadlines, type Expiring, TidegateError } from '../../kernel/index.ts';
import { isPublicAddress } from '../upstreams/public-address.ts';
import type { Resolver } from './resolver.ts';

/** How TLS is spoken to a target. */
export interface TargetTls {
  /** The name that the certificate has to be for, and that is sent as SNI. */
  readonly serverName: string;
  /** Certificates of authorities, as PEM; null for those that the system trusts. */
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
  /** `none` believes every certificate: for targets whose network is trusted. */
  readonly verification: 'full' | 'none';
  /** The only protocol that is offered (RFC 7301). A target that says nothing of it speaks HTTP/1.1. */
  readonly protocol: 'http/1.1' | 'h2';
}

export interface ConnectorOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: TargetTls | null;
  readonly resolver: Resolver;
  /** `public` refuses addresses of this machine and of private networks. */
  readonly addresses: 'any' | 'public';
  readonly deadlines: Deadlines;
  /** Whether sockets without TLS are read into a buffer that all share. Such a socket cannot be handed to `node:http2`. */
  readonly reads: 'own' | 'shared';
}

/** Called once: with a connected socket, or with upstream_unreachable, upstream_unavailable or upstream_timeout. */
export type ConnectedCallback = (error: TidegateError | null, socket: Socket | null) => void;

/** How often a connection to a silent peer is probed. */
const TCP_KEEP_ALIVE_MS = 60_000;

const SHARED_READ_BYTES = 64 * 1024;

/**
 * Node makes a buffer of 64 KB for each read and cuts it down to what has come; to read into one that stays, and to copy what has come, costs about
 * half, and goes past the queue that a stream keeps for those who do not listen yet. Whoever has the socket hears `data` as ever.
 */
const SHARED_READING = {
  buffer: Buffer.allocUnsafeSlow(SHARED_READ_BYTES),
  callback(this: unknown, count: number, buffer: Uint8Array): boolean {
    const slice = Buffer.allocUnsafe(count);
    slice.set(count === buffer.length ? buffer : buffer.subarray(0, count), 0);
    (this as Socket).emit('data', slice);
    return true;
  },
};

/** Opens connections to one target, trying its addresses one after the other. */
export class Connector {
  readonly #options: ConnectorOptions;
  /** Which address is tried first: those of one name share the connections. */
  #next = 0;
  /** The last session of TLS, which saves the next connection a round trip and the signatures. */
  #session: Buffer | undefined;

  constructor(options: ConnectorOptions) {
    this.#options = options;
  }

  /** @param timeoutMs for all addresses together */
  connect(timeoutMs: number, done: ConnectedCallback): void {
    this.#options.resolver.resolve((error, addresses) => {
      if (error !== null) {
        done(error, null);
        return;
      }
      const permitted = this.#options.addresses === 'any' ? addresses : addresses.filter(isPublicAddress);
      if (permitted.length === 0) {
        done(
          new TidegateError(
            'upstream_unreachable',
            `${this.#options.host} has no address outside private networks.`,
          ),
          null,
        );
        return;
      }
      const first = this.#next++ % permitted.length;
      const inOrder = [...permitted.slice(first), ...permitted.slice(0, first)];
      new Attempt(this.#options.deadlines, timeoutMs, inOrder, (address) => this.#open(address), done).next();
    });
  }

  #open(address: string): Opened {
    const { port, tls } = this.#options;
    const socket = connectTcp({
      host: address,
      port,
      noDelay: true,
      ...(this.#options.reads === 'shared' && tls === null ? { onread: SHARED_READING } : {}),
    });
    socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS);
    if (tls === null) return { socket, readyEvent: 'connect', speaks: () => true };
    const secure = connectTls({
      socket,
      // An address must not stand in the extension (RFC 6066, section 3).
      ...(isIP(tls.serverName) === 0 ? { servername: tls.serverName } : { host: tls.serverName }),
      ...(tls.ca === null ? {} : { ca: tls.ca }),
      ...(tls.cert === null || tls.key === null ? {} : { cert: tls.cert, key: tls.key }),
      ...(this.#session === undefined ? {} : { session: this.#session }),
      rejectUnauthorized: tls.verification === 'full',
      ALPNProtocols: [tls.protocol],
    });
    secure.on('session', (session) => {
      this.#session = session;
    });
    secure.on('error', () => {
      // A session that the target does not like is not offered again.
      this.#session = undefined;
    });
    return {
      socket: secure,
      readyEvent: 'secureConnect',
      speaks: () => tls.protocol === 'http/1.1' || secure.alpnProtocol === tls.protocol,
    };
  }
}

/** A socket on its way to one address. */
interface Opened {
  readonly socket: Socket;
  readonly readyEvent: 'connect' | 'secureConnect';
  /** Once it is ready: whether the target has agreed to the protocol that it was offered. */
  speaks(): boolean;
}

/** The alert of a target that knows none of the protocols it was offered (RFC 7301, section 3.2); others go on without a word. */
const OTHER_PROTOCOL = 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL';

/** One wish for a connection. */
class Attempt implements Expiring {
  deadlineMs: number;
  readonly #deadlines: Deadlines;
  readonly #addresses: readonly string[];
  readonly #open: (address: string) => Opened;
  readonly #done: ConnectedCallback;
  #at = 0;
  #socket: Socket | null = null;

  constructor(
    deadlines: Deadlines,
    timeoutMs: number,
    addresses: readonly string[],
    open: (address: string) => Opened,
    done: ConnectedCallback,
  ) {
    this.#deadlines = deadlines;
    this.#addresses = addresses;
    this.#open = open;
    this.#done = done;
    this.deadlineMs = deadlines.after(timeoutMs);
    deadlines.add(this);
  }

  next(): void {
    const address = this.#addresses[this.#at++];
    const { socket, readyEvent, speaks } = this.#open(address);
    this.#socket = socket;
    const failed = (error: Error): void => {
      socket.destroy();
      if (this.#socket !== socket) return;
      if (this.#at < this.#addresses.length) this.next();
      else this.#finish(new TidegateError('upstream_unreachable', whyOf(error), { cause: error }), null);
    };
    socket.on('error', failed);
    socket.once(readyEvent, () => {
      if (!speaks()) {
        failed(Object.assign(new Error('ALPN'), { code: OTHER_PROTOCOL }));
        return;
      }
      socket.off('error', failed);
      // From here on, what goes wrong ends in `close`, which says all that matters.
      socket.on('error', () => {});
      if (this.#socket === socket) this.#finish(null, socket);
      else socket.destroy();
    });
  }

  expired(): void {
    this.#socket?.destroy();
    this.#finish(new TidegateError('upstream_timeout', 'No connection was made in time.'), null);
  }

  #finish(error: TidegateError | null, socket: Socket | null): void {
    this.#socket = null;
    this.#deadlines.delete(this);
    this.#done(error, socket);
  }
}

/** What of a system's error may be told to strangers: its name, and no address. */
function whyOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'ECONNREFUSED':
      return 'The connection was refused.';
    case 'ECONNRESET':
      return 'The connection was reset.';
    case OTHER_PROTOCOL:
      return 'The origin does not speak the protocol of its upstream (protocol: http1 or http2).';
    default:
      return code === undefined ? 'The connection failed.' : `The connection failed with ${code}.`;
  }
}
