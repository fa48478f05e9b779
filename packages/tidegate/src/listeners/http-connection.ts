import type { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { TidegateError } from '../kernel/index.ts';
import { type RequestHead, RequestParser, responseHead } from '../wire/http1/index.ts';
import type { ListenerContext, OpenConnection } from './connection-registry.ts';
import { Conversation } from './conversation.ts';
import type { Expiring } from './deadlines.ts';
import { type BodySource, IncomingBody } from './incoming-body.ts';
import { closedChannel, type ExchangeCarrier, IncomingExchange } from './incoming-exchange.ts';
import { IncomingRequest } from './incoming-request.ts';
import type { ByteChannel, ByteChannelOwner, ResponseHeaders, StreamFraming } from './port.ts';
import { ResponseWriter } from './response-writer.ts';
import { ignoreError, SocketChannel } from './socket-channel.ts';

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

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
  readonly #responses: ResponseWriter;
  #stage: Stage = 'head';
  #exchange: IncomingExchange | null = null;
  /** The response under way beside a body that still arrives. */
  #conversation: Conversation | null = null;
  #headBegun = false;
  /** The body of the request that is being answered or was answered last. */
  #body: IncomingBody | null = null;
  /** The response said that the connection closes after it. */
  #closing = false;
  #clientEnded = false;
  #advancing = false;
  #paused = false;

  constructor(socket: Socket, context: ListenerContext) {
    this.socket = socket;
    this.#context = context;
    this.#parser = new RequestParser(context.limits);
    this.#responses = new ResponseWriter(socket, context.date);
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
      // A response that is under way has no exchange to abandon, but the body beside it still has a receiver.
      exchange?.abandon(incomplete());
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
        this.#exchangeStalled();
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
    this.deadlineMs = Number.POSITIVE_INFINITY;
    const body = new IncomingBody(head.bodyBytes, head.expectsContinue, this);
    this.#body = body;
    const request = new IncomingRequest(head, body, this.socket);
    this.#exchange = new IncomingExchange(request, this);
    this.#context.handler(this.#exchange);
  }

  #readBody(): boolean {
    const body = this.#body as IncomingBody;
    switch (body.read(this.#parser)) {
      case 'moved':
        return true;
      case 'starved':
        this.deadlineMs = this.#context.deadlines.after(this.#context.limits.httpBodyIdleTimeoutMs);
        if (!this.#clientEnded) return false;
        this.#closing = true;
        body.fail(incomplete());
        return true;
      default:
        this.deadlineMs = this.socket.writableNeedDrain
          ? this.#context.deadlines.after(this.#context.limits.httpBodyIdleTimeoutMs)
          : Number.POSITIVE_INFINITY;
        return false;
    }
  }

  /** Nothing has moved for too long, neither the request's body nor a response beside it. */
  #exchangeStalled(): void {
    const body = this.#body as IncomingBody;
    if (!body.isWanted) {
      // A reader that is slow by itself may be; one that waits for a client that does not read may not.
      if (this.socket.writableNeedDrain) this.socket.destroy();
      return;
    }
    this.#closing = true;
    try {
      body.fail(new TidegateError('http_request_timeout', 'The body stopped arriving.'));
    } catch (error) {
      this.#escaped(error);
    }
    this.#advance();
  }

  bodyWanted(): void {
    // Inside `advance` the loop goes on by itself; outside, the caller is let finish first.
    if (!this.#advancing) queueMicrotask(this.#advance);
  }

  sendContinue(): void {
    this.socket.write(CONTINUE, 'latin1');
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
    const { method, minorVersion } = (this.#exchange as IncomingExchange).request;
    const persists = this.#survives();
    this.#responses.whole(status, headers, body, { method, minorVersion, persists });
    this.#answered(status, !persists);
    this.#stage = 'answered';
    if (this.#advancing) return;
    // Without more input no handler is called by this, so that it can be done inside the one that answers.
    if (this.#parser.bufferedBytes === 0) this.#advance();
    else queueMicrotask(this.#advance);
  }

  /** Whether the connection can take another request after this answer. */
  #survives(): boolean {
    if (this.#closing || this.#context.connections.draining || this.#parser.error !== null) return false;
    if (!(this.#parser.head as RequestHead).keepAlive) return false;
    const body = this.#body as IncomingBody;
    if (body.isRead) return true;
    // The client may send the body after all, or may not: only closing makes an end (RFC 9110, section 10.1.1).
    if (body.owesContinue) return false;
    const remaining = this.#parser.bodyBytesRemaining;
    return remaining === null || remaining <= this.#context.limits.httpPipelinedBytesMax;
  }

  #answered(status: number, closing: boolean): void {
    const exchange = this.#exchange as IncomingExchange;
    this.#context.metrics.answered(exchange.request.method, status);
    exchange.answered();
    exchange.request.body.abandon(this.#context.limits.httpPipelinedBytesMax);
    this.#exchange = null;
    this.#closing = closing;
  }

  #finishAnswer(): boolean {
    const { deadlines, limits } = this.#context;
    if (!this.#responses.flush()) {
      this.deadlineMs = deadlines.after(limits.httpBodyIdleTimeoutMs);
      return false;
    }
    if (this.#closing) {
      this.#linger();
      return false;
    }
    const body = this.#body as IncomingBody;
    if (!body.isRead) return this.#discard(body);
    this.#stage = 'head';
    this.deadlineMs = deadlines.after(limits.httpKeepAliveTimeoutMs);
    return true;
  }

  /** Reads on to the end of a body that nobody wants, if that is cheaper than a new connection. */
  #discard(body: IncomingBody): boolean {
    const progress = body.discard(this.#parser);
    if (progress === 'moved') return true;
    if (progress === 'starved') {
      this.deadlineMs = this.#context.deadlines.after(this.#context.limits.httpBodyIdleTimeoutMs);
      if (!this.#clientEnded) return false;
    }
    this.#linger();
    return false;
  }

  /** Answers something that is not a request, and closes: what follows it cannot be read. */
  #refuse(error: TidegateError): void {
    this.#context.metrics.answered(null, this.#responses.refusal(error));
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
    const { method, minorVersion } = (this.#exchange as IncomingExchange).request;
    const head = this.#responses.streamHead(status, headers, framing, minorVersion);
    this.#answered(status, true);
    if (method !== 'HEAD') return this.#handOver(head, owner, 'discarded');
    this.socket.write(head, 'latin1');
    this.#stage = 'answered';
    if (!this.#advancing) queueMicrotask(this.#advance);
    return closedChannel(owner);
  }

  converse(
    status: number,
    headers: ResponseHeaders,
    owner: ByteChannelOwner,
    framing: StreamFraming,
  ): ByteChannel {
    const exchange = this.#exchange as IncomingExchange;
    const { method, minorVersion } = exchange.request;
    if (method === 'HEAD') return this.stream(status, headers, owner, framing);
    this.socket.write(this.#responses.streamHead(status, headers, framing, minorVersion), 'latin1');
    this.#context.metrics.answered(method, status);
    exchange.answered();
    this.#conversation = new Conversation(this.socket, owner, () => this.#conversed());
    return this.#conversation;
  }

  /** The response has ended; what is left of the body interests nobody. */
  #conversed(): void {
    if (this.#stage !== 'exchange') return;
    this.#body?.abandon(0);
    this.#exchange = null;
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
