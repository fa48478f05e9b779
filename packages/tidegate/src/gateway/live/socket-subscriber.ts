import type { Buffer } from 'node:buffer';
import { type Limits, TidegateError, type Watched } from '../../kernel/index.ts';
import type { ByteChannelOwner, HttpExchange, ResponseHeaders } from '../../listeners/index.ts';
import {
  CLOSE,
  encodeFrame,
  PING_FRAME,
  type ReceiverPool,
  WebSocketConnection,
} from '../../wire/websocket/index.ts';
import { answerFailure, type Failure } from './failure.ts';
import type { LiveResource } from './live-resource.ts';
import type { SubscriberContext } from './sse-subscriber.ts';
import type { Place, Subscriber } from './subscriber.ts';
import { NO_VERSION } from './version-ring.ts';

/** What all subscribers over WebSocket share. */
export interface SocketContext extends SubscriberContext {
  readonly limits: Limits;
  readonly receivers: ReceiverPool;
}

const PING = encodeFrame(PING_FRAME);

/** No ping waits for an answer. */
const NOTHING_ASKED = -1;

/** Somebody who follows a value over a WebSocket. What it sends is read past: there is nothing that it could say. */
export class SocketSubscriber
  extends WebSocketConnection
  implements Subscriber, Place, ByteChannelOwner, Watched
{
  slot = 0;
  version = NO_VERSION;
  told: Failure | null = null;
  readonly #resource: LiveResource;
  readonly #context: SocketContext;
  readonly #from: string;
  readonly #headers: ResponseHeaders;
  /** Until it is answered. */
  #exchange: HttpExchange | null;
  /** The tick of the first ping since the client was last heard of. */
  #askedTick = NOTHING_ASKED;

  /**
   * @param from the id of the version that the client has; empty for none
   * @param headers the answer to the handshake, which is valid
   */
  constructor(
    exchange: HttpExchange,
    resource: LiveResource,
    from: string,
    headers: ResponseHeaders,
    context: SocketContext,
  ) {
    super(context.receivers);
    this.#exchange = exchange;
    this.#resource = resource;
    this.#from = from;
    this.#headers = headers;
    this.#context = context;
  }

  /** To be called once. */
  begin(): void {
    this.#exchange?.onAbandoned(() => this.#abandoned());
    this.#resource.enter(this);
  }

  #abandoned(): void {
    this.#resource.leave(this);
    this.#exchange?.fail(new TidegateError('upstream_timeout', 'The client did not wait for the origin.'));
    this.#exchange = null;
  }

  // --- The resource's side. ---

  ready(): void {
    const exchange = this.#exchange;
    const { refusal } = this.#resource;
    this.#exchange = null;
    if (exchange === null) return;
    // RFC 6455, section 4.1: what is not 101 is handled as an HTTP response, so that the origin's own can be given.
    if (refusal !== null) {
      answerFailure(exchange, refusal);
      return;
    }
    this.attach(exchange.upgrade(this.#headers, this));
    this.version = this.#resource.placeOf(this.#from);
    this.#context.metrics.subscribers.websocket++;
    this.#context.liveness.add(this);
    this.#resource.follow(this);
    this.changed();
  }

  changed(): void {
    if (this.isBlocked || this.state !== 'open') return;
    const news = this.#resource.news('websocket', this);
    if (news.length > 0) this.send(news);
  }

  draining(): void {
    this.close(CLOSE.serviceRestart);
  }

  // --- The connection's side. ---

  override message(): void {}

  received(slice: Buffer): void {
    this.#askedTick = NOTHING_ASKED;
    this.receive(slice);
  }

  receivedEnd(): void {
    this.receiveEnd();
  }

  drained(): void {
    // A peer that takes bytes is alive, even if its answers are queued behind them.
    this.#askedTick = NOTHING_ASKED;
    this.transportDrained();
    this.changed();
  }

  closed(): void {
    this.transportClosed();
    this.#context.metrics.subscribers.websocket--;
    this.#context.liveness.delete(this);
    this.#resource.leave(this);
  }

  override close(code: number, reason = ''): void {
    if (this.state !== 'open') return;
    super.close(code, reason);
    this.#resource.leave(this);
    this.#context.liveness.closing(this);
  }

  // --- Signs of life. ---

  visited(tick: number): void {
    if (this.state !== 'open') return;
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
