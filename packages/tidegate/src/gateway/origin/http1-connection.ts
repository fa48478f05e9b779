import type { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import {
  EMPTY,
  type Expiring,
  type HoldsWrites,
  holdWrites,
  type Limits,
  TidegateError,
} from '../../kernel/index.ts';
import {
  chunk,
  type FieldLines,
  LAST_CHUNK,
  permittedTrailers,
  type ReceivedResponse,
  ResponseParser,
  requestHead,
} from '../../wire/http1/index.ts';
import type { OriginFailure, OriginReceiver, OriginRequest } from './exchange.ts';
import { Http1Head } from './http1-head.ts';
import type { OriginLink } from './origin-link.ts';
import { linesOfPairs, requestLinesOf } from './request-lines.ts';
import { endToEndFields, keepAliveHintMs } from './response-fields.ts';

/** What a connection tells its pool. */
export interface ConnectionPool {
  /** The answer is complete, and the connection can take another request. */
  idle(connection: Http1Connection): void;
  /** The connection is gone, or is not the pool's any more. */
  left(connection: Http1Connection): void;
}

/** A connection to an origin that speaks HTTP/1.1: one request at a time, and none before the answer to the one before. */
export class Http1Connection implements OriginLink, Expiring, HoldsWrites {
  deadlineMs = Number.POSITIVE_INFINITY;
  /** How long the origin keeps it open without a request, as far as it has said so; null if it has not. */
  keepAliveMs: number | null = null;
  /** Since when it waits for a request, on the monotonic clock. */
  idleSinceMs = 0;
  /** Answers that have been read on it. */
  answered = 0;
  readonly socket: Socket;
  readonly #pool: ConnectionPool;
  readonly #parser: ResponseParser;
  readonly #interimMax: number;
  #receiver: OriginReceiver | null = null;
  #request: OriginRequest | null = null;
  /** The head of the final answer. */
  #head: ReceivedResponse | null = null;
  #interims = 0;
  /** The head of a request that is to be sent; empty if there is none. */
  #heldHead = '';
  #bodySent = false;
  /** The origin is to say that it wants the body. */
  #bodyHeld = false;
  #hasAnswered = false;
  #isPaused = false;
  #isReading = false;
  #behind = false;

  constructor(socket: Socket, pool: ConnectionPool, limits: Limits) {
    this.socket = socket;
    this.#pool = pool;
    this.#interimMax = limits.upstreamInterimMax;
    this.#parser = new ResponseParser({
      httpHeadBytesMax: limits.upstreamHeadBytesMax,
      httpHeadersMax: limits.upstreamHeadersMax,
      chunkHeaderBytesMax: limits.chunkHeaderBytesMax,
    });
    socket.on('data', this.#received);
    socket.on('end', this.#receivedEnd);
    socket.on('drain', this.#drained);
    socket.on('close', this.#closed);
  }

  // --- What the exchange asks. ---

  begin(request: OriginRequest, host: string | null, receiver: OriginReceiver): void {
    this.#receiver = receiver;
    this.#request = request;
    this.#head = null;
    this.#interims = 0;
    this.#hasAnswered = false;
    this.#bodySent = request.bodyBytes === 0;
    this.#bodyHeld = !this.#bodySent && request.expects === 'continue';
    this.#parser.expect(request.method);
    this.#heldHead = requestHead(request.method, request.target, requestLinesOf(request, host));
    // Before a body that goes on as it comes, nothing waits.
    if (this.#bodySent) holdWrites(this);
    else this.sendHeld();
    if (!this.#bodySent && !this.#bodyHeld) receiver.bodyWanted();
  }

  sendHeld(): void {
    const head = this.#heldHead;
    if (head === '') return;
    this.#heldHead = '';
    if (!this.socket.destroyed) this.socket.write(head, 'latin1');
  }

  releaseBody(): void {
    if (this.#receiver !== null) this.#continue(this.#receiver);
  }

  write(slice: Buffer): boolean {
    const { socket } = this;
    if (socket.destroyed || slice.length === 0) return true;
    if (socket.write(this.#request?.bodyBytes === null ? chunk(slice) : slice)) return true;
    this.#behind = true;
    return false;
  }

  end(trailers: readonly string[]): void {
    this.#bodySent = true;
    if (this.#request?.bodyBytes === null && !this.socket.destroyed) {
      if (trailers.length === 0) this.socket.write(LAST_CHUNK);
      else this.socket.write(`0\r\n${linesOfPairs(trailers)}\r\n`, 'latin1');
    }
  }

  pause(): void {
    this.#isPaused = true;
    this.socket.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.socket.resume();
    // What was read before the pause is told first, once the caller has returned.
    if (this.#parser.bufferedBytes > 0) queueMicrotask(() => this.#read());
  }

  abort(): void {
    this.#receiver = null;
    this.socket.destroy();
  }

  giveBack(): void {
    this.#pool.idle(this);
  }

  /** Not in time: the connection has been idle for too long. */
  expired(): void {
    this.socket.destroy();
  }

  // --- What the socket tells. ---

  readonly #received = (bytes: Buffer): void => {
    if (this.#receiver === null || this.#heldHead !== '') {
      // Nobody has asked, or it is not sent yet: taken for the next answer, it would be somebody else's.
      this.socket.destroy();
      return;
    }
    this.#hasAnswered = true;
    this.#parser.push(bytes);
    this.#read();
  };

  readonly #receivedEnd = (): void => {
    if (this.#receiver !== null && this.#parser.ended() === 'end') this.#complete(null);
    else this.socket.destroy();
  };

  readonly #drained = (): void => {
    if (!this.#behind) return;
    this.#behind = false;
    this.#receiver?.drained();
  };

  readonly #closed = (): void => {
    const receiver = this.#receiver;
    this.#receiver = null;
    this.#pool.left(this);
    receiver?.failed({
      error: new TidegateError(
        'upstream_reset',
        this.#hasAnswered ? 'The answer had begun.' : 'No byte of the answer had come.',
      ),
      reached: this.#reached,
    });
  };

  get #reached(): OriginFailure['reached'] {
    if (this.#heldHead !== '') return 'nothing';
    return this.#hasAnswered || this.answered === 0 ? 'origin' : 'idle_connection';
  }

  // --- Reading the answer. ---

  #read(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    try {
      while (!this.#isPaused && this.#receiver !== null && this.#step(this.#receiver));
    } finally {
      this.#isReading = false;
    }
  }

  /** Takes one step; returns whether another one may follow. */
  #step(receiver: OriginReceiver): boolean {
    const parser = this.#parser;
    switch (parser.next()) {
      case 'more':
        return false;
      case 'data':
        receiver.data(parser.slice);
        return true;
      case 'head':
        return this.#readHead(parser.head as ReceivedResponse, receiver);
      case 'end':
        this.#complete(parser.trailers);
        return false;
      case 'failed':
        this.#fail(parser.error as TidegateError);
        return false;
    }
  }

  #readHead(head: ReceivedResponse, receiver: OriginReceiver): boolean {
    if (head.status === 101) return this.#upgrade(head, receiver);
    if (head.status < 200) {
      if (++this.#interims > this.#interimMax) {
        this.#fail(
          new TidegateError('http_malformed', `There are more than ${this.#interimMax} interim answers.`),
        );
        return false;
      }
      if (head.status === 100) this.#continue(receiver);
      else receiver.interim(head.status, endToEndFields(head));
      return true;
    }
    this.#head = head;
    receiver.head(new Http1Head(head));
    return true;
  }

  /** One that was not asked for, or comes twice, says nothing. */
  #continue(receiver: OriginReceiver): void {
    if (!this.#bodyHeld) return;
    this.#bodyHeld = false;
    receiver.bodyWanted();
  }

  #upgrade(head: ReceivedResponse, receiver: OriginReceiver): boolean {
    if (this.#request?.upgrade === null) {
      // RFC 9110, section 7.8: a server must not switch to a protocol that the client has not named.
      this.#fail(new TidegateError('http_malformed', 'The origin switched protocols without being asked.'));
      return false;
    }
    this.#receiver = null;
    const sentAhead = this.#parser.bufferedBytes === 0 ? EMPTY : this.#parser.takeRest();
    this.#letGo();
    this.socket.pause();
    this.#pool.left(this);
    receiver.head(new Http1Head(head));
    receiver.upgraded(this.socket, sentAhead);
    return false;
  }

  #complete(trailers: FieldLines | null): void {
    const receiver = this.#receiver as OriginReceiver;
    const head = this.#head as ReceivedResponse;
    this.#receiver = null;
    this.answered++;
    const isClean = head.keepAlive && this.#bodySent && this.#parser.bufferedBytes === 0;
    if (isClean) {
      this.keepAliveMs = keepAliveHintMs(head.fields) ?? this.keepAliveMs;
      this.#pool.idle(this);
    } else {
      this.socket.destroy();
    }
    receiver.answerEnded(trailers === null ? [] : permittedTrailers(trailers));
  }

  #fail(error: TidegateError): void {
    const receiver = this.#receiver;
    this.#receiver = null;
    this.socket.destroy();
    const isCut = this.#head?.framing === 'length' || this.#head?.framing === 'chunked';
    const code = isCut && this.socket.readableEnded ? 'upstream_reset' : 'upstream_malformed';
    receiver?.failed({ error: new TidegateError(code, error.detail, { cause: error }), reached: 'origin' });
  }

  #letGo(): void {
    const { socket } = this;
    socket.off('data', this.#received);
    socket.off('end', this.#receivedEnd);
    socket.off('drain', this.#drained);
    socket.off('close', this.#closed);
  }
}
