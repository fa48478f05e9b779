import { Buffer } from 'node:buffer';
import type { ByteChannel, ByteChannelOwner, HttpExchange, StreamFraming } from '../../listeners/port.ts';
import type { BodyFilter } from '../../wire/grip/index.ts';
import { chunk, endOfStream, framingFor } from '../../wire/http1/index.ts';
import { type HeldHead, streamHeaders } from './held-response.ts';

/** The body of a response that stays open, framed as its client understands it. */
export class StreamOutput {
  readonly framing: StreamFraming;
  /** The client has taken what it was sent. */
  hasRoom = true;
  /** What is made of the body that the origin gives; null if nothing. */
  bodyFilter: BodyFilter | null = null;
  readonly #channel: ByteChannel;

  /** Sends the head. */
  constructor(exchange: HttpExchange, head: HeldHead, owner: ByteChannelOwner) {
    this.framing = framingFor(exchange.request.minorVersion);
    this.#channel = exchange.stream(head.status, streamHeaders(head.fields), owner, this.framing);
  }

  /** Sends bytes, which must not be changed any more. Returns whether there is room for more. */
  send(bytes: Uint8Array): boolean {
    if (bytes.length === 0) return this.hasRoom;
    return this.sendFramed(this.frame(bytes));
  }

  /**
   * Sends a part of the body that the origin gives.
   * @throws TidegateError grip_instruct_invalid, if what filters it does not know what something in it stands for
   */
  sendBody(slice: Uint8Array): boolean {
    return this.send(this.bodyFilter?.update(slice) ?? slice);
  }

  /**
   * The body is complete, and filtered no more.
   * @throws TidegateError grip_instruct_invalid, as `sendBody`
   */
  endBody(): void {
    this.bodyFilter?.end();
    this.bodyFilter = null;
  }

  /** Bytes as `sendFramed` takes them. There is at least one. */
  frame(bytes: Uint8Array): Buffer {
    return this.framing === 'chunked' ? chunk(bytes) : asBuffer(bytes);
  }

  sendFramed(bytes: Buffer): boolean {
    if (bytes.length > 0 && !this.#channel.write(bytes)) this.hasRoom = false;
    return this.hasRoom;
  }

  /** The response is complete. */
  end(): void {
    this.#channel.end(endOfStream(this.framing));
  }

  /** The rest will not come. */
  destroy(): void {
    this.#channel.destroy();
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
