import type { Buffer } from 'node:buffer';
import type { Duplex } from 'node:stream';
import { EMPTY } from '../../kernel/index.ts';
import type { ByteChannel, ByteChannelOwner } from '../../listeners/port.ts';

/**
 * Two connections that have gone over to another protocol, such as WebSocket, and what passes between them, unread. Each side is read only
 * as fast as the other one takes it.
 */
export class Tunnel implements ByteChannelOwner {
  readonly #origin: Duplex;
  readonly #ended: () => void;
  #client: ByteChannel | null = null;

  /** @param ended both sides are gone, or soon will be. Comes once */
  constructor(origin: Duplex, ended: () => void) {
    this.#origin = origin;
    this.#ended = ended;
  }

  /** To be called once, with the client's connection. `sentAhead` came from the origin behind its head. */
  open(client: ByteChannel, sentAhead: Buffer): void {
    const origin = this.#origin;
    this.#client = client;
    if (sentAhead.length > 0) client.write(sentAhead);
    origin.on('data', (slice: Buffer) => {
      if (!client.write(slice)) origin.pause();
    });
    origin.on('end', () => client.end());
    origin.on('drain', () => client.resume());
    origin.once('close', () => {
      this.#finish();
      client.end(EMPTY);
    });
    if (origin.destroyed) client.destroy();
    else origin.resume();
  }

  // --- What the client's connection tells. ---

  received(slice: Buffer): void {
    if (!this.#origin.write(slice)) this.#client?.pause();
  }

  receivedEnd(): void {
    this.#origin.end();
  }

  drained(): void {
    this.#origin.resume();
  }

  closed(): void {
    this.#origin.destroy();
    this.#finish();
  }

  /** Only the two ends know how to say goodbye in their protocol; they have until the server ends. */
  draining(): void {}

  #finish(): void {
    if (this.#client === null) return;
    this.#client = null;
    this.#ended();
  }
}
