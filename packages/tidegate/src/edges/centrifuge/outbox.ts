import type { Buffer } from 'node:buffer';
import type { Format } from './format.ts';
import type { Push, Result } from './protocol.ts';

/** Takes the bytes of one connection. */
export interface OutboxTransport {
  /** Returns whether it kept pace; if not, `Outbox.drained` is to be called once it has. */
  send(bytes: Buffer): boolean;
}

/** Replies are sent once they are this large together, even if more are about to follow. */
const GATHERED_BYTES = 64 * 1024;

/**
 * What goes out to one client. Replies that are made in a row become one write. Publications wait in the log while the client does
 * not read; what is sent all the same is bounded by `bytesMax`, past which `isOverfull` says so.
 */
export class Outbox {
  readonly #format: Format;
  readonly #transport: OutboxTransport;
  readonly #bytesMax: number;
  /** Replies of this connection are in the writer that all share. */
  #isWriting = false;
  #isGathering = false;
  #isBlocked = false;
  /** Bytes that were sent although the transport was full. */
  #bytesHeld = 0;

  constructor(format: Format, transport: OutboxTransport, bytesMax: number) {
    this.#format = format;
    this.#transport = transport;
    this.#bytesMax = bytesMax;
  }

  /** The transport holds more than it could send. */
  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  /** The client reads so slowly that it is to be disconnected. */
  get isOverfull(): boolean {
    return this.#bytesHeld > this.#bytesMax;
  }

  /** Calls `act` and sends the replies that it makes together. */
  gather(act: () => void): void {
    this.#isGathering = true;
    try {
      act();
      this.flush();
    } finally {
      this.#isGathering = false;
      this.#discard();
    }
  }

  reply(id: number, result: Result): void {
    const { replies, carrier, codec } = this.#format;
    if (!this.#isWriting) carrier.begin(replies);
    this.#isWriting = true;
    const mark = carrier.open(replies);
    codec.reply(id, result, replies);
    carrier.close(replies, mark);
    if (!this.#isGathering || replies.length >= GATHERED_BYTES) this.flush();
  }

  push(push: Push): void {
    this.flush();
    this.#write(this.#format.push(push));
  }

  ping(): void {
    this.flush();
    this.#write(this.#format.ping);
  }

  /** Sends publications that are encoded already. Returns whether the transport has room for more. */
  deliver(bytes: Buffer): boolean {
    this.flush();
    // A client with many channels is sent something of each, although the first has filled its transport.
    this.#write(bytes);
    return !this.#isBlocked;
  }

  drained(): void {
    this.#isBlocked = false;
    this.#bytesHeld = 0;
  }

  #write(bytes: Buffer): void {
    if (this.#isBlocked) this.#bytesHeld += bytes.length;
    if (!this.#transport.send(bytes)) this.#isBlocked = true;
  }

  /** Sends the replies that were gathered so far. */
  flush(): void {
    if (!this.#isWriting) return;
    this.#isWriting = false;
    const { replies, carrier } = this.#format;
    carrier.end(replies);
    this.#write(replies.take());
  }

  /** Forgets what an error left unfinished: the writer is everybody's. */
  #discard(): void {
    if (!this.#isWriting) return;
    this.#isWriting = false;
    this.#format.replies.truncate(0);
  }
}
