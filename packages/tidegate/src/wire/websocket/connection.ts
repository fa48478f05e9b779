import { Buffer } from 'node:buffer';
import { encodeCloseFrame, encodeFrame, PONG_FRAME } from './frame.ts';
import type { MessageKind, MessageStorage, ReceiverEvents, WebSocketReceiver } from './receiver.ts';
import type { ReceiverPool } from './receiver-pool.ts';
import type { Violation } from './violations.ts';

/** What carries the bytes of an upgraded connection. */
export interface ConnectionTransport {
  /** Returns whether it kept pace; if not, `transportDrained` is to be called once it has. */
  write(bytes: Buffer): boolean;
  /** Sends `last`, if given, and then the end. */
  end(last?: Buffer): void;
  /** Drops the connection at once. */
  destroy(): void;
}

/**
 * Where the closing handshake stands (RFC 6455, section 7.1): nothing was said; our close frame is sent and the peer's awaited; or
 * both are done, or the connection was failed, and the transport is being ended.
 */
export type ConnectionState = 'open' | 'closing' | 'ended';

/**
 * The server's end of a WebSocket connection after the handshake, without sockets and timers: bytes from the transport go in by
 * `receive`, frames go out to the transport. It answers pings and close frames, and fails the connection upon a violation.
 * Whoever extends it gets the messages. There are as many of these as connections, so that it holds as little as it can.
 */
export abstract class WebSocketConnection implements ReceiverEvents {
  readonly #pool: ReceiverPool;
  #transport: ConnectionTransport | null = null;
  #receiver: WebSocketReceiver | null = null;
  #state: ConnectionState = 'open';
  #blocked = false;
  /** The answer to the latest ping, while the transport cannot take it: older ones need no answer (section 5.5.3). */
  #pongDue: Buffer | null = null;

  constructor(pool: ReceiverPool) {
    this.#pool = pool;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** The transport holds more than it could send. */
  get isBlocked(): boolean {
    return this.#blocked;
  }

  /** To be called once, before anything else. */
  attach(transport: ConnectionTransport): void {
    this.#transport = transport;
  }

  /** Takes bytes from the peer, which it unmasks in place. They are needed only during the call. */
  receive(bytes: Buffer): void {
    if (this.#state === 'ended') return;
    const receiver = this.#receiver ?? this.#pool.lend();
    this.#receiver = null;
    receiver.receive(bytes, this);
    if (receiver.idle) this.#pool.giveBack(receiver);
    else if (this.state !== 'ended') this.#receiver = receiver;
  }

  /** The peer half-closed, with or without a close frame. */
  receiveEnd(): void {
    this.#finish();
  }

  /** The transport can take more. */
  transportDrained(): void {
    this.#blocked = false;
    const pong = this.#pongDue;
    this.#pongDue = null;
    if (pong !== null) this.#answerPing(pong);
  }

  /** The connection is gone: nothing is sent any more. */
  transportClosed(): void {
    this.#state = 'ended';
    this.#receiver = null;
    this.#pongDue = null;
  }

  /** Sends whole frames. Returns whether the transport kept pace. After a close frame nothing is sent, and false returned. */
  send(frames: Buffer): boolean {
    if (this.#state !== 'open' || this.#transport === null) return false;
    if (this.#transport.write(frames)) return true;
    this.#blocked = true;
    return false;
  }

  /**
   * Sends a close frame, once, and waits for the peer's. How long is up to the caller, who then calls `drop`.
   * @param reason cut to 123 bytes of UTF-8
   */
  close(code: number, reason = ''): void {
    if (this.#state !== 'open') return;
    this.send(encodeCloseFrame(code, reason));
    this.#state = 'closing';
  }

  /** Ends the connection without a handshake. */
  drop(): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#transport?.destroy();
  }

  // --- What the receiver tells. ---

  abstract message(data: Buffer, kind: MessageKind, storage: MessageStorage): void;

  ping(payload: Buffer): void {
    this.#answerPing(payload);
  }

  pong(): void {}

  closeFrame(code: number): void {
    // Section 5.5.1: the answer carries the same code. A close frame after ours completes the handshake.
    this.#finish(encodeCloseFrame(code));
  }

  violation({ code, reason }: Violation): void {
    this.#finish(encodeCloseFrame(code, reason));
  }

  #answerPing(payload: Buffer): void {
    if (this.#state !== 'open') return;
    if (this.#blocked) this.#pongDue = Buffer.from(payload);
    else this.send(encodeFrame(PONG_FRAME, payload));
  }

  /** Section 7.1.1: the server is the one to end the transport. */
  #finish(closeFrame?: Buffer): void {
    if (this.#state === 'ended') return;
    const ours = this.#state === 'open' ? closeFrame : undefined;
    this.#state = 'ended';
    this.#transport?.end(ours);
  }
}
