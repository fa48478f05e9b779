import type { Buffer } from 'node:buffer';
import type {
  Channels,
  EndReason,
  FrameEncoder,
  Sink,
  SlowPolicy,
  StartPosition,
  Subscription,
} from '../channels/index.ts';
import type {
  ByteChannel,
  ByteChannelOwner,
  HttpExchange,
  ResponseHeaders,
  StreamFraming,
} from '../listeners/port.ts';
import { CURSOR_HEADER } from './cursor-header.ts';

/** What a form of stream says of its own end. There is one for all streams of a form. */
export interface StreamEnd {
  /** The bytes of a notice, framed, that the credential ends at this time. */
  expiring(expiresMs: number): Buffer;
  /** What ends the response, after the last flush. */
  readonly last: Buffer | undefined;
}

/** A subscription whose messages are a response that does not end. */
export interface StreamRequest {
  readonly channels: readonly string[];
  readonly from: StartPosition;
  readonly encoder: FrameEncoder;
  readonly slowPolicy: SlowPolicy;
  readonly protocol: string;
  readonly framing: StreamFraming;
  readonly headers: ResponseHeaders;
  /**
   * Makes what is sent before all messages, framed. It is given the cursor that the stream begins at; empty if the client came
   * with one of its own, which it may still need.
   */
  readonly preamble: ((cursor: string) => Buffer) | null;
  readonly end: StreamEnd;
}

/**
 * Stands between a subscription and the response that it fills, for every edge whose response is a stream of frames. There are as
 * many of these as idle clients: it holds three references.
 */
class StreamingSubscriber implements Sink, ByteChannelOwner {
  #subscription: Subscription | null = null;
  #channel: ByteChannel | null = null;
  readonly #end: StreamEnd;

  constructor(end: StreamEnd) {
    this.#end = end;
  }

  begin(subscription: Subscription, channel: ByteChannel): void {
    this.#subscription = subscription;
    this.#channel = channel;
  }

  // --- The subscription's side. ---

  write(bytes: Buffer): boolean {
    return this.#channel?.write(bytes) ?? false;
  }

  expiring(expiresMs: number): void {
    this.#channel?.write(this.#end.expiring(expiresMs));
  }

  ended(reason: EndReason): void {
    // A client that does not read would not see a polite end, and what is queued for it would stay.
    if (reason === 'too_slow' || reason === 'failed') this.#channel?.destroy();
    else this.#channel?.end(this.#end.last);
  }

  // --- The connection's side. ---

  received(): void {}

  receivedEnd(): void {}

  drained(): void {
    this.#subscription?.drained();
  }

  closed(): void {
    this.#subscription?.close();
  }

  draining(): void {
    this.#subscription?.close();
    this.#channel?.end(this.#end.last);
  }
}

/**
 * Subscribes, and answers the exchange with the stream of messages. HEAD gets the head alone.
 * @throws TidegateError what `Channels.subscribe` throws; then the exchange is not answered
 */
export function openStream(exchange: HttpExchange, channels: Channels, request: StreamRequest): void {
  const { framing, headers, preamble, from, encoder, slowPolicy, protocol } = request;
  const subscriber = new StreamingSubscriber(request.end);
  const subscription = channels.subscribe({
    channels: request.channels,
    from,
    encoder,
    sink: subscriber,
    slowPolicy,
    protocol,
  });
  let channel: ByteChannel;
  try {
    channel = exchange.stream(
      200,
      { ...headers, [CURSOR_HEADER]: subscription.cursor() },
      subscriber,
      framing,
    );
  } catch (error) {
    subscription.close();
    throw error;
  }
  subscriber.begin(subscription, channel);
  if (preamble !== null) channel.write(preamble(from.kind === 'cursor' ? '' : subscription.cursor()));
}
