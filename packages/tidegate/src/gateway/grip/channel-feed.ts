import { Buffer } from 'node:buffer';
import type { Channels, EndReason, FrameEncoder, StartPosition } from '../../channels/index.ts';
import { ByteReader, EMPTY, type Limits, type Logger } from '../../kernel/index.ts';
import { type FeedSource, FeedStage, type FeedStageHost } from './feed-stage.ts';
import type { ItemFrame } from './hold-frames.ts';
import { decodeStoredItem, type StoredItem } from './stored-item.ts';

/** What feeds of all holds share. */
export interface FeedContext {
  readonly channels: Channels;
  readonly limits: Limits;
  readonly logger: Logger;
}

/** What a feed tells its hold. Whoever is handed something returns whether there is room for more; if not, `drained` is to be called once there is. */
export interface FeedHost<Frame extends ItemFrame> {
  /** Bytes that are ready to be sent. */
  write(bytes: Buffer): boolean;
  item(frame: Frame, feed: ChannelFeed<Frame>): boolean;
  signal(item: StoredItem): void;
  /** What the client has and what the channel has do not meet: the message that it had last is not among the latest. Nothing more comes. */
  missed(feed: ChannelFeed<Frame>): void;
  /** Nothing comes any more. */
  feedEnded(reason: EndReason): void;
}

export interface FeedOptions<Frame extends ItemFrame> {
  /** As the hub has it. */
  readonly channel: string;
  /** As the origin gave it. */
  readonly name: string;
  /** The id of the message that the client had last; null to begin at `from`. */
  readonly prevId: string | null;
  readonly from: StartPosition;
  /**
   * The id that the client has, of a message that may still be on its way; null if there is none. What comes before that message is the client's already. Default: null.
   */
  readonly expects?: string | null;
  /** `heardTo` of the feed of the same connection whose place it takes: what control records said before that was told. Default: there was none. */
  readonly controlsFrom?: string;
  /** Makes frames, which `readFrame` reads. */
  readonly frames: FrameEncoder;
  readonly readFrame: (reader: ByteReader) => Frame;
  /** Makes bytes that are ready to be sent, for holds that need not look at each item; null for those that do. */
  readonly bytes: FrameEncoder | null;
  readonly host: FeedHost<Frame>;
  readonly context: FeedContext;
}

/**
 * What one hold gets of one channel. A feed with a prev-id first goes through the latest messages, from the one with that id on, and then goes over to what all share;
 * nothing is lost or repeated in between. While its gate is shut it keeps what it was handed, which is a flush, and takes nothing more.
 */
export class ChannelFeed<Frame extends ItemFrame> implements FeedStageHost {
  readonly options: FeedOptions<Frame>;
  /** The id of the last message that was handed on, where messages are looked at; else the prev-id. */
  lastId: string | null;
  #stage: FeedStage | null = null;
  /** What takes the place of the stage once it has caught up. */
  #next: FeedStage | null = null;
  /** Of control records that came between the two. */
  #signals: string[] = [];
  #gate: 'open' | 'shut' = 'shut';
  #pending: Buffer = EMPTY;
  #pendingFrom: FeedStage | null = null;
  /** Where the client is if nothing more is handed on: set when the gate is shut. */
  #shutAt = '';
  /** The id that the client has of a message that has not come; what follows it, or does not say, ends this. */
  #expects: string | null;
  #isClosed = false;

  constructor(options: FeedOptions<Frame>) {
    this.options = options;
    this.#expects = options.expects ?? null;
    this.lastId = options.prevId ?? this.#expects;
  }

  /**
   * Subscribes, with the gate shut. In a process that follows the log of another, a message that the origin was told of may still be on its way: then it
   * subscribes later, and what it is refused for then is told to the host.
   * @throws TidegateError channel_invalid, channel_reserved, draining
   */
  start(): void {
    const { prevId, from, channel, context } = this.options;
    if (prevId === null) {
      const looks = this.options.bytes === null || this.#expects !== null;
      this.#begin(looks ? 'frames' : 'bytes', null, from);
      return;
    }
    const last: StartPosition = { kind: 'last', count: context.limits.gripRecoveryMessagesMax };
    let isStarting = true;
    context.channels.reach(
      [channel],
      () => 'everything',
      () => {
        if (this.#isClosed) return;
        try {
          this.#begin('frames', prevId, last);
        } catch (error) {
          if (isStarting) throw error;
          this.close();
          this.options.host.feedEnded('failed');
        }
      },
    );
    isStarting = false;
  }

  get #source(): FeedSource {
    return { ...this.options, channels: this.options.context.channels };
  }

  #begin(kind: FeedStage['kind'], looksFor: string | null, from: StartPosition): void {
    this.#stage = new FeedStage(this, this.#source, kind, looksFor, from, this.options.controlsFrom);
    this.#shutAt = this.#stage.subscription.cursor();
  }

  /** The position after what the client has; of a feed that has missed something, the one after all that was there. Empty if it has not begun. */
  get cursor(): string {
    return this.#gate === 'shut' ? this.#shutAt : ((this.#next ?? this.#stage)?.subscription.cursor() ?? '');
  }

  /** The position up to which control records were told; undefined if it has not begun. */
  get heardTo(): string | undefined {
    return this.#stage?.subscription.cursor();
  }

  /** Whether `lastId` is what the client has; else it has at least that. */
  get knowsLastId(): boolean {
    return this.#stage?.kind === 'frames';
  }

  open(): void {
    if (this.#gate === 'open' || this.#isClosed) return;
    this.#gate = 'open';
    const bytes = this.#pending;
    const stage = this.#pendingFrom;
    this.#pending = EMPTY;
    this.#pendingFrom = null;
    if (stage === null || this.#hand(stage, bytes)) this.drained();
  }

  shut(): void {
    if (this.#gate === 'shut') return;
    this.#shutAt = this.cursor;
    this.#gate = 'shut';
  }

  drained(): void {
    if (this.#gate === 'shut') return;
    this.#stage?.subscription.drained();
    this.#next?.subscription.drained();
  }

  close(): void {
    this.#isClosed = true;
    this.#pending = EMPTY;
    this.#stage?.subscription.close();
    this.#next?.subscription.close();
  }

  // --- What stages tell. ---

  written(stage: FeedStage, bytes: Buffer): boolean {
    // Its successor gets the same.
    if (stage === this.#stage && this.#next !== null) return true;
    if (this.#gate === 'open') return this.#hand(stage, bytes);
    // A stage that took the place of another adds to what that was handed; each adds one flush.
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    this.#pendingFrom = stage;
    return false;
  }

  #hand(stage: FeedStage, bytes: Buffer): boolean {
    const { host, readFrame } = this.options;
    if (stage.kind === 'bytes') return host.write(bytes);
    const reader = new ByteReader(bytes);
    let [hasRoom, isMissed] = [true, false];
    while (!reader.isAtEnd && !this.#isClosed) {
      const frame = readFrame(reader);
      if (stage.looksFor !== null) {
        stage.hasSeenAny = true;
        // What follows it does as well: the message itself may never have been, as before the first, or be kept no longer.
        const follows = frame.prevId === stage.looksFor;
        if (follows || frame.id === stage.looksFor) stage.looksFor = null;
        if (!follows) continue;
      }
      const place = isMissed ? 'unknown' : this.#placeOf(frame);
      if (place === 'unknown') {
        isMissed = true;
        // Who follows nothing is not of those of whom the origin knows where the client is.
        if (frame.prevId === null) host.item(frame, this);
        continue;
      }
      this.lastId = frame.id;
      if (place === 'had') continue;
      if (!host.item(frame, this)) hasRoom = false;
    }
    if (isMissed && !this.#isClosed) this.#miss(stage);
    return hasRoom && !isMissed;
  }

  /**
   * Whether the client has an item. Where the origin has said what the client has before that came, items that come may be part of that: until it is there, or
   * its successor is, only the origin can tell.
   */
  #placeOf({ id, prevId }: Frame): 'new' | 'had' | 'unknown' {
    const expects = this.#expects;
    if (expects === null) return 'new';
    if (id !== expects && prevId !== null && prevId !== expects) return 'unknown';
    this.#expects = null;
    // Not in the midst of being handed something.
    queueMicrotask(() => this.#goOverSoon());
    return id === expects ? 'had' : 'new';
  }

  #goOverSoon(): void {
    const stage = this.#stage;
    if (stage === null || !stage.isLive || this.#gate === 'shut' || this.#isClosed) return;
    if (this.#next === null && stage.kind === 'frames' && this.options.bytes !== null)
      this.#next = this.#newStage('bytes', stage.subscription.cursor());
  }

  #miss(stage: FeedStage): void {
    this.#shutAt = stage.subscription.cursor();
    this.#gate = 'shut';
    this.options.host.missed(this);
  }

  told(stage: FeedStage, text: string): void {
    if (stage !== this.#stage) return;
    if (this.#next === null) this.#signal(text);
    else this.#signals.push(text);
  }

  #signal(text: string): void {
    const { host, context } = this.options;
    let item: StoredItem;
    try {
      item = decodeStoredItem(text, EMPTY, context.limits);
    } catch (error) {
      context.logger.warn({ error }, 'A control record cannot be read');
      return;
    }
    host.signal(item);
  }

  caughtUp(stage: FeedStage): void {
    if (stage === this.#next) {
      this.#goOver(stage);
      return;
    }
    if (stage !== this.#stage) return;
    stage.isLive = true;
    if (stage.looksFor !== null) {
      if (stage.hasSeenAny) {
        this.#miss(stage);
        return;
      }
      // Of a channel without messages nothing can have been missed.
      this.#expects = stage.looksFor;
      stage.looksFor = null;
    }
    if (stage.kind === 'frames' && this.options.bytes !== null && this.#expects === null)
      this.#next = this.#newStage('bytes', stage.subscription.cursor());
  }

  #goOver(next: FeedStage): void {
    this.#stage?.subscription.close();
    this.#stage = next;
    this.#next = null;
    const signals = this.#signals;
    this.#signals = [];
    for (const text of signals) if (!this.#isClosed) this.#signal(text);
  }

  ended(stage: FeedStage, reason: EndReason): void {
    if (this.#isClosed || (stage !== this.#stage && stage !== this.#next)) return;
    if (reason === 'topics_changed' && stage === this.#stage && stage.looksFor === null) {
      // What it holds back was handed over before the position at which it goes on.
      this.#stage = this.#newStage(stage.kind, stage.subscription.cursor());
      if (this.#stage !== null) {
        this.#next?.subscription.close();
        this.#next = null;
        return;
      }
    }
    this.close();
    this.options.host.feedEnded(reason);
  }

  #newStage(kind: FeedStage['kind'], cursor: string): FeedStage | null {
    try {
      return new FeedStage(this, this.#source, kind, null, { kind: 'cursor', cursor }, cursor);
    } catch {
      return null;
    }
  }
}
