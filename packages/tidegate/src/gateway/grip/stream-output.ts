import { Buffer } from 'node:buffer';
import type { ByteChannel, ByteChannelOwner, HttpExchange, StreamFraming } from '../../listeners/port.ts';
import { chunk, endOfStream, framingFor } from '../../wire/http1/index.ts';
import { type HeldHead, streamHeaders } from './held-response.ts';

/** The body of a response that stays open, framed as its client understands it. */
export class StreamOutput {
  readonly framing: StreamFraming;
  /** The client has taken what it was sent. */
  hasRoom = true;
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
