import type { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { type Expiring, type HoldsWrites, holdWrites, TidegateError } from '../kernel/index.ts';
import { type RequestHead, RequestParser } from '../wire/http1/index.ts';
import type { ListenerContext, OpenConnection } from './connection-registry.ts';
import { incomplete } from './incoming-exchange.ts';
import type { ByteChannel, ByteChannelOwner } from './port.ts';
import { type ExchangeHandler, handlerFor } from './proxied-handler.ts';
import { ResponseWriter } from './response-writer.ts';
import { type ChannelInput, ignoreError, SocketChannel } from './socket-channel.ts';
import { Turn } from './turn.ts';
import type { TurnHost } from './turn-host.ts';

/**
 * Where a connection stands: waiting for a head; in the turn of a request; its last response is written and input is
 * discarded so that the client can read it; or the socket has gone to a stream, to an upgraded protocol, or away.
 */
type Stage = 'head' | 'turn' | 'lingering' | 'gone';

/** A connection that speaks HTTP/1: one request at a time, in the order in which they came. */
export class HttpConnection implements OpenConnection, Expiring, TurnHost, HoldsWrites {
  readonly socket: Socket;
  readonly context: ListenerContext;
  readonly parser: RequestParser;
  readonly responses: ResponseWriter;
  clientHasEnded = false;
  deadlineMs: number;
  readonly #handler: ExchangeHandler;
  #stage: Stage = 'head';
  #turn: Turn | null = null;
  /** Some of a head has arrived. */
  #isHeadBegun = false;
  #isAdvancing = false;
  #isPaused = false;
  /** A whole response that is to be sent. Between it and the next request nobody writes, so that it is looked for only where something begins. */
  #held: Buffer | null = null;
  /** Turns that began in this run of `advance`. */
  #turnsBegun = 0;

  constructor(socket: Socket, context: ListenerContext) {
    this.socket = socket;
    this.context = context;
    this.parser = new RequestParser(context.limits);
    this.responses = new ResponseWriter(socket, context.date);
    this.#handler = handlerFor(socket, context);
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
    this.sendHeld();
    this.parser.push(bytes);
    this.#advance();
  };

  readonly #receivedEnd = (): void => {
    this.clientHasEnded = true;
    this.sendHeld();
    if (this.#stage === 'lingering') this.socket.destroy();
    else this.#advance();
  };

  readonly #drained = (): void => {
    this.#turn?.drained();
    this.#advance();
  };

  readonly #closed = (): void => {
    const turn = this.#turn;
    this.context.metrics.closed(this.socket.bytesRead, this.socket.bytesWritten);
    this.#leave();
    this.context.connections.delete(this);
    turn?.closed();
  };

  // --- What the listener tells. ---

  drain(): void {
    this.sendHeld();
    if (this.#stage === 'head' && this.parser.isIdle) this.#linger();
    this.#turn?.draining();
  }

  expired(): void {
    switch (this.#stage) {
      case 'head':
        if (this.#isHeadBegun)
          this.#refuse(new TidegateError('http_request_timeout', 'The head stopped arriving.'));
        else this.#linger();
        break;
      case 'turn':
        this.#turn?.stalled();
        break;
      case 'lingering':
        this.socket.destroy();
        break;
      case 'gone':
        break;
    }
  }

  // --- Stepping. ---

  /** Does all that can be done with what has arrived. */
  readonly #advance = (): void => {
    if (this.#isAdvancing) return;
    this.#isAdvancing = true;
    this.#turnsBegun = 0;
    try {
      while (this.#step());
    } catch (error) {
      this.#turn?.escaped(error);
      queueMicrotask(this.#advance);
    } finally {
      if (this.#turnsBegun >= 2) this.socket.uncork();
      this.#isAdvancing = false;
    }
    this.#regulateReading();
  };

  advanceSoon(): void {
    // Inside `advance` the loop goes on by itself; outside, the caller is let finish first.
    if (!this.#isAdvancing) queueMicrotask(this.#advance);
  }

  answered(): void {
    // Without more input this calls no handler, so that it can be done inside the one that answers.
    if (this.parser.bufferedBytes === 0) this.#advance();
    else this.advanceSoon();
  }

  /** Takes one step; returns whether another one may follow. */
  #step(): boolean {
    if (this.#stage === 'head') return this.#readHead();
    if (this.#stage !== 'turn') return false;
    switch ((this.#turn as Turn).step()) {
      case 'again':
        return true;
      case 'wait':
        return false;
      case 'next':
        this.#turn = null;
        this.#stage = 'head';
        this.deadlineMs = this.context.deadlines.after(this.context.limits.httpKeepAliveTimeoutMs);
        return true;
      case 'close':
        this.#linger();
        return false;
    }
  }

  #readHead(): boolean {
    switch (this.parser.next()) {
      case 'head':
        this.#begin(this.parser.head as RequestHead);
        return true;
      case 'failed':
        this.#refuse(this.parser.error as TidegateError);
        return false;
      default:
        this.#awaitHead();
        return false;
    }
  }

  #awaitHead(): void {
    if (this.parser.isIdle) {
      if (this.clientHasEnded || this.context.connections.draining) this.#linger();
    } else if (this.clientHasEnded) {
      this.#refuse(incomplete());
    } else if (!this.#isHeadBegun) {
      this.#isHeadBegun = true;
      this.deadlineMs = this.context.deadlines.after(this.context.limits.httpHeadTimeoutMs);
    }
  }

  #begin(head: RequestHead): void {
    // Answers to requests that were sent ahead leave together; the first one is not held up.
    if (++this.#turnsBegun === 2) this.socket.cork();
    this.#isHeadBegun = false;
    this.#stage = 'turn';
    this.#turn = new Turn(head, this);
    this.deadlineMs = Number.POSITIVE_INFINITY;
    this.#handler(this.#turn.exchange);
  }

  /** Stops reading while more waits than a connection may send ahead. */
  #regulateReading(): void {
    if (this.#stage === 'gone') return;
    const { httpPipelinedBytesMax } = this.context.limits;
    const isFull = this.#stage !== 'lingering' && this.parser.bufferedBytes >= httpPipelinedBytesMax;
    if (isFull === this.#isPaused) return;
    this.#isPaused = isFull;
    if (isFull) this.socket.pause();
    else this.socket.resume();
  }

  // --- Ending. ---

  /** Answers something that is not a request, and closes: what follows it cannot be read. */
  #refuse(error: TidegateError): void {
    this.context.metrics.answered(null, this.responses.refusal(error));
    this.context.logger.debug({ code: error.code, detail: error.detail }, 'A request was refused');
    this.#linger();
  }

  /**
   * RFC 9112, section 9.6: half-closes, and reads on for a while. Closing at once would reset the connection if the
   * client is still sending, and a reset can take from the client the answer that it has not yet read.
   */
  #linger(): void {
    this.sendHeld();
    this.#stage = 'lingering';
    this.deadlineMs = this.context.deadlines.after(this.context.limits.httpLingerTimeoutMs);
    this.socket.end();
    this.#regulateReading();
  }

  sendWhole(response: Buffer): void {
    this.#held = response;
    // The answers to requests that were sent ahead are gathered already.
    if (this.parser.bufferedBytes === 0) holdWrites(this);
    else this.sendHeld();
  }

  sendHeld(): void {
    const response = this.#held;
    if (response === null) return;
    this.#held = null;
    if (!this.socket.destroyed) this.socket.write(response);
  }

  handOver(head: string, owner: ByteChannelOwner, input: ChannelInput): ByteChannel {
    const { socket, context } = this;
    // What the owner writes in this turn leaves together with the head.
    socket.cork();
    socket.write(head, 'latin1');
    queueMicrotask(() => socket.uncork());
    this.#leave();
    const channel = new SocketChannel(socket, owner, context, input);
    context.connections.replace(this, channel);
    if (context.connections.draining) queueMicrotask(() => owner.draining());
    return channel;
  }

  /** Lets go of the socket, so that nothing of this object stays reachable from it. */
  #leave(): void {
    this.#stage = 'gone';
    this.#turn = null;
    this.context.deadlines.delete(this);
    const { socket } = this;
    socket.off('data', this.#received);
    socket.off('end', this.#receivedEnd);
    socket.off('drain', this.#drained);
    socket.off('close', this.#closed);
    socket.off('error', ignoreError);
  }
}
