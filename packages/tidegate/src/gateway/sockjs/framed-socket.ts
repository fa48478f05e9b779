import { Buffer } from 'node:buffer';
import { type Expiring, TidegateError } from '../../kernel/index.ts';
import type { HttpExchange, ResponseHeaders } from '../../listeners/port.ts';
import type { Close } from '../../wire/grip/index.ts';
import {
  closeFrame,
  HEARTBEAT,
  messagesFrame,
  OPEN,
  parseMessages,
  quoteMessage,
} from '../../wire/sockjs/index.ts';
import {
  acceptHandshake,
  CLOSE,
  encodeFrame,
  isCloseCode,
  type MessageKind,
  PING_FRAME,
  type ReceiverPool,
  TEXT_FRAME,
} from '../../wire/websocket/index.ts';
import { ClientEnd, type ClientOwner } from '../grip-websocket/client-end.ts';
import type { SockJsContext } from './context.ts';
import { OriginClient, type OriginClientOwner, type Refusal } from './origin-client.ts';

const PING = encodeFrame(PING_FRAME);

/** A session on a WebSocket, in which SockJS has frames of its own. It lasts as long as the WebSocket does. */
export class FramedSocket implements ClientOwner, OriginClientOwner, Expiring {
  readonly answersPings = true;
  deadlineMs = Number.POSITIVE_INFINITY;
  readonly #context: SockJsContext;
  readonly #exchange: HttpExchange;
  readonly #origin: OriginClient;
  readonly #client: ClientEnd;
  #isOpen = false;
  #isHeard = true;
  /** Either side has sent its close frame. */
  #isClosing = false;
  #isOver = false;

  constructor(exchange: HttpExchange, context: SockJsContext, receivers: ReceiverPool) {
    this.#context = context;
    this.#exchange = exchange;
    this.#client = new ClientEnd(this, receivers);
    this.#origin = new OriginClient(context, this);
    exchange.onAbandoned(() => {
      if (!this.#isOpen) this.#end();
    });
  }

  /** What is to be led to the origin. */
  get origin(): OriginClient {
    return this.#origin;
  }

  // --- What the origin does. ---

  get hasRoom(): boolean {
    return !this.#client.isBlocked;
  }

  opened(headers: ResponseHeaders): void {
    const { deadlines, limits, metrics } = this.#context;
    try {
      const chosen = headers['sec-websocket-protocol'];
      const subprotocols = typeof chosen === 'string' ? [chosen] : [];
      const handshake = acceptHandshake(this.#exchange.request, { subprotocols, compression: 'none' });
      this.#client.open(this.#exchange.upgrade(handshake.headers, this.#client));
    } catch (error) {
      this.#exchange.fail(TidegateError.from(error));
      this.#end();
      return;
    }
    this.#isOpen = true;
    metrics.opened('websocket');
    this.deadlineMs = deadlines.after(limits.sockJsHeartbeatIntervalMs);
    deadlines.add(this);
    this.#say(OPEN);
  }

  refused({ status, fields, body }: Refusal): void {
    const relayed = this.#exchange.relay({ status, reason: '', fields, bodyBytes: body.length }, NOBODY);
    if (body.length > 0) relayed.write(body);
    relayed.end();
    this.#end();
  }

  message(text: string): void {
    this.#say(messagesFrame([quoteMessage(text)]));
  }

  closed(code: number, reason: string): void {
    this.#say(closeFrame(code, reason));
    this.#close(code, reason);
  }

  taken(): void {
    this.#client.resume();
  }

  #say(frame: string): void {
    this.#client.send(encodeFrame(TEXT_FRAME, Buffer.from(frame, 'utf8')));
  }

  #close(code: number, reason: string): void {
    const { deadlines, limits } = this.#context;
    this.#isClosing = true;
    this.#client.close(isCloseCode(code) ? code : CLOSE.normal, reason);
    this.#client.resume();
    this.deadlineMs = deadlines.after(limits.webSocketCloseTimeoutMs);
  }

  // --- What the client does. ---

  clientHeard(): void {
    this.#isHeard = true;
  }

  clientMessage(_kind: MessageKind, data: Buffer): void {
    // The protocol: empty frames are passed over.
    if (data.length === 0) return;
    const messages = parseMessages(data.toString('utf8'));
    if (typeof messages === 'string') {
      // The protocol: the connection is dropped at once.
      this.#client.drop();
      return;
    }
    for (const message of messages) this.#origin.send(message);
    // Then nothing more is read until the origin has it.
    if (this.#origin.isStopped) this.#client.pause();
  }

  // Pings are between the client and the gateway.
  clientPing(): void {}

  clientPong(): void {}

  clientClosing({ code, reason }: Close): void {
    this.#isClosing = true;
    this.#origin.close(code ?? CLOSE.noStatus, reason);
  }

  clientDrained(): void {
    this.#origin.drained();
  }

  clientClosed(): void {
    this.#context.deadlines.delete(this);
    this.#context.metrics.closed('websocket');
    this.#end();
  }

  clientDraining(): void {
    this.#origin.close(CLOSE.goingAway);
    this.closed(CLOSE.serviceRestart, 'Service restart');
  }

  // --- Times. ---

  expired(): void {
    const { deadlines, limits } = this.#context;
    if (this.#client.state !== 'open' || !this.#isHeard) {
      this.#client.drop();
      return;
    }
    // A ping has the client answer, which a heartbeat of SockJS does not.
    this.#isHeard = false;
    this.deadlineMs = deadlines.after(limits.sockJsHeartbeatIntervalMs);
    if (this.#client.isBlocked) return;
    this.#say(HEARTBEAT);
    this.#client.send(PING);
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    // An origin that has been said goodbye to has some time to answer.
    if (!this.#isClosing) this.#origin.drop();
  }
}

/** The answer is complete: nobody has to hear what becomes of it. */
const NOBODY = { drained() {}, receivedEnd() {}, closed() {} };
