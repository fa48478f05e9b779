import type { Buffer } from 'node:buffer';
import { EMPTY } from '../../kernel/index.ts';
import type { ByteChannel, ByteChannelOwner } from '../../listeners/port.ts';
import { allowedClose, type Close } from '../../wire/grip/index.ts';
import {
  CLOSE,
  type MessageKind,
  type MessageStorage,
  type ReceiverPool,
  WebSocketConnection,
} from '../../wire/websocket/index.ts';

/** Hears what a client does. */
export interface ClientOwner {
  /** Whether the gateway answers pings of the client itself. */
  readonly answersPings: boolean;
  clientMessage(kind: MessageKind, data: Buffer, storage: MessageStorage): void;
  /** `payload` is valid only during the call, here and in `clientPong`. */
  clientPing(payload: Buffer): void;
  clientPong(payload: Buffer): void;
  /** The client's close frame, its first or its answer. */
  clientClosing(close: Close): void;
  clientDrained(): void;
  /** The connection is gone, with a close frame or without. Comes once. */
  clientClosed(): void;
  /** Any bytes came, or were taken. */
  clientHeard(): void;
  /** The server is shutting down. */
  clientDraining(): void;
}

/** The client's end of a WebSocket that the gateway has accepted. */
export class ClientEnd extends WebSocketConnection implements ByteChannelOwner {
  readonly #owner: ClientOwner;
  #transport: ByteChannel | null = null;
  #isPaused = false;

  constructor(owner: ClientOwner, receivers: ReceiverPool) {
    super(receivers);
    this.#owner = owner;
  }

  /** To be called once, with the upgraded connection. */
  open(transport: ByteChannel): void {
    this.#transport = transport;
    this.attach(transport);
    if (this.#isPaused) transport.pause();
  }

  /** Stops and restarts reading from the client. */
  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#transport?.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#transport?.resume();
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  // --- What the connection tells. ---

  received(slice: Buffer): void {
    this.#owner.clientHeard();
    this.receive(slice);
  }

  receivedEnd(): void {
    this.receiveEnd();
  }

  drained(): void {
    this.#owner.clientHeard();
    this.transportDrained();
    if (!this.isBlocked) this.#owner.clientDrained();
  }

  closed(): void {
    this.transportClosed();
    this.#owner.clientClosed();
  }

  draining(): void {
    this.#owner.clientDraining();
  }

  // --- What the frames say. ---

  override message(data: Buffer, kind: MessageKind, storage: MessageStorage): void {
    if (this.state === 'open') this.#owner.clientMessage(kind, data, storage);
  }

  override ping(payload: Buffer): void {
    if (this.#owner.answersPings) super.ping(payload);
    if (this.state === 'open') this.#owner.clientPing(payload);
  }

  override pong(payload: Buffer = EMPTY): void {
    if (this.state === 'open') this.#owner.clientPong(payload);
  }

  override closeFrame(code: number, reason = ''): void {
    this.#owner.clientClosing(allowedClose(code === CLOSE.noStatus ? null : code, reason));
    super.closeFrame(code);
  }
}
