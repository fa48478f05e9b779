import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type ClientSessionOptions,
  connect,
} from 'node:http2';
import type { Socket } from 'node:net';
import { type Deadlines, type Expiring, type Limits, TidegateError } from '../../kernel/index.ts';
import { Http2Link, type LinkConnection } from './http2-link.ts';

/** What a connection tells its pool. */
export interface Http2ConnectionPool {
  /** The origin has said how many requests it takes. Comes once. */
  greeted(connection: Http2Connection): void;
  /** There is room that there was not. */
  roomier(): void;
  /** The connection is gone. `error` says why, if the origin has never greeted. */
  left(connection: Http2Connection, error: TidegateError | null): void;
}

export interface Http2ConnectionContext {
  readonly scheme: 'http' | 'https';
  readonly deadlines: Deadlines;
  readonly limits: Limits;
}

/** The windows of all streams of a connection together are as large as those of so many: what is read is never held for the connection. */
const WINDOWS_PER_CONNECTION = 16;

/** A request that was given up after this, with nothing heard meanwhile, makes one doubt that the origin is still there. */
const DOUBT_AFTER_MS = 1000;

/** What the connection waits for when its deadline comes: the origin's settings, a request, news, the answer to a PING, or its end. */
type Phase = 'greeting' | 'idle' | 'busy' | 'doubtful' | 'ending';

/** How long each phase may take without anything new. */
const PATIENCE = {
  greeting: 'upstreamConnectTimeoutMs',
  idle: 'upstreamIdleTimeoutMs',
  busy: 'upstreamHttp2PingIntervalMs',
  doubtful: 'upstreamHttp2PingTimeoutMs',
  ending: 'upstreamIdleTimeoutMs',
} as const;

/** A connection to an origin that speaks HTTP/2: many requests at a time, each on a stream of its own. */
export class Http2Connection implements LinkConnection, Expiring {
  deadlineMs: number;
  readonly limits: Limits;
  readonly scheme: 'http' | 'https';
  hearing = 0;
  hasAnswered = false;
  lastStreamId: number | null = null;
  readonly #socket: Socket;
  readonly #session: ClientHttp2Session;
  readonly #pool: Http2ConnectionPool;
  readonly #deadlines: Deadlines;
  readonly #links = new Set<Http2Link>();
  #phase: Phase = 'greeting';
  #streamsMax = 0;
  /** There are no further requests, since the pool is closed. */
  #isRetired = false;
  /** What had come when it was last looked at. */
  #bytesRead = 0;
  #error: Error | null = null;
  #isLate = false;

  constructor(socket: Socket, pool: Http2ConnectionPool, context: Http2ConnectionContext) {
    const { limits, deadlines, scheme } = context;
    this.#socket = socket;
    this.#pool = pool;
    this.limits = limits;
    this.scheme = scheme;
    this.#deadlines = deadlines;
    this.deadlineMs = deadlines.after(limits.upstreamConnectTimeoutMs);
    deadlines.add(this);
    this.#session = connect(`${scheme}://origin`, {
      ...sessionOptions(limits),
      createConnection: () => socket,
    });
    this.#session.on('connect', () =>
      this.#session.setLocalWindowSize(limits.upstreamHttp2WindowBytes * WINDOWS_PER_CONNECTION),
    );
    this.#session.on('remoteSettings', () => this.#greeted());
    this.#session.on('goaway', (_code, lastStreamId) => this.#goingAway(lastStreamId));
    this.#session.on('error', (error) => {
      this.#error = error;
    });
    socket.once('close', () => this.#closed());
  }

  // --- What the pool asks. ---

  /** How many requests may begin on it now. */
  get room(): number {
    return this.#isClosing || this.#phase === 'doubtful'
      ? 0
      : Math.max(0, this.#streamsMax - this.#links.size);
  }

  /** How many requests it takes at a time; 0 until the origin has said so. */
  get streamsMax(): number {
    return this.#streamsMax;
  }

  /** A place for a request; there must be room. */
  take(): Http2Link {
    const link = new Http2Link(this);
    this.#links.add(link);
    if (this.#phase === 'idle') this.#watch('busy');
    return link;
  }

  /** Closes once nothing is under way. */
  retire(): void {
    this.#isRetired = true;
    if (this.#links.size === 0) this.#end();
  }

  // --- What a link asks. ---

  get takesWebSockets(): boolean {
    return this.#session.remoteSettings.enableConnectProtocol === true;
  }

  get bytesRead(): number {
    return this.#socket.bytesRead;
  }

  get isGone(): boolean {
    return this.#socket.destroyed || this.#session.destroyed;
  }

  open(fields: readonly string[], body: 'none' | 'body' | 'tunnel'): ClientHttp2Stream {
    return this.#session.request(fields, {
      endStream: body === 'none',
      waitForTrailers: body === 'body',
    });
  }

  answered(): void {
    this.hasAnswered = true;
  }

  get nowMs(): number {
    return this.#deadlines.nowMs;
  }

  givenUp(beganMs: number, bytesBefore: number): void {
    // Who leaves at once says nothing about the origin; many of those must not make many PINGs.
    const isLong = this.nowMs - beganMs >= DOUBT_AFTER_MS;
    if (isLong && this.bytesRead === bytesBefore) this.#ask();
  }

  expire(upload: Expiring, when: 'soon' | 'in_time'): void {
    upload.deadlineMs = this.#deadlines.after(when === 'soon' ? 0 : this.limits.upstreamIdleTimeoutMs);
    this.#deadlines.add(upload);
  }

  forget(upload: Expiring): void {
    this.#deadlines.delete(upload);
  }

  released(link: Http2Link): void {
    if (!this.#links.delete(link) || this.isGone) return;
    if (this.#links.size === 0) {
      if (this.#isRetired || this.lastStreamId !== null) {
        this.#end();
        return;
      }
      if (this.#phase === 'busy') this.#watch('idle');
    }
    if (this.room > 0) this.#pool.roomier();
  }

  // --- What the session tells. ---

  get #isClosing(): boolean {
    return this.isGone || this.#session.closed || this.lastStreamId !== null || this.#isRetired;
  }

  #greeted(): void {
    const { maxConcurrentStreams } = this.#session.remoteSettings;
    this.#streamsMax = Math.min(
      this.limits.upstreamHttp2StreamsMax,
      maxConcurrentStreams ?? Number.POSITIVE_INFINITY,
    );
    if (this.#phase === 'greeting') {
      this.#watch('idle');
      this.#pool.greeted(this);
    }
    if (this.room > 0) this.#pool.roomier();
  }

  /** RFC 9113, section 6.8: no new streams; those under way finish. The last word counts. */
  #goingAway(lastStreamId: number): void {
    this.lastStreamId = lastStreamId;
    if (this.#links.size === 0) this.#end();
  }

  #closed(): void {
    this.#deadlines.delete(this);
    const isUnknown = this.#phase === 'greeting';
    this.#pool.left(this, isUnknown ? this.#greetingError() : null);
  }

  #greetingError(): TidegateError {
    const cause = this.#error === null ? {} : { cause: this.#error };
    return this.#isLate
      ? new TidegateError('upstream_timeout', 'The origin did not begin to speak HTTP/2 in time.')
      : new TidegateError(
          'upstream_unreachable',
          'The origin does not speak HTTP/2, which its upstream asks for (protocol: http2).',
          cause,
        );
  }

  // --- Time. ---

  expired(): void {
    switch (this.#phase) {
      case 'greeting':
        this.#isLate = true;
        this.#socket.destroy();
        break;
      case 'idle':
        this.#end();
        break;
      case 'busy':
        if (this.bytesRead === this.#bytesRead) this.#ask();
        else this.#watch('busy');
        break;
      case 'doubtful':
        if (this.bytesRead === this.#bytesRead) this.#socket.destroy();
        else this.#trust();
        break;
      case 'ending':
        this.#socket.destroy();
        break;
    }
  }

  /** Whether anybody is still there: where nothing comes in answer, the connection is given up. */
  #ask(): void {
    if (this.#phase !== 'busy') return;
    this.#watch('doubtful');
    this.#session.ping((error) => {
      if (error === null) this.#trust();
    });
  }

  #trust(): void {
    if (this.#phase !== 'doubtful') return;
    this.#watch(this.#links.size === 0 ? 'idle' : 'busy');
    if (this.room > 0) this.#pool.roomier();
  }

  /** Says goodbye. An origin that does not take even that is not waited for. */
  #end(): void {
    this.#watch('ending');
    this.#session.destroy();
  }

  #watch(phase: Phase): void {
    this.#phase = phase;
    this.#bytesRead = this.bytesRead;
    this.deadlineMs = this.#deadlines.after(this.limits[PATIENCE[phase]]);
  }
}

/** What one stream may hold on its way to an origin: what it had not taken when it said so, and a slice beyond. */
const UPLOAD_BYTES = 256 * 1024;

/** Past this the library takes no answers any more: more than all streams can hold together, whose number and windows have limits of their own. */
function sessionMegabytes({
  upstreamHttp2StreamsMax,
  upstreamHttp2WindowBytes,
  upstreamHeadBytesMax,
}: Limits): number {
  const streamBytes = upstreamHttp2WindowBytes + UPLOAD_BYTES + upstreamHeadBytesMax * 2;
  return 10 + Math.ceil((upstreamHttp2StreamsMax * streamBytes) / 1_000_000);
}

function sessionOptions(
  limits: Limits,
): ClientSessionOptions & { readonly strictSingleValueFields: boolean } {
  return {
    settings: {
      enablePush: false,
      initialWindowSize: limits.upstreamHttp2WindowBytes,
      // Twice what is accepted: what is somewhat too large is told apart from a connection that has failed.
      maxHeaderListSize: limits.upstreamHeadBytesMax * 2,
    },
    maxHeaderListPairs: limits.upstreamHeadersMax * 2,
    maxSessionMemory: sessionMegabytes(limits),
    maxReservedRemoteStreams: 0,
    peerMaxConcurrentStreams: limits.upstreamHttp2StreamsMax,
    // Whoever repeats a field that should stand once answers for it, as over HTTP/1.
    strictSingleValueFields: false,
  };
}
