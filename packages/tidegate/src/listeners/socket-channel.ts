import type { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import type { Expiring } from '../kernel/index.ts';
import type { ListenerContext, OpenConnection } from './connection-registry.ts';
import type { ByteChannel, ByteChannelOwner } from './port.ts';

/** What happens to bytes that the client sends: a stream discards them, an upgraded protocol takes them. */
export type ChannelInput = 'discarded' | 'delivered';

/**
 * A socket after its response head. It stands for an idle subscriber most of its life, so it holds the socket,
 * the owner and little else; listeners that need no state of their own are shared by all channels.
 */
export class SocketChannel implements ByteChannel, OpenConnection, Expiring {
  readonly socket: Socket;
  deadlineMs = Number.POSITIVE_INFINITY;
  readonly #owner: ByteChannelOwner;
  readonly #context: ListenerContext;
  #behind = false;
  #hearsDrain = false;

  constructor(socket: Socket, owner: ByteChannelOwner, context: ListenerContext, input: ChannelInput) {
    this.socket = socket;
    this.#owner = owner;
    this.#context = context;
    socket.on('close', () => this.#closed());
    socket.on('error', ignoreError);
    if (input === 'delivered') {
      socket.on('data', (slice: Buffer) => owner.received(slice));
      socket.on('end', () => owner.receivedEnd());
    } else {
      // A client that half-closes a stream has nothing more to say and nearly always is gone: waiting for the
      // first write to fail would keep dead subscribers until the next message.
      socket.on('end', destroySocket);
      if (socket.readableEnded) socket.destroy();
    }
    socket.resume();
  }

  write(bytes: Buffer): boolean {
    const { socket } = this;
    if (socket.destroyed || socket.writableEnded) return false;
    // A write that is larger than the high-water mark reports `false` even if the system took all of it.
    if (socket.write(bytes) || socket.writableLength === 0) return true;
    this.#behind = true;
    if (!this.#hearsDrain) {
      this.#hearsDrain = true;
      socket.on('drain', () => this.#drained());
    }
    return false;
  }

  end(last?: Buffer): void {
    const { socket } = this;
    if (socket.destroyed || socket.writableEnded) return;
    const { deadlines, limits } = this.#context;
    this.deadlineMs = deadlines.after(limits.httpBodyIdleTimeoutMs);
    deadlines.add(this);
    // Once all is sent, the client gets a moment to close its side: resetting could take from it what it has not read.
    socket.once('finish', () => {
      this.deadlineMs = deadlines.after(limits.httpLingerTimeoutMs);
    });
    if (last === undefined) socket.end();
    else socket.end(last);
  }

  destroy(): void {
    this.socket.destroy();
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  drain(): void {
    this.#owner.draining();
  }

  expired(): void {
    this.socket.destroy();
  }

  #drained(): void {
    if (!this.#behind) return;
    this.#behind = false;
    this.#owner.drained();
  }

  #closed(): void {
    const { connections, deadlines, metrics } = this.#context;
    deadlines.delete(this);
    metrics.closed(this.socket.bytesRead, this.socket.bytesWritten);
    connections.delete(this);
    this.#owner.closed();
  }
}

/** A channel of a connection that is gone already. */
export const CLOSED_CHANNEL: ByteChannel = {
  write: () => false,
  end() {},
  destroy() {},
  pause() {},
  resume() {},
};

/** Resets and broken pipes are how clients leave; `close` follows and says all that matters. */
export function ignoreError(): void {}

function destroySocket(this: Socket): void {
  this.destroy();
}
