import type { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import type { ByteChannel, ByteChannelOwner } from './port.ts';

/** The response of an exchange whose request is still being received: it writes, while the connection goes on reading. */
export class Conversation implements ByteChannel {
  readonly #socket: Socket;
  readonly #owner: ByteChannelOwner;
  readonly #whenEnded: () => void;
  #ended = false;
  #behind = false;

  constructor(socket: Socket, owner: ByteChannelOwner, whenEnded: () => void) {
    this.#socket = socket;
    this.#owner = owner;
    this.#whenEnded = whenEnded;
  }

  write(bytes: Buffer): boolean {
    const socket = this.#socket;
    if (this.#ended || socket.destroyed || socket.writableEnded) return false;
    if (socket.write(bytes) || socket.writableLength === 0) return true;
    this.#behind = true;
    return false;
  }

  end(last?: Buffer): void {
    if (this.#ended) return;
    this.#ended = true;
    if (last !== undefined && !this.#socket.writableEnded) this.#socket.write(last);
    this.#whenEnded();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  // What the client sends is the request's body, which is paused and resumed itself.
  pause(): void {}

  resume(): void {}

  /** The socket has sent what it held. */
  drained(): void {
    if (!this.#behind) return;
    this.#behind = false;
    this.#owner.drained();
  }

  closed(): void {
    this.#owner.closed();
  }

  draining(): void {
    this.#owner.draining();
  }
}
