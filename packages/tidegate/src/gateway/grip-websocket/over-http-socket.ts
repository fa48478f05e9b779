import type { Buffer } from 'node:buffer';
import { TidegateError } from '../../kernel/index.ts';
import { type Close, encodeWebSocketEvents, type WebSocketEvent } from '../../wire/grip/index.ts';
import type { MessageKind } from '../../wire/websocket/index.ts';
import type { GripRoute } from '../grip/port.ts';
import { Alarms } from './alarms.ts';
import { EventQueue } from './event-queue.ts';
import { assertEvents, assertOpens, hasEvents, type ReadAnswer, readAnswer } from './events-answer.ts';
import type { EventsAnswer, EventsOutcome, Opening } from './events-request.ts';
import { MetaValues } from './meta-values.ts';
import { type OriginSocket, type OriginSocketOwner, tellFrame } from './origin-socket.ts';
import type { OverHttpRequests } from './over-http-request.ts';
import { RequestLine } from './request-line.ts';
import type { SocketContext } from './socket-context.ts';

/** Asking for the first time; between two who are there; the last events are on their way; nothing is asked any more. */
type State = 'opening' | 'open' | 'leaving' | 'over';

/**
 * An origin that speaks WebSocket-over-HTTP. Each request carries the events that came since the one before; only one is under way, so that
 * their order is kept, however many instances answer. All that is known of the connection is here, and nothing in the origin.
 */
export class OverHttpSocket implements OriginSocket {
  readonly answersPings = false;
  readonly #context: SocketContext;
  readonly #requests: OverHttpRequests;
  readonly #line: RequestLine;
  readonly #opened: (opening: Opening) => void;
  readonly #alarms: Alarms<'interval'>;
  readonly #queue = new EventQueue();
  readonly #meta: MetaValues;
  #owner: OriginSocketOwner | null = null;
  #state: State = 'opening';
  /** A request is to be made even without events. */
  #isWanted = false;
  /** The origin has accepted nothing, and waits for more. */
  #isWaiting = false;
  #isPaused = false;
  #isBusy = false;
  #intervalMs: number | null = null;
  /** What the first answer said after OPEN. */
  #firstEvents: WebSocketEvent[] = [];

  /** @param opened comes once */
  constructor(
    context: SocketContext,
    route: GripRoute,
    requests: OverHttpRequests,
    opened: (opening: Opening) => void,
  ) {
    this.#context = context;
    this.#requests = requests;
    this.#line = new RequestLine(context, route, (outcome) => this.#answered(outcome));
    this.#opened = opened;
    this.#meta = new MetaValues(context.limits);
    this.#alarms = new Alarms(context.deadlines, () => this.refresh());
  }

  /** Asks the origin whether it takes the WebSocket. */
  begin(): void {
    this.#queue.push({ type: 'OPEN' });
    this.#next();
  }

  /** Somebody hears the origin from now on, beginning with what it said when it accepted. */
  open(owner: OriginSocketOwner): void {
    this.#owner = owner;
    this.#tell(this.#firstEvents.splice(0));
    this.#next();
  }

  /** The client has gone while the origin was being asked. */
  cancel(): void {
    // An origin that is being asked may accept: it then learns that the client is gone. One that was not reached is not asked again.
    if (this.#state === 'opening' && this.#line.isPausing) this.#finish();
  }

  // --- What the client does. ---

  sendMessage(kind: MessageKind, content: Buffer): void {
    this.#add({ type: kind === 'text' ? 'TEXT' : 'BINARY', content });
  }

  sendPing(content: Buffer): void {
    this.#add({ type: 'PING', content });
  }

  sendPong(content: Buffer): void {
    this.#add({ type: 'PONG', content });
  }

  close(close: Close): void {
    this.#leave({ type: 'CLOSE', ...close });
  }

  disconnect(): void {
    this.#leave({ type: 'DISCONNECT' });
  }

  detach(): void {
    this.#finish();
  }

  refresh(): void {
    this.#isWanted = true;
    this.#next();
  }

  setSession(id: string | null): void {
    this.#requests.sessionId = id;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#next();
  }

  #add(event: WebSocketEvent): void {
    if (this.#state !== 'open') return;
    this.#queue.push(event);
    this.#isWaiting = false;
    this.#next();
    this.#checkRoom();
  }

  #leave(event: WebSocketEvent): void {
    if (this.#state === 'over' || this.#state === 'leaving') return;
    this.#state = 'leaving';
    this.#owner = null;
    this.#alarms.clear('interval');
    this.#isWaiting = false;
    this.#queue.push(event);
    this.#next();
  }

  /** Reads the client only as long as there is room. */
  #checkRoom(): void {
    const isFull = this.#queue.bytes >= this.#context.limits.gripSocketQueuedBytesMax;
    if (isFull === this.#isBusy) return;
    this.#isBusy = isFull;
    if (isFull) this.#owner?.originBusy();
    else this.#owner?.originReady();
  }

  // --- Requests. ---

  #next(): void {
    if (this.#state === 'over' || this.#line.isBusy) return;
    // A client that does not read is not to be told more.
    if (this.#isPaused && this.#state === 'open') return;
    if (!this.#isWanted && (this.#queue.isEmpty || this.#isWaiting)) return;
    this.#isWanted = false;
    this.#alarms.clear('interval');
    const body = encodeWebSocketEvents(this.#queue.send());
    const request = this.#requests.next(body.length, this.#meta, this.#queue.seenBytes);
    this.#line.ask(request, body);
  }

  #answered(outcome: EventsOutcome): void {
    if (this.#state === 'over') return;
    if (outcome.kind === 'failure') this.#fail(outcome.error);
    else if (this.#state === 'opening') this.#accept(outcome.answer);
    else if (this.#state === 'open') this.#take(outcome.answer);
    else this.#takeLast(outcome.answer);
  }

  // --- Answers. ---

  #accept(answer: EventsAnswer): void {
    if (!hasEvents(answer)) {
      this.#finish();
      this.#opened({ kind: 'rejected', answer });
      return;
    }
    try {
      const read = readAnswer(answer, this.#context.limits);
      assertOpens(read);
      this.#store(read);
      this.#firstEvents = read.events.slice(1);
    } catch (error) {
      this.#fail(TidegateError.from(error));
      return;
    }
    this.#queue.accepted(null);
    this.#state = 'open';
    this.#expectInterval();
    this.#opened({ kind: 'accepted', fields: answer.head.fields });
  }

  #take(answer: EventsAnswer): void {
    let read: ReadAnswer;
    try {
      assertEvents(answer);
      read = readAnswer(answer, this.#context.limits);
      this.#store(read);
      this.#settle(read.acceptedBytes);
    } catch (error) {
      this.#fail(TidegateError.from(error));
      return;
    }
    this.#expectInterval();
    this.#tell(read.events);
    this.#checkRoom();
    this.#next();
  }

  /** Nobody is there any more whom an answer could be for; but something of what was sent may not have been accepted. */
  #takeLast(answer: EventsAnswer): void {
    try {
      assertEvents(answer);
      const before = this.#queue.count;
      const left = this.#queue.accepted(readAnswer(answer, this.#context.limits).acceptedBytes);
      // One that accepts nothing of all that there is would not do so the next time either.
      if (this.#queue.isEmpty || left === before) this.#finish();
      else this.#next();
    } catch {
      this.#finish();
    }
  }

  #store({ meta, intervalMs }: ReadAnswer): void {
    for (const [name, value] of meta) this.#meta.put(name, value);
    if (intervalMs !== undefined) this.#intervalMs = intervalMs;
  }

  /** Lets go of what was accepted. An origin that accepts nothing is asked again when there is more, or when its interval is over. */
  #settle(acceptedBytes: number | null): void {
    const before = this.#queue.count;
    const left = this.#queue.accepted(acceptedBytes);
    this.#isWaiting = left > 0 && left === before;
    if (this.#isWaiting && this.#isBusy) {
      throw new TidegateError(
        'grip_instruct_invalid',
        'The origin accepts nothing, and there is no room for more.',
      );
    }
  }

  #expectInterval(): void {
    if (this.#intervalMs === null) this.#alarms.clear('interval');
    else this.#alarms.set('interval', this.#intervalMs);
  }

  #tell(events: readonly WebSocketEvent[]): void {
    const owner = this.#owner;
    for (const event of events) {
      // What an event says may be the end; not so if it detaches the origin, which may go on to the end of its answer.
      if (owner === null || this.#state === 'leaving') return;
      switch (event.type) {
        case 'CLOSE':
          this.#finish();
          owner.originClosed({ code: event.code, reason: event.reason });
          return;
        case 'DISCONNECT':
          this.#finish();
          owner.originDropped();
          return;
        case 'OPEN':
          this.#fail(new TidegateError('grip_instruct_invalid', 'The origin opens what is open.'));
          return;
        default:
          tellFrame(event, owner);
      }
    }
  }

  // --- The end. ---

  #fail(error: TidegateError): void {
    const owner = this.#owner;
    switch (this.#state) {
      case 'opening':
        this.#finish();
        this.#opened({ kind: 'failed', error });
        break;
      case 'open':
        // What it was sent may have had an effect: it is told once that the client is gone, if it can be.
        this.#queue.clear();
        this.#line.stopRetrying();
        this.disconnect();
        owner?.originFailed(error);
        break;
      default:
        this.#finish();
    }
  }

  #finish(): void {
    this.#state = 'over';
    this.#owner = null;
    this.#alarms.clearAll();
    this.#queue.clear();
    this.#line.close();
  }
}
