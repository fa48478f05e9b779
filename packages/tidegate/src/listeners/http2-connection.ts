import {
  constants,
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { type Expiring, type Limits, TidegateError } from '../kernel/index.ts';
import type { ListenerContext, OpenConnection } from './connection-registry.ts';
import { type Http2Head, NO_HEAD, readHttp2Head } from './http2-head.ts';
import { Http2Turn, type Http2TurnHost } from './http2-turn.ts';
import { type ExchangeHandler, handlerFor } from './proxied-handler.ts';
import { ignoreError } from './socket-channel.ts';

/** Over this time `limits.http2ControlFramesMax` is counted. */
const CONTROL_FRAMES_MS = 10_000;

/** Over this time `limits.http2ResetsMax` comes back. */
const RESETS_SECONDS = 60;

/** Frames that break a rule, and streams beyond those allowed, before the connection is given up. */
const FAULTS_MAX = 100;

/** A connection that speaks HTTP/2: many requests at a time, each on a stream of its own. */
export class Http2Connection implements OpenConnection, Expiring, Http2TurnHost {
  readonly socket: TLSSocket;
  readonly context: ListenerContext;
  deadlineMs: number;
  readonly #session: ServerHttp2Session;
  readonly #handler: ExchangeHandler;
  readonly #turns = new Set<Http2Turn>();
  /** Ended by us for what the client did. */
  #isCutOff = false;
  #controlFrames = 0;
  #countedFromMs = 0;

  constructor(socket: TLSSocket, context: ListenerContext) {
    this.socket = socket;
    this.context = context;
    this.#handler = handlerFor(socket, context);
    // A connection that never sends its preface is closed as early as one that never completes a head.
    this.deadlineMs = context.deadlines.after(context.limits.httpHeadTimeoutMs);
    socket.on('close', () => this.#closed());
    socket.on('error', ignoreError);
    this.#session = performServerHandshake(socket, sessionOptions(context.limits));
    this.#session.on('error', (error) => this.#failed(error));
    this.#session.on('stream', (stream, _headers: IncomingHttpHeaders, _flags, raw) =>
      this.#began(stream, raw),
    );
    this.#session.on('remoteSettings', () => this.#controlled());
    this.#session.on('ping', () => this.#controlled());
    // The library has begun to close; what is under way goes on.
    this.#session.on('goaway', () => this.#rest());
  }

  // --- What the session tells. ---

  #began(stream: ServerHttp2Stream, raw: readonly string[]): void {
    stream.on('error', ignoreError);
    // Its client has taken it back already.
    if (stream.destroyed || stream.closed) return;
    const { connections, limits, logger } = this.context;
    let head: Http2Head = NO_HEAD;
    let fault: TidegateError | null = null;
    try {
      head = readHttp2Head(raw, stream.endAfterHeaders ? 'none' : 'follows', limits);
      if (connections.heldStreams >= limits.connectionsMax)
        throw new TidegateError('connections_exhausted', `There are ${limits.connectionsMax} streams.`);
    } catch (error) {
      fault = TidegateError.from(error);
    }
    const turn = new Http2Turn(stream, head, this);
    this.#turns.add(turn);
    this.deadlineMs = Number.POSITIVE_INFINITY;
    if (fault !== null) {
      logger.debug({ code: fault.code, detail: fault.detail }, 'A request was refused');
      turn.exchange.fail(fault);
      return;
    }
    try {
      this.#handler(turn.exchange);
    } catch (error) {
      turn.escaped(error);
    }
  }

  /** A frame has come that costs an answer. */
  #controlled(): void {
    const { clock, limits, metrics } = this.context;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#countedFromMs >= CONTROL_FRAMES_MS) {
      this.#countedFromMs = nowMs;
      this.#controlFrames = 0;
    }
    if (++this.#controlFrames <= limits.http2ControlFramesMax || this.#session.destroyed) return;
    metrics.http2Ended('control_frames');
    this.#isCutOff = true;
    this.#session.destroy(new Error('Too many control frames came'), constants.NGHTTP2_ENHANCE_YOUR_CALM);
    this.#linger();
  }

  /** The library has given up the connection: a rule was broken, or too much of something came. */
  #failed(error: Error): void {
    if (!this.#isCutOff) this.context.metrics.http2Ended('fault');
    this.context.logger.debug({ error }, 'An HTTP/2 connection failed');
    this.#linger();
  }

  #closed(): void {
    const { connections, deadlines, metrics } = this.context;
    metrics.closed(this.socket.bytesRead, this.socket.bytesWritten);
    deadlines.delete(this);
    connections.delete(this);
  }

  // --- What a turn tells. ---

  ended(turn: Http2Turn): void {
    this.#turns.delete(turn);
    this.#rest();
  }

  // --- What the listener tells. ---

  /** RFC 9113, section 6.8: no new streams; those that are open come to their end. */
  drain(): void {
    this.#session.close();
    for (const turn of [...this.#turns]) turn.draining();
    this.#rest();
  }

  expired(): void {
    if (this.#turns.size > 0) return;
    if (this.#session.closed || this.#session.destroyed) {
      this.socket.destroy();
      return;
    }
    this.#session.close();
    this.#linger();
  }

  /** Nothing is under way: the connection is kept for a while, if it may take another request. */
  #rest(): void {
    if (this.#turns.size > 0) return;
    const { deadlines, limits } = this.context;
    if (this.#session.closed || this.#session.destroyed) this.#linger();
    else this.deadlineMs = deadlines.after(limits.httpKeepAliveTimeoutMs);
  }

  /** The client gets a moment to read what was sent and to close its side. */
  #linger(): void {
    const { deadlines, limits } = this.context;
    this.deadlineMs = deadlines.after(limits.httpLingerTimeoutMs);
  }
}

function sessionOptions(limits: Limits): ServerOptions {
  return {
    settings: {
      maxConcurrentStreams: limits.http2StreamsMax,
      // Twice what is accepted, so that a head somewhat too large is answered with 431; beyond it the stream is reset.
      maxHeaderListSize: limits.httpHeadBytesMax * 2,
      enableConnectProtocol: false,
    },
    maxHeaderListPairs: limits.httpHeadersMax * 2,
    // An origin that repeats a field that should stand once answers for it, as over HTTP/1.
    strictSingleValueFields: false,
    maxSessionInvalidFrames: FAULTS_MAX,
    maxSessionRejectedStreams: FAULTS_MAX,
    // CVE-2023-44487: streams that are begun and taken back.
    streamResetBurst: limits.http2ResetsMax,
    streamResetRate: Math.ceil(limits.http2ResetsMax / RESETS_SECONDS),
  };
}
