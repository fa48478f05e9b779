import type { Buffer } from 'node:buffer';
import type { ServerHttp2Stream } from 'node:http2';
import type { Expiring } from '../kernel/index.ts';
import type { ListenerContext } from './connection-registry.ts';
import type { Http2Body } from './http2-body.ts';
import { closeAnswered, dropStream } from './http2-response.ts';
import type { ByteChannel, ByteChannelOwner } from './port.ts';

/**
 * A response that goes on, on a stream of HTTP/2. What the client's window does not let through waits in the stream, which says
 * so at 64 KiB; the owner then waits too, so that a stream that stalls holds that much and one flush, and its neighbours go on.
 */
export class Http2Channel implements ByteChannel, Expiring {
  deadlineMs = Number.POSITIVE_INFINITY;
  readonly #stream: ServerHttp2Stream;
  readonly #body: Http2Body;
  readonly #owner: ByteChannelOwner;
  readonly #context: ListenerContext;
  #isBehind = false;
  /** What waited when it was last looked at. */
  #waitingBytes = 0;

  constructor(stream: ServerHttp2Stream, body: Http2Body, owner: ByteChannelOwner, context: ListenerContext) {
    this.#stream = stream;
    this.#body = body;
    this.#owner = owner;
    this.#context = context;
    stream.on('drain', () => this.#drained());
    context.deadlines.add(this);
  }

  write(bytes: Buffer): boolean {
    const stream = this.#stream;
    if (stream.destroyed || stream.closed || stream.writableEnded) return false;
    if (stream.write(bytes)) return true;
    this.#isBehind = true;
    this.#expectProgress();
    return false;
  }

  end(last?: Buffer): void {
    const stream = this.#stream;
    if (stream.destroyed || stream.closed || stream.writableEnded) return;
    stream.once('finish', () => {
      const { deadlines, limits } = this.#context;
      this.deadlineMs = deadlines.after(limits.httpLingerTimeoutMs);
      closeAnswered(stream, this.#body);
    });
    if (last === undefined) stream.end();
    else stream.end(last);
    this.#expectProgress();
  }

  destroy(): void {
    dropStream(this.#stream);
  }

  // What the client sends is the request's body, which is paused and resumed itself.
  pause(): void {}

  resume(): void {}

  draining(): void {
    this.#owner.draining();
  }

  /** The stream is gone. */
  closed(): void {
    this.#context.deadlines.delete(this);
    this.#owner.closed();
  }

  expired(): void {
    // It moves, if slowly.
    if (this.#stream.writableLength < this.#waitingBytes) this.#expectProgress();
    else dropStream(this.#stream);
  }

  #drained(): void {
    if (!this.#isBehind) return;
    this.#isBehind = false;
    if (this.#stream.writableEnded) return;
    this.deadlineMs = Number.POSITIVE_INFINITY;
    this.#owner.drained();
  }

  #expectProgress(): void {
    const { deadlines, limits } = this.#context;
    this.#waitingBytes = this.#stream.writableLength;
    this.deadlineMs = deadlines.after(limits.http2StallTimeoutMs);
  }
}
