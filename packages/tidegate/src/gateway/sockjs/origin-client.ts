import { Buffer } from 'node:buffer';
import { type Expiring, secretOf, TidegateError } from '../../kernel/index.ts';
import { problemResponse } from '../../listeners/index.ts';
import type { ByteChannel, ByteChannelOwner, ResponseHeaders } from '../../listeners/port.ts';
import {
  acceptKey,
  CLOSE,
  CLOSE_FRAME,
  closePayload,
  type MessageKind,
  PONG_FRAME,
  type ReceiverEvents,
  TEXT_FRAME,
  type Violation,
  WebSocketReceiver,
} from '../../wire/websocket/index.ts';
import { pairsOf } from '../cross-origin/answer-fields.ts';
import type { SockJsContext } from './context.ts';
import { OutgoingFrames } from './outgoing-frames.ts';

/** The answer of an origin, or of the gateway in its place, that does not want the WebSocket. */
export interface Refusal {
  readonly status: number;
  /** Names and values in turn. */
  readonly fields: readonly string[];
  readonly body: Buffer;
}

/** Hears what an origin says to a client of SockJS. */
export interface OriginClientOwner {
  /** Whether it takes more messages for now; if not, `drained` is to be called once it does. */
  readonly hasRoom: boolean;
  /** The origin has accepted, with these fields. Comes before any message. */
  opened(headers: ResponseHeaders): void;
  /** The origin has not. Nothing follows. */
  refused(refusal: Refusal): void;
  message(text: string): void;
  /** Comes once, after `opened`. Nothing follows. */
  closed(code: number, reason: string): void;
  /** The origin has taken all that was sent. */
  taken(): void;
}

/** What a WebSocket client says of a connection that is gone without a close frame. Never on the wire of WebSockets; SockJS can say it. */
const CLOSE_LOST = 1006;

/** RFC 6455, section 4.1. */
const KEY_BYTES = 16;

/** Asking; open; said goodbye to; gone. */
type State = 'asking' | 'open' | 'closing' | 'over';

/**
 * A WebSocket client within the server. To the route it is a browser's connection like any other, so that every kind of origin is reached in the
 * same way; to the session of SockJS it is the origin. What passes from one side to the other does so after the call in which it was said, as
 * on a socket.
 */
export class OriginClient implements ByteChannel, ReceiverEvents, Expiring {
  deadlineMs = Number.POSITIVE_INFINITY;
  readonly key: string;
  readonly #context: SockJsContext;
  readonly #owner: OriginClientOwner;
  readonly #receiver: WebSocketReceiver;
  #state: State = 'asking';
  #origin: ByteChannelOwner | null = null;
  #abandoned: (() => void) | null = null;
  readonly #outgoing: OutgoingFrames;
  /** The answer to the latest ping, while the origin takes nothing: older ones need no answer (RFC 6455, section 5.5.3). */
  #pongDue: Buffer | null = null;
  /** The origin was told to wait. */
  #isBehind = false;
  /** The fields of the answer, until the session has heard of it. */
  #untold: ResponseHeaders | null = null;

  constructor(context: SockJsContext, owner: OriginClientOwner) {
    const { limits, random } = context;
    this.#context = context;
    this.#owner = owner;
    this.#outgoing = new OutgoingFrames(context, {
      take: (slice) => this.#origin?.received(slice),
      emptied: () => {
        if (this.#state === 'open') owner.taken();
      },
    });
    this.key = secretOf(random, KEY_BYTES).toString('base64');
    this.#receiver = new WebSocketReceiver({
      role: 'client',
      // From an origin, or from a channel.
      messageBytesMax: Math.max(limits.webSocketMessageBytesMax, limits.messageBytesMax),
      framesMax: limits.webSocketFramesMax,
      compression: 'none',
    });
  }

  // --- What the session says. ---

  send(message: string): void {
    if (this.#state === 'open') this.#outgoing.push(TEXT_FRAME, Buffer.from(message, 'utf8'));
  }

  /** Something that was sent waits for the origin. */
  get isBusy(): boolean {
    return !this.#outgoing.isEmpty;
  }

  /** The origin takes no more for now, and something waits for it. */
  get isStopped(): boolean {
    return this.#outgoing.isPaused && this.isBusy;
  }

  /** There is room again. */
  drained(): void {
    if (!this.#isBehind) return;
    this.#isBehind = false;
    this.#context.clock.soon(() => {
      if (!this.#isBehind) this.#origin?.drained();
    });
  }

  /** The client says goodbye: the origin gets a close frame, and some time to answer. */
  close(code: number, reason = ''): void {
    if (this.#state === 'asking') this.drop();
    if (this.#state !== 'open') return;
    this.#outgoing.push(CLOSE_FRAME, closePayload(code, reason));
    this.#closing();
  }

  /** The client is gone without a word. */
  drop(): void {
    const abandoned = this.#abandoned;
    const wasAsking = this.#state === 'asking';
    this.#over();
    if (wasAsking) abandoned?.();
  }

  // --- What becomes of the handshake. ---

  onAbandoned(callback: () => void): void {
    this.#abandoned = callback;
  }

  accepted(headers: ResponseHeaders, origin: ByteChannelOwner): ByteChannel {
    if (this.#state !== 'asking') {
      this.#context.clock.soon(() => origin.closed());
      return this;
    }
    this.#abandoned = null;
    if (headers['sec-websocket-accept'] !== acceptKey(this.key)) {
      this.failed(
        new TidegateError('upstream_malformed', 'Sec-WebSocket-Accept does not belong to the handshake.'),
      );
      this.#context.clock.soon(() => origin.closed());
      return this;
    }
    this.#origin = origin;
    this.#state = 'open';
    this.#untold = headers;
    this.#context.clock.soon(() => this.#tellOpened());
    return this;
  }

  failed(error: TidegateError, added: ResponseHeaders = {}): void {
    const { status, headers, body } = problemResponse(error);
    this.refused({ status, fields: pairsOf({ ...headers, ...added }), body: Buffer.from(body, 'utf8') });
  }

  refused(refusal: Refusal): void {
    if (this.#state !== 'asking') return;
    this.#over();
    this.#owner.refused(refusal);
  }

  #tellOpened(): void {
    const headers = this.#untold;
    this.#untold = null;
    if (headers !== null) this.#owner.opened(headers);
  }

  // --- What the route's side of the connection does. ---

  write(bytes: Buffer): boolean {
    if (this.#state === 'over') return false;
    this.#tellOpened();
    this.#receiver.receive(bytes, this);
    if (this.#state !== 'open' || this.#owner.hasRoom) return true;
    this.#isBehind = true;
    return false;
  }

  end(last?: Buffer): void {
    if (last !== undefined) this.write(last);
    this.destroy();
  }

  destroy(): void {
    this.#tellOpened();
    const wasOpen = this.#state === 'open';
    this.#over();
    if (wasOpen) this.#owner.closed(CLOSE_LOST, 'Connection lost');
  }

  pause(): void {
    this.#outgoing.pause();
  }

  resume(): void {
    if (!this.#outgoing.isPaused) return;
    this.#outgoing.resume();
    const pong = this.#pongDue;
    this.#pongDue = null;
    if (pong !== null) this.ping(pong);
  }

  // --- What the frames say. ---

  /** SockJS knows texts only: bytes are read as the UTF-8 that they most likely are. */
  message(data: Buffer, _kind: MessageKind): void {
    if (this.#state === 'open') this.#owner.message(data.toString('utf8'));
  }

  ping(payload: Buffer): void {
    if (this.#state !== 'open') return;
    if (this.#outgoing.isPaused) this.#pongDue = Buffer.from(payload);
    else this.#outgoing.push(PONG_FRAME, payload);
  }

  pong(): void {}

  closeFrame(code: number, reason: string): void {
    if (this.#state !== 'open') return;
    // RFC 6455, section 5.5.1: the answer carries the same code.
    this.#outgoing.push(CLOSE_FRAME, closePayload(code));
    this.#closing();
    const isUnsaid = code === CLOSE.noStatus;
    this.#owner.closed(isUnsaid ? CLOSE.normal : code, isUnsaid ? 'Normal closure' : reason);
  }

  violation({ code, reason }: Violation): void {
    if (this.#state !== 'open') return;
    this.#outgoing.push(CLOSE_FRAME, closePayload(code, reason));
    this.#closing();
    this.#owner.closed(code, reason);
  }

  // --- The end. ---

  #closing(): void {
    this.#state = 'closing';
    const { deadlines, limits } = this.#context;
    this.deadlineMs = deadlines.after(limits.webSocketCloseTimeoutMs);
    deadlines.add(this);
    // The answer is all that is still wanted.
    this.drained();
  }

  expired(): void {
    this.#over();
  }

  #over(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#outgoing.clear();
    this.#abandoned = null;
    this.#context.deadlines.delete(this);
    const origin = this.#origin;
    this.#origin = null;
    if (origin !== null) this.#context.clock.soon(() => origin.closed());
  }
}
