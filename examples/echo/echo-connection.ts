import type { Buffer } from 'node:buffer';
import type { ByteChannel, ByteChannelOwner } from '../../packages/tidegate/src/listeners/port.ts';
import {
  BINARY_FRAME,
  CLOSE,
  COMPRESSED_BINARY_FRAME,
  COMPRESSED_TEXT_FRAME,
  deflateMessage,
  encodeFrame,
  type Handshake,
  type MessageKind,
  type ReceiverPool,
  TEXT_FRAME,
  WebSocketConnection,
} from '../../packages/tidegate/src/wire/websocket/index.ts';

/** Sends every message back as it came. */
export class EchoConnection extends WebSocketConnection implements ByteChannelOwner {
  readonly #deflate: Handshake['deflate'];
  #transport: ByteChannel | null = null;

  constructor(receivers: ReceiverPool, deflate: Handshake['deflate']) {
    super(receivers);
    this.#deflate = deflate;
  }

  open(transport: ByteChannel): void {
    this.attach(transport);
    this.#transport = transport;
  }

  override message(data: Buffer, kind: MessageKind): void {
    // A client that does not read what it is sent is not read either, or its echoes would pile up here.
    if (!this.send(this.#frame(data, kind)) && this.state === 'open') this.#transport?.pause();
  }

  #frame(data: Buffer, kind: MessageKind): Buffer {
    if (this.#deflate === null) return encodeFrame(kind === 'text' ? TEXT_FRAME : BINARY_FRAME, data);
    const compressed = deflateMessage(data, this.#deflate.windowBits);
    return encodeFrame(kind === 'text' ? COMPRESSED_TEXT_FRAME : COMPRESSED_BINARY_FRAME, compressed);
  }

  received(slice: Buffer): void {
    this.receive(slice);
  }

  receivedEnd(): void {
    this.receiveEnd();
  }

  drained(): void {
    this.transportDrained();
    this.#transport?.resume();
  }

  closed(): void {
    this.transportClosed();
  }

  draining(): void {
    this.close(CLOSE.serviceRestart);
  }
}
