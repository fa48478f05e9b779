import { Buffer } from 'node:buffer';
import type { EndReason } from '../../channels/index.ts';
import { TidegateError } from '../../kernel/index.ts';
import type { ByteChannel, HttpRequest } from '../../listeners/port.ts';
import {
  type Close,
  type MessagePrefix,
  readOriginFrame,
  type TypedFrame,
  type WebSocketClose,
} from '../../wire/grip/index.ts';
import {
  CLOSE,
  encodeFrame,
  type MessageKind,
  type MessageStorage,
  PING_FRAME,
  PONG_FRAME,
} from '../../wire/websocket/index.ts';
import type { FilterScope } from '../grip/filter-requests.ts';
import type { SessionTrack } from '../grip-sessions/index.ts';
import type { SubscriptionOwner } from './channel-subscription.ts';
import { ClientEnd, type ClientOwner } from './client-end.ts';
import { applyControl, type ControlTargets, readControl } from './control-messages.ts';
import { encodeTypedFrame } from './frames.ts';
import { MetaValues } from './meta-values.ts';
import type { OriginSocket, OriginSocketOwner } from './origin-socket.ts';
import { SessionTimes } from './session-times.ts';
import type { SocketContext } from './socket-context.ts';
import type { OriginMode } from './socket-metrics.ts';
import { closeCodeOf, END_CLOSE } from './status.ts';
import { type ChannelRule, Subscriptions } from './subscriptions.ts';

export interface SessionOptions {
  readonly mode: OriginMode;
  /** The client's handshake. */
  readonly request: Pick<HttpRequest, 'remoteAddress' | 'scheme'>;
  /** What the origin calls the connection; null if it has no name for it. */
  readonly connectionId: string | null;
  /** The route's name, for the log. */
  readonly route: string;
  /** What the route says of channels. */
  readonly rule: ChannelRule;
  /** On whose behalf origins are asked for filters. */
  readonly filterScope: FilterScope;
  /** What the origin agreed on; null if it has not accepted `grip`, and all that it says is for the client. */
  readonly messagePrefix: MessagePrefix | null;
  /** The connection of the client is gone. Comes once. */
  readonly ended: () => void;
}

/**
 * One WebSocket between its client, its origin and channels, without sockets and timers: what any of them says goes in, what the others are to
 * hear goes out.
 */
export class GripSession implements ClientOwner, OriginSocketOwner, SubscriptionOwner, ControlTargets {
  readonly channelIds = new Map<string, string | null>();
  readonly subscriptionMeta: MetaValues;
  readonly #context: SocketContext;
  readonly #options: SessionOptions;
  readonly #client: ClientEnd;
  readonly times: SessionTimes;
  readonly subscriptions: Subscriptions;
  /** Null once the origin has detached, closed or failed. */
  #origin: OriginSocket | null = null;
  #isDetached = false;
  #track: SessionTrack | null = null;

  constructor(context: SocketContext, options: SessionOptions) {
    this.#context = context;
    this.#options = options;
    this.#client = new ClientEnd(this, context.receivers);
    this.times = new SessionTimes(context, this.#client, (frame) => this.#sendTyped(frame));
    this.subscriptions = new Subscriptions(context, this, options.rule);
    this.subscriptionMeta = new MetaValues(context.limits);
  }

  get connectionId(): string | null {
    return this.#options.connectionId;
  }

  /** What the client's upgraded connection belongs to. */
  get client(): ClientEnd {
    return this.#client;
  }

  /** To be called once, with both ends; the client is read from now on. */
  open(transport: ByteChannel, origin: OriginSocket): void {
    this.#origin = origin;
    const { attendance, metrics } = this.#context;
    const { mode, request, connectionId: id, route } = this.#options;
    const { remoteAddress, scheme } = request;
    const refresh = (): void => this.#origin?.refresh();
    const attendee = attendance?.arrive({ mode: 'ws', id, route, remoteAddress, scheme, refresh }) ?? null;
    this.#client.open(transport);
    metrics.opened(mode);
    this.times.open(attendee);
    this.#attempt(() => this.subscriptions.open(attendee));
  }

  // --- What the client does. ---

  get answersPings(): boolean {
    return this.#origin?.answersPings !== true;
  }

  clientHeard(): void {
    this.times.heard();
  }

  clientMessage(kind: MessageKind, data: Buffer, storage: MessageStorage): void {
    if (this.#origin !== null) this.#origin.sendMessage(kind, storage === 'owned' ? data : Buffer.from(data));
    else if (this.#isDetached) this.#context.metrics.discarded.add(1);
  }

  clientPing(payload: Buffer): void {
    this.#origin?.sendPing(Buffer.from(payload));
  }

  clientPong(payload: Buffer): void {
    if (!this.times.isOwnPong(payload)) this.#origin?.sendPong(Buffer.from(payload));
  }

  clientClosing(close: Close): void {
    const origin = this.#origin;
    this.#origin = null;
    origin?.close(close);
  }

  clientDrained(): void {
    this.#origin?.resume();
    this.#track?.settle();
    this.subscriptions.drained();
  }

  clientClosed(): void {
    const origin = this.#origin;
    this.#origin = null;
    this.times.closed();
    this.subscriptions.close();
    this.#track?.end();
    this.#context.metrics.closed(this.#options.mode);
    origin?.disconnect();
    this.#options.ended();
  }

  clientDraining(): void {
    this.#close(CLOSE.serviceRestart);
  }

  #close(code: number, reason = ''): void {
    if (this.#client.state !== 'open') return;
    this.#client.close(code, reason);
    this.subscriptions.close();
    this.times.closing();
    // The client's answer is all that is still wanted of it.
    this.#client.resume();
  }

  /** Sends frames. Returns whether the client keeps pace; if not, the origin is not to say more. */
  #send(frames: Buffer): boolean {
    this.times.sent();
    if (this.#client.send(frames)) return true;
    if (this.#client.state === 'open') this.#origin?.pause();
    return false;
  }

  // --- What the origin says. ---

  originMessage(kind: MessageKind, content: Buffer): void {
    const { messagePrefix } = this.#options;
    if (messagePrefix === null) {
      this.#sendTyped({ type: kind, content });
      return;
    }
    const frame = readOriginFrame(kind, content, messagePrefix);
    if (frame.kind === 'message') this.#sendTyped({ type: kind, content: frame.content });
    else if (frame.kind === 'control') this.#follow(frame.json);
  }

  originPing(content: Buffer): void {
    this.#send(encodeFrame(PING_FRAME, content));
  }

  originPong(content: Buffer): void {
    this.#send(encodeFrame(PONG_FRAME, content));
  }

  originClosed({ code, reason }: Close): void {
    this.#origin = null;
    this.#close(code ?? CLOSE.noStatus, reason);
  }

  originDropped(): void {
    this.#origin = null;
    this.#client.drop();
  }

  originFailed(error: TidegateError): void {
    this.#origin = null;
    const { metrics, logger } = this.#context;
    const { route } = this.#options;
    metrics.originFailures.add(1);
    logger.warn({ error, route }, 'A WebSocket ends because of its origin');
    this.#close(closeCodeOf(error), error.code);
  }

  originBusy(): void {
    if (this.#client.state === 'open') this.#client.pause();
  }

  originReady(): void {
    this.#client.resume();
  }

  #sendTyped(frame: TypedFrame): void {
    this.#send(encodeTypedFrame(frame));
  }

  // --- Control messages. ---

  #follow(json: Buffer): void {
    const message = readControl(json, this.#options.route, this.#context);
    if (message !== null) this.#attempt(() => applyControl(message, this));
  }

  #attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      // A client that was not subscribed would wait for messages that never come.
      this.#refuse(TidegateError.from(error));
    }
  }

  #refuse(error: TidegateError): void {
    const origin = this.#origin;
    this.originFailed(error);
    origin?.disconnect();
  }

  /** The origin's requests name it from now on, and it is remembered what its client has. */
  setSession(id: string | null): void {
    const { filterScope } = this.#options;
    const wasRemembered = this.remembers;
    this.#origin?.setSession(id);
    this.#track?.end();
    this.#track = id === null ? null : this.#context.sessions.track(filterScope.route.sessionScope, id);
    if (this.remembers !== wasRemembered) this.subscriptions.renew();
  }

  detach(): void {
    const origin = this.#origin;
    this.#origin = null;
    this.#isDetached = true;
    origin?.detach();
    // There is nobody any more whom the client could overwhelm.
    this.#client.resume();
  }

  // --- What channels bring. ---

  get filterScope(): FilterScope {
    return this.#options.filterScope;
  }

  get remembers(): boolean {
    return this.#track !== null;
  }

  sentUpTo(name: string, id: string): void {
    if (this.#track === null) return;
    this.#track.sent(name, id);
    if (!this.#client.isBlocked) this.#track.settle();
  }

  get isBehind(): boolean {
    return this.#client.isBlocked;
  }

  sendPublished(frames: Buffer): boolean {
    return this.#send(frames);
  }

  published(signal: WebSocketClose | 'refresh'): void {
    if (signal === 'refresh') this.#origin?.refresh();
    // A publisher that names no code means none in particular; there is no frame of a peer that it would have to be like.
    else this.#close(signal.code ?? CLOSE.normal, signal.reason);
  }

  subscriptionEnded(name: string, reason: EndReason | 'id_unknown'): void {
    this.#close(END_CLOSE[reason], END_CLOSE[reason] === END_CLOSE.gap ? `gap in ${name}` : '');
  }
}
