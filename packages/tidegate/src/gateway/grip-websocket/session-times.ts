import { Buffer } from 'node:buffer';
import type { TypedFrame, WebSocketKeepAlive } from '../../wire/grip/index.ts';
import { encodeFrame, PING_FRAME } from '../../wire/websocket/index.ts';
import type { Attendee } from '../grip-attendance/port.ts';
import { Alarms } from './alarms.ts';
import type { ClientEnd } from './client-end.ts';
import { DelayedFrames } from './delayed-frames.ts';
import type { SocketContext } from './socket-context.ts';

type AlarmName = 'keep_alive' | 'delayed' | 'liveness' | 'closing';

/** Tells the answers to our own pings from those to the origin's. */
const LIVENESS_PAYLOAD = Buffer.from('tidegate', 'latin1');
const LIVENESS_PING = encodeFrame(PING_FRAME, LIVENESS_PAYLOAD);

/** All that one WebSocket does at some time: keep-alives and delayed frames of its origin, and looking after a client that says nothing. */
export class SessionTimes {
  readonly #context: SocketContext;
  readonly #client: ClientEnd;
  readonly #send: (frame: TypedFrame) => void;
  readonly #alarms: Alarms<AlarmName>;
  readonly #delayed: DelayedFrames;
  #keepAlive: WebSocketKeepAlive | null = null;
  #attendee: Attendee | null = null;
  /** On the monotonic clock; kept only while there is a keep-alive. */
  #lastSentMs = 0;
  #isHeard = false;
  #isAsked = false;

  constructor(context: SocketContext, client: ClientEnd, send: (frame: TypedFrame) => void) {
    this.#context = context;
    this.#client = client;
    this.#send = send;
    this.#alarms = new Alarms(context.deadlines, (name) => this.#ring(name));
    this.#delayed = new DelayedFrames(context.clock, context.limits.gripSocketDelayedMax);
  }

  /**
   * The WebSocket is open.
   * @param attendee is told of keep-alives; null if nobody wants to know
   */
  open(attendee: Attendee | null): void {
    this.#attendee = attendee;
    this.#alarms.set('liveness', this.#context.limits.keepAliveIntervalMs);
  }

  /** A close frame was sent: the client has some time to answer. */
  closing(): void {
    this.#alarms.clearAll();
    this.#alarms.set('closing', this.#context.limits.webSocketCloseTimeoutMs);
  }

  closed(): void {
    this.#alarms.clearAll();
  }

  /** Something was sent to the client. */
  sent(): void {
    if (this.#keepAlive !== null) this.#lastSentMs = this.#context.clock.monotonicMs();
  }

  /** The client gave a sign of life. */
  heard(): void {
    this.#isHeard = true;
  }

  /** Whether a pong answers a ping of `SessionTimes` itself. */
  isOwnPong(payload: Buffer): boolean {
    return payload.equals(LIVENESS_PAYLOAD);
  }

  /** Null turns the keep-alive off. */
  keepAlive(keepAlive: WebSocketKeepAlive | null): void {
    this.#keepAlive = keepAlive;
    this.#lastSentMs = this.#context.clock.monotonicMs();
    if (keepAlive === null) this.#alarms.clear('keep_alive');
    else this.#alarms.set('keep_alive', keepAlive.intervalMs);
  }

  delay(frame: TypedFrame, delayMs: number): void {
    this.#sendDelayed(this.#delayed.add(frame, delayMs));
  }

  flushDelayed(): void {
    this.#sendDelayed(this.#delayed.takeAll());
  }

  #sendDelayed(frames: readonly TypedFrame[]): void {
    for (const frame of frames) this.#send(frame);
    const { nextMs } = this.#delayed;
    if (nextMs === null) this.#alarms.clear('delayed');
    else this.#alarms.set('delayed', nextMs);
  }

  #ring(name: AlarmName): void {
    switch (name) {
      case 'keep_alive':
        this.#keepAliveDue();
        break;
      case 'delayed':
        this.#sendDelayed(this.#delayed.takeDue());
        break;
      case 'liveness':
        this.#checkLiveness();
        break;
      case 'closing':
        this.#client.drop();
        break;
    }
  }

  #keepAliveDue(): void {
    const keepAlive = this.#keepAlive;
    if (keepAlive === null) return;
    const silentMs = this.#context.clock.monotonicMs() - this.#lastSentMs;
    if (keepAlive.mode === 'idle' && silentMs < keepAlive.intervalMs) {
      this.#alarms.set('keep_alive', keepAlive.intervalMs - silentMs);
      return;
    }
    this.#alarms.set('keep_alive', keepAlive.intervalMs);
    // What waits for a slow client keeps it as alive as one frame more.
    if (this.#client.isBlocked) return;
    this.#send(keepAlive.frame);
    this.#attendee?.active();
  }

  #checkLiveness(): void {
    const { limits } = this.#context;
    // While its frames wait for the origin, it is we who do not listen.
    if (this.#isHeard || this.#client.isPaused) {
      this.#isHeard = false;
      this.#isAsked = false;
      this.#alarms.set('liveness', limits.keepAliveIntervalMs);
    } else if (this.#isAsked) {
      this.#client.drop();
    } else {
      this.#isAsked = true;
      this.#alarms.set('liveness', limits.webSocketPongTimeoutMs);
      if (!this.#client.isBlocked) this.#client.send(LIVENESS_PING);
    }
  }
}
