import { Buffer } from 'node:buffer';
import type { Duplex } from 'node:stream';
import { ByteWriter, TidegateError } from '../../kernel/index.ts';
import { allowedClose, type Close } from '../../wire/grip/index.ts';
import {
  BINARY_FRAME,
  CLOSE,
  CLOSE_FRAME,
  closePayload,
  type MessageKind,
  type MessageStorage,
  PING_FRAME,
  PONG_FRAME,
  type ReceiverEvents,
  TEXT_FRAME,
  type Violation,
  WebSocketReceiver,
  writeMaskedFrame,
} from '../../wire/websocket/index.ts';
import { Alarms } from './alarms.ts';
import type { OriginSocket, OriginSocketOwner } from './origin-socket.ts';
import type { SocketContext } from './socket-context.ts';

/** An origin that speaks WebSocket itself: the gateway is its client. */
export class NativeSocket implements OriginSocket, ReceiverEvents {
  readonly answersPings = true;
  readonly #socket: Duplex;
  readonly #context: SocketContext;
  readonly #receiver: WebSocketReceiver;
  readonly #alarms: Alarms<'closing'>;
  #owner: OriginSocketOwner | null = null;
  #isClosing = false;
  #isBehind = false;

  /** @param socket after the handshake, paused */
  constructor(socket: Duplex, context: SocketContext) {
    this.#socket = socket;
    this.#context = context;
    this.#receiver = new WebSocketReceiver({
      role: 'client',
      messageBytesMax: context.limits.webSocketMessageBytesMax,
      framesMax: context.limits.webSocketFramesMax,
      compression: 'none',
    });
    this.#alarms = new Alarms(context.deadlines, () => socket.destroy());
  }

  /** Somebody hears the origin from now on. `sentAhead` came behind its head. */
  open(owner: OriginSocketOwner, sentAhead: Buffer): void {
    const socket = this.#socket;
    this.#owner = owner;
    socket.on('data', (bytes: Buffer) => this.#receiver.receive(bytes, this));
    socket.on('drain', () => this.#drained());
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    socket.once('close', () => this.#closed());
    if (sentAhead.length > 0) this.#receiver.receive(sentAhead, this);
    if (socket.destroyed) this.#closed();
    else if (this.#owner !== null || this.#isClosing) socket.resume();
  }

  // --- What the client does. ---

  sendMessage(kind: MessageKind, content: Buffer): void {
    this.#write(kind === 'text' ? TEXT_FRAME : BINARY_FRAME, content);
  }

  sendPing(content: Buffer): void {
    this.#write(PING_FRAME, content);
  }

  sendPong(content: Buffer): void {
    this.#write(PONG_FRAME, content);
  }

  close(close: Close): void {
    this.#close(close.code ?? CLOSE.noStatus, close.reason);
  }

  disconnect(): void {
    this.#owner = null;
    this.#socket.destroy();
  }

  detach(): void {
    this.#close(CLOSE.normal, '');
  }

  /** The origin says by itself what it has to say. */
  refresh(): void {}

  /** There are no requests that could name it. */
  setSession(): void {}

  pause(): void {
    if (this.#owner !== null) this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  #write(firstByte: number, content: Uint8Array): void {
    const socket = this.#socket;
    if (this.#isClosing || socket.destroyed) return;
    const frame = new ByteWriter(content.length + 14);
    writeMaskedFrame(frame, firstByte, content, this.#context.random.uint32());
    if (socket.write(frame.take()) || this.#isBehind) return;
    this.#isBehind = true;
    this.#owner?.originBusy();
  }

  /** Sends a close frame, and gives the origin some time to answer. */
  #close(code: number, reason: string): void {
    this.#owner = null;
    if (this.#isClosing) return;
    this.#write(CLOSE_FRAME, closePayload(code, reason));
    this.#isClosing = true;
    this.#alarms.set('closing', this.#context.limits.webSocketCloseTimeoutMs);
    this.#socket.resume();
  }

  // --- What the origin does. ---

  message(data: Buffer, kind: MessageKind, storage: MessageStorage): void {
    this.#owner?.originMessage(kind, storage === 'owned' ? data : Buffer.from(data));
  }

  ping(payload: Buffer): void {
    this.#owner?.originPing(Buffer.from(payload));
  }

  pong(payload: Buffer): void {
    this.#owner?.originPong(Buffer.from(payload));
  }

  closeFrame(code: number, reason: string): void {
    const owner = this.#owner;
    this.#owner = null;
    // RFC 6455, section 5.5.1: the answer carries the same code; and the server is the one to end the connection (section 7.1.1).
    this.#close(code, '');
    owner?.originClosed(allowedClose(code === CLOSE.noStatus ? null : code, reason));
  }

  violation({ code, reason }: Violation): void {
    const owner = this.#owner;
    this.#close(code, reason);
    owner?.originFailed(
      new TidegateError('upstream_malformed', `The origin broke the WebSocket protocol: ${reason}.`),
    );
  }

  #drained(): void {
    this.#isBehind = false;
    this.#owner?.originReady();
  }

  #closed(): void {
    const owner = this.#owner;
    this.#owner = null;
    this.#alarms.clearAll();
    owner?.originFailed(new TidegateError('upstream_reset', 'The origin left without a close frame.'));
  }
}
