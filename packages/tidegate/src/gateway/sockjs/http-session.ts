import { Buffer } from 'node:buffer';
import type { Expiring } from '../../kernel/index.ts';
import { closeFrame, HEARTBEAT, messagesFrame, OPEN, quoteMessage } from '../../wire/sockjs/index.ts';
import { CLOSE } from '../../wire/websocket/index.ts';
import type { SockJsContext } from './context.ts';
import { OriginClient, type OriginClientOwner, type Refusal } from './origin-client.ts';
import type { ReceivingAnswer, Room } from './receiving-answer.ts';

/** What the protocol says to whoever asks a second time while the first request waits. */
const ANOTHER_OPEN = closeFrame(2010, 'Another connection still open');
const INTERRUPTED = closeFrame(1002, 'Connection interrupted');
const RESTARTING = closeFrame(CLOSE.serviceRestart, 'Service restart');

/** The origin is being asked; both sides are there; one has left, which the client is told for a while. */
type State = 'opening' | 'open' | 'closed';

/** What became of messages of the client. */
export type Sent = 'taken' | 'busy' | 'unknown_session';

/**
 * A session whose client hears of it by requests, one at a time, with pauses between them. Messages wait meanwhile, up to a limit; past it the origin
 * is not listened to.
 */
export class HttpSession implements OriginClientOwner, Expiring {
  deadlineMs: number;
  readonly #context: SockJsContext;
  readonly #ended: () => void;
  readonly #client: OriginClient;
  #state: State = 'opening';
  #receiver: ReceivingAnswer | null = null;
  /** The receiver takes more later. */
  #isSlow = false;
  #messages: string[] = [];
  #messageBytes = 0;
  /** What the client is told once it has all messages. */
  #close = '';
  #sending: ((sent: Sent) => void) | null = null;

  /** @param ended the session is forgotten: whoever names it begins another one. Comes once */
  constructor(context: SockJsContext, ended: () => void) {
    this.#context = context;
    this.#ended = ended;
    this.#client = new OriginClient(context, this);
    this.deadlineMs = Number.POSITIVE_INFINITY;
    context.deadlines.add(this);
    context.metrics.opened('http');
  }

  /** What is to be led to the origin. */
  get client(): OriginClient {
    return this.#client;
  }

  // --- What the client does. ---

  /** A request that waits for what there is to tell. */
  receive(receiver: ReceivingAnswer): void {
    if (this.#receiver !== null) {
      receiver.sendLast(ANOTHER_OPEN);
      return;
    }
    this.#receiver = receiver;
    this.#isSlow = false;
    receiver.heardBy({ drained: () => this.#drained(receiver), left: () => this.#left(receiver) });
    if (this.#state === 'opening') return;
    this.#expect(this.#context.limits.sockJsHeartbeatIntervalMs);
    receiver.begin();
    this.#flush();
  }

  /** @param done once the origin has taken them */
  send(messages: readonly string[], done: (sent: Sent) => void): void {
    if (this.#state !== 'open') {
      done('unknown_session');
      return;
    }
    if (this.#sending !== null) {
      done('busy');
      return;
    }
    this.#sending = done;
    for (const message of messages) this.#client.send(message);
    if (!this.#client.isBusy) this.taken();
  }

  #left(receiver: ReceivingAnswer): void {
    if (this.#receiver !== receiver) return;
    this.#receiver = null;
    if (this.#state === 'opening') {
      this.#end();
      this.#client.drop();
      return;
    }
    if (this.#state === 'closed') {
      this.#expectReceiver();
      return;
    }
    // What was on its way may be lost, so that the session cannot go on.
    this.#context.metrics.interrupted.add(1);
    this.#forgetMessages();
    this.#finish(INTERRUPTED);
    this.#client.close(CLOSE.noStatus);
  }

  #drained(receiver: ReceivingAnswer): void {
    if (this.#receiver !== receiver) return;
    this.#isSlow = false;
    this.#flush();
  }

  // --- What the origin does. ---

  get hasRoom(): boolean {
    return this.#messageBytes < this.#context.limits.sockJsQueuedBytesMax;
  }

  opened(): void {
    this.#state = 'open';
    this.#expect(this.#context.limits.sockJsHeartbeatIntervalMs);
    this.#say(OPEN);
    this.#flush();
  }

  refused(refusal: Refusal): void {
    const receiver = this.#receiver;
    this.#receiver = null;
    this.#end();
    receiver?.refuse(refusal);
  }

  message(text: string): void {
    const quoted = quoteMessage(text);
    this.#messages.push(quoted);
    this.#messageBytes += Buffer.byteLength(quoted);
    this.#flush();
  }

  closed(code: number, reason: string): void {
    this.#finish(closeFrame(code, reason));
  }

  taken(): void {
    this.#settle('taken');
  }

  #settle(sent: Sent): void {
    const sending = this.#sending;
    this.#sending = null;
    sending?.(sent);
  }

  // --- The server. ---

  /** The server is shutting down. */
  drain(): void {
    if (this.#state === 'closed') return;
    const wasOpening = this.#state === 'opening';
    this.#finish(RESTARTING);
    if (wasOpening) this.#client.drop();
    else this.#client.close(CLOSE.goingAway);
  }

  /** The time is over of a request that has heard nothing, or of a client that has not asked. */
  expired(): void {
    if (this.#receiver !== null) {
      this.#expect(this.#context.limits.sockJsHeartbeatIntervalMs);
      // What waits for a slow client keeps it as alive as one frame more.
      if (!this.#isSlow) this.#say(HEARTBEAT);
      return;
    }
    if (this.#state === 'open') this.#context.metrics.timedOut.add(1);
    this.#end();
    this.#client.drop();
  }

  // --- Frames. ---

  #flush(): void {
    if (this.#messages.length > 0) {
      if (this.#receiver === null || this.#isSlow || this.#state === 'opening') return;
      const frame = messagesFrame(this.#messages);
      this.#forgetMessages();
      this.#say(frame);
      this.#client.drained();
    }
    if (this.#state !== 'closed' || this.#messages.length > 0) return;
    const receiver = this.#receiver;
    this.#receiver = null;
    receiver?.sendLast(this.#close);
    this.#expectReceiver();
  }

  #say(frame: string): void {
    const room: Room = this.#receiver?.send(frame) ?? 'more';
    this.#isSlow = room === 'later';
    if (room !== 'answered') return;
    this.#receiver = null;
    this.#expectReceiver();
  }

  #forgetMessages(): void {
    this.#messages = [];
    this.#messageBytes = 0;
  }

  // --- The end. ---

  /** Nothing comes from the origin any more; what there is, is told to whoever asks, and then how it ended. */
  #finish(close: string): void {
    this.#state = 'closed';
    this.#close = close;
    this.#settle('unknown_session');
    this.#flush();
    if (this.#receiver === null) this.#expectReceiver();
  }

  #expectReceiver(): void {
    this.#expect(this.#context.limits.sockJsDisconnectTimeoutMs);
  }

  #expect(delayMs: number): void {
    this.deadlineMs = this.#context.deadlines.after(delayMs);
  }

  #end(): void {
    this.#state = 'closed';
    this.#context.deadlines.delete(this);
    this.#context.metrics.closed('http');
    this.#settle('unknown_session');
    this.#ended();
  }
}
