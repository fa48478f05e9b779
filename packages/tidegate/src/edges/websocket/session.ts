import type { Buffer } from 'node:buffer';
import type {
  Channels,
  EndReason,
  PublishedEvent,
  PublishReceipt,
  Sink,
  Subscription,
} from '../../channels/index.ts';
import { type Limits, type Liveness, TidegateError, type Watched } from '../../kernel/index.ts';
import type { ByteChannel, ByteChannelOwner } from '../../listeners/port.ts';
import {
  CLOSE_REASON_BYTES_MAX,
  encodeFrame,
  type MessageKind,
  type MessageStorage,
  PING_FRAME,
  type ReceiverPool,
  WebSocketConnection,
} from '../../wire/websocket/index.ts';
import { encodeError, encodeExpiring } from './codec.ts';
import { eventOfFrame } from './event-of-frame.ts';
import { closeCodeOf, END_CLOSE } from './status.ts';

/** How a client learns what is no message, such as that one of its own could not be published: in a frame, or by the end of the connection. */
export type ErrorForm = 'frame' | 'close';

/** What all sessions of one kind share. */
export interface SessionContext {
  readonly limits: Limits;
  readonly liveness: Liveness;
  readonly receivers: ReceiverPool;
  readonly errorForm: ErrorForm;
}

const PING = encodeFrame(PING_FRAME);

/** No ping waits for an answer. */
const NOTHING_ASKED = -1;

/** Why the client is not read: its publishes wait for the log, or it does not read what it is told about them. */
const PAUSED_PUBLISHES = 1;
const PAUSED_OUTPUT = 2;

/**
 * One client on one channel: what the channel brings goes out as frames, what the client sends is published. Without sockets
 * and timers. An idle one holds only what is below.
 */
export class WebSocketSession extends WebSocketConnection implements ByteChannelOwner, Sink, Watched {
  slot = 0;
  readonly #context: SessionContext;
  readonly #channel: string;
  readonly #channels: Channels;
  #transport: ByteChannel | null = null;
  #subscription: Subscription | null = null;
  /** The tick of the first ping since the client was last heard of. */
  #askedTick = NOTHING_ASKED;
  /** Messages of the client that the log has not answered yet. */
  #publishesPending = 0;
  #publishBytesPending = 0;
  /** The messages of the bytes that are being read. */
  #batch: PublishedEvent[] | null = null;
  #pauses = 0;
  /** A message was refused, and the connection closes for it: what follows is not published, as it would be out of order. */
  #refused = false;

  /** @param channels the channels as the client may use them */
  constructor(channel: string, channels: Channels, context: SessionContext) {
    super(context.receivers);
    this.#channel = channel;
    this.#channels = channels;
    this.#context = context;
  }

  /** To be called once, with the connection and the subscription that the session stands between. */
  open(transport: ByteChannel, subscription: Subscription): void {
    this.attach(transport);
    this.#transport = transport;
    this.#subscription = subscription;
    this.#context.liveness.add(this);
  }

  // --- The subscription's side. ---

  write(bytes: Buffer): boolean {
    return this.send(bytes);
  }

  /** Among bare messages nothing can be told: the close code is all that such a client gets. */
  expiring(expiresMs: number): void {
    if (this.#context.errorForm === 'frame') this.send(encodeExpiring(expiresMs));
  }

  ended(reason: EndReason): void {
    // Where a gap is, is told in the reason, from where the client can go on; a cursor that does not fit would be of no use cut.
    const cursor = reason === 'gap' ? (this.#subscription?.cursor() ?? '') : '';
    this.close(END_CLOSE[reason], cursor.length <= CLOSE_REASON_BYTES_MAX ? cursor : '');
  }

  // --- The connection's side. ---

  received(slice: Buffer): void {
    this.#askedTick = NOTHING_ASKED;
    this.receive(slice);
    this.#publish();
  }

  receivedEnd(): void {
    this.receiveEnd();
  }

  drained(): void {
    // A peer that takes bytes is alive, even if its answers are queued behind them.
    this.#askedTick = NOTHING_ASKED;
    this.transportDrained();
    this.#resume(PAUSED_OUTPUT);
    if (!this.isBlocked) this.#subscription?.drained();
  }

  closed(): void {
    this.transportClosed();
    this.#subscription?.close();
    this.#context.liveness.delete(this);
  }

  draining(): void {
    this.close(END_CLOSE.draining);
  }

  override close(code: number, reason = ''): void {
    if (this.state !== 'open') return;
    super.close(code, reason);
    this.#subscription?.close();
    this.#context.liveness.closing(this);
  }

  // --- Messages from the client. ---

  override message(data: Buffer, kind: MessageKind, storage: MessageStorage): void {
    if (this.#refused) return;
    this.#batch ??= [];
    this.#batch.push(eventOfFrame(this.#channel, data, kind, storage));
  }

  #publish(): void {
    const batch = this.#batch;
    if (batch === null) return;
    this.#batch = null;
    let bytes = 0;
    for (const event of batch) bytes += event.data?.length ?? 0;
    this.#publishesPending += batch.length;
    this.#publishBytesPending += bytes;
    this.#channels.publish(batch, 'websocket', (outcomes) => this.#published(outcomes, bytes));
    if (this.#hasManyPending()) this.#pause(PAUSED_PUBLISHES);
  }

  #published(outcomes: readonly (PublishReceipt | TidegateError)[], bytes: number): void {
    this.#publishesPending -= outcomes.length;
    this.#publishBytesPending -= bytes;
    for (const outcome of outcomes) {
      if (outcome instanceof TidegateError) this.#tell(outcome);
    }
    if (!this.#hasManyPending()) this.#resume(PAUSED_PUBLISHES);
  }

  #hasManyPending(): boolean {
    const { webSocketPublishesPendingMax, webSocketPublishBytesPendingMax } = this.#context.limits;
    return (
      this.#publishesPending >= webSocketPublishesPendingMax ||
      this.#publishBytesPending >= webSocketPublishBytesPendingMax
    );
  }

  #tell(error: TidegateError): void {
    if (this.#context.errorForm === 'frame') {
      if (!this.send(encodeError(error)) && this.state === 'open') this.#pause(PAUSED_OUTPUT);
    } else {
      this.#refused = true;
      this.close(
        closeCodeOf(error.code),
        error.detail === '' ? error.code : `${error.code}: ${error.detail}`,
      );
    }
  }

  #pause(reason: number): void {
    if (this.#pauses === 0) this.#transport?.pause();
    this.#pauses |= reason;
  }

  #resume(reason: number): void {
    if (this.#pauses === 0) return;
    this.#pauses &= ~reason;
    if (this.#pauses === 0) this.#transport?.resume();
  }

  // --- Signs of life. ---

  visited(tick: number): void {
    // While its publishes wait for the log, it is we who do not listen.
    if (this.state !== 'open' || (this.#pauses & PAUSED_PUBLISHES) !== 0) return;
    const { liveness, limits } = this.#context;
    if (this.#askedTick === NOTHING_ASKED) this.#askedTick = tick;
    else if ((tick - this.#askedTick) * liveness.tickMs >= limits.webSocketPongTimeoutMs) {
      this.drop();
      return;
    }
    // What is queued for a slow reader keeps the connection as alive as a ping would.
    if (!this.isBlocked) this.send(PING);
  }

  closeTimedOut(): void {
    this.drop();
  }
}
