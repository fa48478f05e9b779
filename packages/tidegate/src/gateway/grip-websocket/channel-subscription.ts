import type { Buffer } from 'node:buffer';
import type { EndReason, StartPosition } from '../../channels/index.ts';
import { ByteWriter } from '../../kernel/index.ts';
import {
  asksOrigin,
  type ContentFilters,
  filterSteps,
  type GripChannel,
  suitsFilters,
  type WebSocketClose,
  type WebSocketMessageType,
} from '../../wire/grip/index.ts';
import { writeFrame } from '../../wire/websocket/index.ts';
import { ChannelFeed, type FeedHost } from '../grip/channel-feed.ts';
import type { Asked, FilterScope } from '../grip/filter-requests.ts';
import { runFilters } from '../grip/filter-run.ts';
import { AT_ONCE, OrderedWork, type Work } from '../grip/ordered-work.ts';
import type { StoredItem } from '../grip/stored-item.ts';
import { readSocketFrame, type SocketFrame } from './encoders.ts';
import { FIRST_BYTE } from './frames.ts';
import { socketSignalOf } from './rendering.ts';
import type { SocketContext } from './socket-context.ts';

/** The connection that a subscription is for. */
export interface SubscriptionOwner {
  /** What the origin calls the channels of the connection, with the id up to which the client has everything, where that is known. */
  readonly channelIds: Map<string, string | null>;
  /** Whether it is remembered what the client has. */
  readonly remembers: boolean;
  /** The client was sent everything of a channel up to this id. */
  sentUpTo(name: string, id: string): void;
  /** On whose behalf origins are asked for filters. */
  readonly filterScope: FilterScope;
  /** What filters know of the connection. */
  readonly subscriptionMeta: ReadonlyMap<string, string>;
  /** The client does not keep pace. */
  readonly isBehind: boolean;
  /** Sends frames. Returns whether the client keeps pace. */
  sendPublished(frames: Buffer): boolean;
  /** Somebody has published that the connection is to be closed, or that the origin is to be asked. */
  published(signal: WebSocketClose | 'refresh'): void;
  /** The subscription has ended, and with it what the client may rely on. */
  subscriptionEnded(name: string, reason: EndReason | 'id_unknown'): void;
}

/** Where a subscription begins: behind the message with this id, or at this position. */
export interface Beginning {
  readonly prevId: string | null;
  readonly from: StartPosition;
  /** See `FeedOptions.controlsFrom`. */
  readonly controlsFrom?: string;
  /** Of the subscription whose place it takes, which comes first. */
  readonly work?: Work;
}

/** What belongs to a message or a ping beside its content. */
interface About {
  readonly type: WebSocketMessageType;
  readonly contentFilters: ContentFilters;
  readonly meta: ReadonlyMap<string, string>;
}

/** One channel of one WebSocket. */
export class ChannelSubscription implements FeedHost<SocketFrame> {
  readonly #context: SocketContext;
  readonly #owner: SubscriptionOwner;
  readonly #name: string;
  readonly #filterNames: readonly string[];
  readonly #steps: ReturnType<typeof filterSteps>;
  /** What came and is not done: the origin is asked about it, or about what came before it. */
  #work: Work = AT_ONCE;
  readonly #feed: ChannelFeed<SocketFrame>;
  #isClosed = false;

  /**
   * @param channel as the origin names it; `prefix` stands before the name of the hub's channel
   * @throws TidegateError channel_invalid, channel_reserved, position_invalid, subscription_too_wide
   */
  constructor(
    context: SocketContext,
    owner: SubscriptionOwner,
    { name, filters }: GripChannel,
    prefix: string,
    { work, ...beginning }: Beginning,
  ) {
    this.#context = context;
    this.#owner = owner;
    this.#name = name;
    this.#filterNames = filters;
    this.#steps = filterSteps(filters);
    this.#feed = new ChannelFeed({
      channel: prefix + name,
      name,
      ...beginning,
      frames: context.itemEncoder,
      readFrame: readSocketFrame,
      // Without filters, and if nobody wants to know what it is, all clients get the same bytes.
      bytes: filters.length === 0 && !owner.remembers ? context.frameEncoder : null,
      host: this,
      context,
    });
    if (asksOrigin(filters) || (work !== undefined && !work.isIdle)) {
      const ordered = work instanceof OrderedWork ? work : new OrderedWork();
      ordered.idle = () => this.#feed.drained();
      this.#work = ordered;
    }
    if (beginning.prevId !== null) context.metrics.resumes.add(1);
    this.#start(beginning);
  }

  #start({ prevId, from }: Beginning): void {
    if (prevId !== null || from.kind === 'latest') {
      this.#begin();
      return;
    }
    let isStarting = true;
    // A position that another process has given out may be ahead of what this one has heard.
    this.#context.channels.reach(
      [this.#feed.options.channel],
      () => from,
      () => {
        if (this.#isClosed) return;
        try {
          this.#begin();
        } catch (error) {
          if (isStarting) throw error;
          this.#owner.subscriptionEnded(this.#name, 'failed');
        }
      },
    );
    isStarting = false;
  }

  #begin(): void {
    this.#feed.start();
    this.#feed.open();
  }

  /** Whether it filters in the same way. */
  hasFilters(names: readonly string[]): boolean {
    return (
      names.length === this.#filterNames.length && names.every((name, i) => name === this.#filterNames[i])
    );
  }

  /** Closes it, and returns where another subscription goes on. */
  handOver(): Beginning {
    const place = this.#place;
    const work = this.#work;
    this.#work = AT_ONCE;
    this.close();
    return { ...place, work };
  }

  get #place(): Omit<Beginning, 'work'> {
    const { lastId, options, cursor, knowsLastId, heardTo } = this.#feed;
    // It has not begun.
    if (cursor === '') return { prevId: options.prevId, from: options.from };
    // Nothing was handed on since: the message that the client has may still be looked for.
    const prevId = knowsLastId && lastId === options.prevId ? lastId : null;
    const from = { kind: 'cursor', cursor } as const;
    return heardTo === undefined ? { prevId, from } : { prevId, from, controlsFrom: heardTo };
  }

  drained(): void {
    if (this.#work.isIdle) this.#feed.drained();
  }

  close(): void {
    this.#isClosed = true;
    this.#work.close();
    this.#feed.close();
  }

  // --- What the channel brings. ---

  write(bytes: Buffer): boolean {
    // Messages that are nothing on a WebSocket leave no bytes.
    return bytes.length === 0 || this.#owner.sendPublished(bytes);
  }

  item(frame: SocketFrame): boolean {
    this.#owner.channelIds.set(this.#name, frame.id);
    const hasRoom = frame.content === null || this.#send(frame, frame.content);
    this.#work.do(() => this.#owner.sentUpTo(this.#name, frame.id));
    return hasRoom && this.#work.isIdle;
  }

  /** Pings have no place to wait in: for a client that does not keep pace, they would pile up. */
  signal(item: StoredItem): void {
    const signal = socketSignalOf(item);
    if (signal === null) return;
    if (signal.kind !== 'frame') {
      this.#work.do(() => this.#owner.published(signal.kind === 'close' ? signal.close : 'refresh'));
    } else if (this.#owner.isBehind) {
      this.#context.metrics.pingsSkipped.add(1);
    } else {
      this.#send({ ...signal.message, meta: signal.meta }, signal.message.content);
    }
  }

  #send({ type, contentFilters, meta }: About, content: Uint8Array): boolean {
    const { metrics } = this.#context;
    if (!suitsFilters(contentFilters, this.#filterNames)) {
      metrics.notMeant.add(1);
      return true;
    }
    const { subscriptionMeta, channelIds, filterScope } = this.#owner;
    const asks = asksOrigin(this.#filterNames);
    const context = {
      // They may be others by the time that the origin has answered.
      subscriptionMeta: asks ? new Map(subscriptionMeta) : subscriptionMeta,
      publicationMeta: meta,
      channelIds: asks ? new Map(channelIds) : channelIds,
    };
    const terms = { steps: this.#steps, context, scope: filterScope, requests: this.#context.filters };
    let hasRoom = true;
    this.#work.add((done) =>
      runFilters(content, terms, (asked) => {
        hasRoom = this.#deliver(type, asked);
        done();
      }),
    );
    return hasRoom && this.#work.isIdle;
  }

  #deliver(type: WebSocketMessageType, filtered: Asked): boolean {
    const { unresolved, filterFailures } = this.#context.metrics;
    if (filtered === 'unresolved') unresolved.add(1);
    else if (filtered === 'failed') filterFailures.add(1);
    if (typeof filtered === 'string') return true;
    const frame = new ByteWriter(filtered.length + 10);
    writeFrame(frame, FIRST_BYTE[type], filtered);
    return this.#owner.sendPublished(frame.take());
  }

  missed(): void {
    this.#context.metrics.resumeGaps.add(1);
    this.#work.do(() => this.#owner.subscriptionEnded(this.#name, 'id_unknown'));
  }

  feedEnded(reason: EndReason): void {
    this.#work.do(() => this.#owner.subscriptionEnded(this.#name, reason));
  }
}
