import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { TidegateError } from '../kernel/index.ts';
import { isWithoutContent, type RequestHead, RequestParser, responseHead } from '../wire/http1/index.ts';
import type { ListenerContext, OpenConnection } from './connection-registry.ts';
import { Conversation } from './conversation.ts';
import type { Expiring } from './deadlines.ts';
import { type BodySource, IncomingBody } from './incoming-body.ts';
import { closedChannel, type ExchangeCarrier, IncomingExchange } from './incoming-exchange.ts';
import { IncomingRequest } from './incoming-request.ts';
import type { ByteChannel, ByteChannelOwner, ResponseHeaders, StreamFraming } from './port.ts';
import { problemResponse } from './problem.ts';
import { ignoreError, SocketChannel } from './socket-channel.ts';

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

/** A body is handed to the socket in pieces of this size, so that a client that reads slowly shows progress. */
const PIECE_BYTES = 64 * 1024;

/**
 * Where a connection stands: waiting for a head; a handler has the exchange; the response is written, but not yet
 * flushed or the request's body not yet read; the last response is written and input is discarded so that the
 * client can read it; or the socket has gone to a stream, to an upgraded protocol, or away.
 */
type Stage = 'head' | 'exchange' | 'answered' | 'lingering' | 'gone';

/** A connection that speaks HTTP/1: one exchange at a time, in the order of the requests. */
export class HttpConnection implements OpenConnection, Expiring, ExchangeCarrier, BodySource {
  readonly socket: Socket;
  deadlineMs: number;
  readonly #context: ListenerContext;
  readonly #parser: RequestParser;
  #stage: Stage = 'head';
  #exchange: IncomingExchange | null = null;
  /** The response under way beside a body that still arrives. */
  #conversation: Conversation | null = null;
  /** The rest of a response that is too large to be handed to the socket at once. */
  #unsent: Uint8Array | null = null;
  /** How much of a body that nobody asked for may still be read to save the connection. */
  #discardBytes = 0;
  #headBegun = false;
  /** The request's body was read to its end. */
  #bodyRead = true;
  /** The client awaits 100 and has not been sent it. */
  #owesContinue = false;
  /** The response said that the connection closes after it. */
  #closing = false;
  #clientEnded = false;
  #advancing = false;
  #paused = false;

  constructor(socket: Socket, context: ListenerContext) {
    this.socket = socket;
    this.#context = context;
    this.#parser = new RequestParser(context.limits);
    // A connection that never says a word is closed as early as one that never completes its head.
    this.deadlineMs = context.deadlines.after(context.limits.httpHeadTimeoutMs);
    socket.on('data', this.#received);
    socket.on('end', this.#receivedEnd);
    socket.on('drain', this.#drained);
    socket.on('close', this.#closed);
    socket.on('error', ignoreError);
  }

  // --- What the socket tells. ---

  readonly #received = (bytes: Buffer): void => {
    if (this.#stage === 'lingering') return;
    this.#parser.push(bytes);
    this.#advance();
  };

  readonly #receivedEnd = (): void => {
    this.#clientEnded = true;
    if (this.#stage === 'lingering') this.socket.destroy();
    else this.#advance();
  };

  readonly #drained = (): void => {
    this.#conversation?.drained();
    this.#advance();
  };

  readonly #closed = (): void => {
    this.#context.metrics.closed(this.socket.bytesRead, this.socket.bytesWritten);
    const exchange = this.#exchange;
    this.#leave();
    this.#context.connections.delete(this);
    try {
      exchange?.request.body.fail(incomplete());
      exchange?.abandon();
      this.#conversation?.closed();
    } catch (error) {
      this.#logEscaped(error, exchange);
    }
  };

  drain(): void {
    if (this.#stage === 'head' && this.#parser.isIdle) this.#linger();
    this.#conversation?.draining();
  }

  expired(): void {
    switch (this.#stage) {
      case 'head':
        if (this.#headBegun)
          this.#refuse(new TidegateError('http_request_timeout', 'The head is not complete.'));
        else this.#linger();
        break;
      case 'exchange':
        this.#bodyStalled();
        break;
      case 'answered':
      case 'lingering':
        this.socket.destroy();
        break;
      case 'gone':
        break;
    }
  }

  // --- Reading. ---

  /** Does all that can be done with what has arrived. */
  readonly #advance = (): void => {
    if (this.#advancing) return;
    this.#advancing = true;
    const { socket } = this;
    let answers = 0;
    try {
      while (this.#step()) {
        // Answers to pipelined requests leave together; the first one is not held up.
        if (this.#stage === 'answered' && ++answers === 2) socket.cork();
      }
    } catch (error) {
      this.#escaped(error);
      queueMicrotask(this.#advance);
    } finally {
      if (answers >= 2) socket.uncork();
      this.#advancing = false;
    }
    this.#regulateReading();
  };

  /** Takes one step; returns whether another one may follow. */
  #step(): boolean {
    switch (this.#stage) {
      case 'head':
        return this.#readHead();
      case 'exchange':
        return this.#readBody();
      case 'answered':
        return this.#finishAnswer();
      default:
        return false;
    }
  }

  #readHead(): boolean {
    switch (this.#parser.next()) {
      case 'head':
        this.#begin(this.#parser.head as RequestHead);
        return true;
      case 'failed':
        this.#refuse(this.#parser.error as TidegateError);
        return false;
      default:
        if (this.#parser.isIdle) {
          if (this.#clientEnded || this.#context.connections.draining) this.#linger();
        } else if (this.#clientEnded) {
          this.#refuse(incomplete());
        } else if (!this.#headBegun) {
          this.#headBegun = true;
          this.deadlineMs = this.#context.deadlines.after(this.#context.limits.httpHeadTimeoutMs);
        }
        return false;
    }
  }

  #begin(head: RequestHead): void {
    this.#stage = 'exchange';
    this.#headBegun = false;
    this.#bodyRead = false;
    this.#owesContinue = head.expectsContinue;
    this.deadlineMs = Number.POSITIVE_INFINITY;
    const body = new IncomingBody(head.bodyBytes, this);
    const request = new IncomingRequest(head, body, this.socket);
    this.#exchange = new IncomingExchange(request, this);
    this.#context.handler(this.#exchange);
  }

  #readBody(): boolean {
    const body = (this.#exchange as IncomingExchange).request.body;
    if (!body.isWanted) {
      this.deadlineMs = Number.POSITIVE_INFINITY;
      return false;
    }
    if (body.failIfTooLarge()) return true;
    if (this.#owesContinue) {
      this.#owesContinue = false;
      // RFC 9110, section 10.1.1: 100 may be left out once some of the body has arrived.
      if (this.#parser.bufferedBytes === 0) this.socket.write(CONTINUE, 'latin1');
    }
    switch (this.#parser.next()) {
      case 'data':
        body.deliver(this.#parser.slice);
        return true;
      case 'end':
        this.#bodyRead = true;
        body.complete();
        return true;
      case 'failed':
        body.fail(this.#parser.error as TidegateError);
        return true;
      default:
        this.deadlineMs = this.#context.deadlines.after(this.#context.limits.httpBodyIdleTimeoutMs);
        if (!this.#clientEnded) return false;
        body.fail(incomplete());
        return true;
    }
  }

  #bodyStalled(): void {
    const exchange = this.#exchange as IncomingExchange;
    try {
      exchange.request.body.fail(new TidegateError('http_request_timeout', 'The body stopped arriving.'));
    } catch (error) {
      this.#escaped(error);
    }
    this.#advance();
  }

  bodyWanted(): void {
    // Inside `advance` the loop goes on by itself; outside, the caller is let finish first.
    if (!this.#advancing) queueMicrotask(this.#advance);
  }

  /** Stops reading while more waits than a connection may send ahead. */
  #regulateReading(): void {
    if (this.#stage === 'gone') return;
    const full =
      this.#stage !== 'lingering' && this.#parser.bufferedBytes >= this.#context.limits.httpPipelinedBytesMax;
    if (full === this.#paused) return;
    this.#paused = full;
    if (full) this.socket.pause();
    else this.socket.resume();
  }

  // --- Answering. ---

  respond(status: number, headers: ResponseHeaders, body: string | Uint8Array): void {
    const { request } = this.#exchange as IncomingExchange;
    const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    const closing = !this.#survives();
    let framing = this.#context.date.line();
    if (!isWithoutContent(status)) framing += `Content-Length: ${length}\r\n`;
    if (closing) framing += 'Connection: close\r\n';
    else if (request.minorVersion === 0) framing += 'Connection: keep-alive\r\n';
    const head = responseHead(status, headers, framing);

    this.#answered(status, closing);
    if (length === 0 || request.method === 'HEAD' || isWithoutContent(status)) {
      this.socket.write(head, 'latin1');
    } else {
      this.#write(head, body, length);
    }
    this.#stage = 'answered';
    if (this.#advancing) return;
    // Without more input no handler is called by this, so that it can be done inside the one that answers.
    if (this.#parser.bufferedBytes === 0) this.#advance();
    else queueMicrotask(this.#advance);
  }

  /** One write, and so one system call, for the head and the first piece of the body. */
  #write(head: string, body: string | Uint8Array, length: number): void {
    if (length <= PIECE_BYTES && typeof body === 'string') {
      this.socket.write(head + body, 'utf8');
      return;
    }
    const bytes = typeof body === 'string' ? Buffer.from(body, 'utf8') : body;
    const first = Math.min(length, PIECE_BYTES);
    const joined = Buffer.allocUnsafe(head.length + first);
    joined.write(head, 0, 'latin1');
    joined.set(first === length ? bytes : bytes.subarray(0, first), head.length);
    this.socket.write(joined);
    if (first < length) this.#unsent = bytes.subarray(first);
  }

  /** Whether the connection can take another request after this answer. */
  #survives(): boolean {
    if (this.#closing || this.#context.connections.draining || this.#parser.error !== null) return false;
    if (!(this.#parser.head as RequestHead).keepAlive) return false;
    if (this.#bodyRead) return true;
    // The client may send the body after all, or may not: only closing makes an end (RFC 9110, section 10.1.1).
    if (this.#owesContinue) return false;
    const remaining = this.#parser.bodyBytesRemaining;
    return remaining === null || remaining <= this.#context.limits.httpPipelinedBytesMax;
  }

  #answered(status: number, closing: boolean): void {
    const exchange = this.#exchange as IncomingExchange;
    this.#context.metrics.answered(exchange.request.method, status);
    exchange.answered();
    this.#exchange = null;
    this.#closing = closing;
    this.#discardBytes = this.#context.limits.httpPipelinedBytesMax;
  }

  #finishAnswer(): boolean {
    const { socket } = this;
    const { deadlines, limits } = this.#context;
    while (this.#unsent !== null && !socket.writableNeedDrain) {
      const piece = this.#unsent.subarray(0, PIECE_BYTES);
      this.#unsent = piece.length === this.#unsent.length ? null : this.#unsent.subarray(PIECE_BYTES);
      socket.write(piece);
    }
    if (this.#unsent !== null || socket.writableNeedDrain) {
      this.deadlineMs = deadlines.after(limits.httpBodyIdleTimeoutMs);
      return false;
    }
    if (this.#closing) {
      this.#linger();
      return false;
    }
    if (!this.#bodyRead) return this.#discardBody();
    this.#stage = 'head';
    this.deadlineMs = deadlines.after(limits.httpKeepAliveTimeoutMs);
    return true;
  }

  /** Reads on to the end of a body that nobody wants, if that is cheaper than a new connection. */
  #discardBody(): boolean {
    switch (this.#parser.next()) {
      case 'data':
        this.#discardBytes -= this.#parser.slice.length;
        if (this.#discardBytes >= 0) return true;
        break;
      case 'end':
        this.#bodyRead = true;
        return true;
      case 'more':
        this.deadlineMs = this.#context.deadlines.after(this.#context.limits.httpBodyIdleTimeoutMs);
        if (!this.#clientEnded) return false;
    }
    this.#linger();
    return false;
  }

  /** Answers something that is not a request, and closes: what follows it cannot be read. */
  #refuse(error: TidegateError): void {
    const problem = problemResponse(error);
    const framing = `${this.#context.date.line()}Content-Length: ${Buffer.byteLength(problem.body)}\r\nConnection: close\r\n`;
    this.socket.write(responseHead(problem.status, problem.headers, framing) + problem.body, 'utf8');
    this.#context.metrics.answered(null, problem.status);
    this.#context.logger.debug({ code: error.code, detail: error.detail }, 'A request was refused');
    this.#linger();
  }

  /**
   * RFC 9112, section 9.6: half-closes, and reads on for a while. Closing at once would reset the connection if the
   * client is still sending, and a reset can take from the client the answer that it has not yet read.
   */
  #linger(): void {
    this.#stage = 'lingering';
    this.deadlineMs = this.#context.deadlines.after(this.#context.limits.httpLingerTimeoutMs);
    this.socket.end();
    this.#regulateReading();
  }

  // --- Handing the socket over. ---

  stream(
    status: number,
    headers: ResponseHeaders,
    owner: ByteChannelOwner,
    framing: StreamFraming,
  ): ByteChannel {
    const { request } = this.#exchange as IncomingExchange;
    const head = this.#streamHead(request, status, headers, framing);
    const { method } = request;
    this.#answered(status, true);
    if (method !== 'HEAD') return this.#handOver(head, owner, 'discarded');
    this.socket.write(head, 'latin1');
    this.#stage = 'answered';
    if (!this.#advancing) queueMicrotask(this.#advance);
    return closedChannel(owner);
  }

  #streamHead(
    request: IncomingRequest,
    status: number,
    headers: ResponseHeaders,
    framing: StreamFraming,
  ): string {
    const chunked = framing === 'chunked';
    if (chunked && request.minorVersion === 0) {
      throw new TidegateError('internal', 'A chunked response needs HTTP/1.1.');
    }
    const lines = `${this.#context.date.line()}${chunked ? 'Transfer-Encoding: chunked\r\n' : ''}Connection: close\r\n`;
    return responseHead(status, headers, lines);
  }

  converse(
    status: number,
    headers: ResponseHeaders,
    owner: ByteChannelOwner,
    framing: StreamFraming,
  ): ByteChannel {
    const exchange = this.#exchange as IncomingExchange;
    this.#context.metrics.answered(exchange.request.method, status);
    exchange.conversing();
    this.socket.write(this.#streamHead(exchange.request, status, headers, framing), 'latin1');
    this.#conversation = new Conversation(this.socket, owner, () => this.#conversed());
    return this.#conversation;
  }

  /** The response has ended; what is left of the body interests nobody. */
  #conversed(): void {
    this.#exchange?.request.body.abandon();
    this.#exchange = null;
    if (this.#stage !== 'exchange') return;
    this.#closing = true;
    this.#stage = 'answered';
    if (!this.#advancing) queueMicrotask(this.#advance);
  }

  upgrade(headers: ResponseHeaders, owner: ByteChannelOwner): ByteChannel {
    const { request } = this.#exchange as IncomingExchange;
    if (request.minorVersion === 0) {
      throw new TidegateError('upgrade_invalid', 'HTTP/1.0 has no upgrade.');
    }
    if (this.#parser.bodyBytesRemaining !== 0) {
      throw new TidegateError('upgrade_invalid', 'The request has a body.');
    }
    const head = responseHead(101, headers, 'Connection: Upgrade\r\n');
    this.#answered(101, true);
    const sentAhead = this.#parser.takeRest();
    const channel = this.#handOver(head, owner, 'delivered');
    if (sentAhead.length > 0) queueMicrotask(() => owner.received(sentAhead));
    return channel;
  }

  #handOver(head: string, owner: ByteChannelOwner, input: 'discarded' | 'delivered'): ByteChannel {
    const { socket } = this;
    // What the owner writes in this turn leaves together with the head.
    socket.cork();
    socket.write(head, 'latin1');
    queueMicrotask(() => socket.uncork());
    this.#leave();
    const channel = new SocketChannel(socket, owner, this.#context, input);
    this.#context.connections.replace(this, channel);
    if (this.#context.connections.draining) queueMicrotask(() => owner.draining());
    return channel;
  }

  /** Lets go of the socket, so that nothing of this object stays reachable from it. */
  #leave(): void {
    this.#stage = 'gone';
    this.#exchange = null;
    this.#unsent = null;
    this.#context.deadlines.delete(this);
    const { socket } = this;
    socket.off('data', this.#received);
    socket.off('end', this.#receivedEnd);
    socket.off('drain', this.#drained);
    socket.off('close', this.#closed);
    socket.off('error', ignoreError);
  }

  // --- Errors that escape. ---

  #escaped(error: unknown): void {
    const exchange = this.#exchange;
    this.#logEscaped(error, exchange);
    if (exchange?.isOpen) exchange.fail(TidegateError.from(error));
    else if (this.#conversation !== null) this.socket.destroy();
  }

  #logEscaped(error: unknown, exchange: IncomingExchange | null): void {
    if (error instanceof TidegateError && error.entry.blame === 'client') return;
    const { logger } = this.#context;
    logger.error(
      { error, method: exchange?.request.method, path: exchange?.request.path },
      'A handler failed',
    );
  }
}

function incomplete(): TidegateError {
  return new TidegateError(
    'http_malformed',
    'The client ended the connection before the request was complete.',
  );
}
