import type { Buffer } from 'node:buffer';
import type { EndReason } from '../../channels/index.ts';
import type { HttpExchange, StreamFraming } from '../../listeners/port.ts';
import type { GripInstruct } from '../../wire/grip/index.ts';
import { framingFor } from '../../wire/http1/index.ts';
import type { Attendee } from '../grip-attendance/port.ts';
import { type PresentUser, presentUser } from '../grip-presence/present-user.ts';
import type { SessionTrack } from '../grip-sessions/index.ts';
import { ChannelFeed, type FeedHost, type FeedOptions } from './channel-feed.ts';
import type { Asked, FilterScope } from './filter-requests.ts';
import { fieldOf, type HeldHead } from './held-response.ts';
import {
  type AskedAt,
  beginning,
  filterItem,
  filterItemAsking,
  type HoldChannel,
  holdChannels,
} from './hold-channels.ts';
import type { HoldContext } from './hold-context.ts';
import { readStreamFrame, type StreamFrame } from './hold-frames.ts';
import type { LinkBase } from './link-target.ts';
import { AT_ONCE, OrderedWork, type Work } from './ordered-work.ts';
import type { GripRoute } from './port.ts';
import type { PlainFraming } from './rendered-item.ts';
import type { StoredItem } from './stored-item.ts';
import type { StreamOutput } from './stream-output.ts';

/** What the channels of a stream tell it. */
export interface StreamChannelsHost {
  /** A message is being sent. */
  active(): void;
  signal(item: StoredItem): void;
  /** The client has missed more than the channel remembers. */
  missed(): void;
  feedEnded(reason: EndReason): void;
  /** Nothing waits for the origin any more to decide whether it is for the client. */
  settled(): void;
}

export interface StreamChannelsOptions {
  readonly exchange: HttpExchange;
  readonly head: HeldHead;
  readonly route: GripRoute;
  readonly base: LinkBase;
  readonly context: HoldContext;
}

/** The channels of one stream: what they bring comes to it filtered, and only while they are open. */
export class StreamChannels implements FeedHost<StreamFrame> {
  readonly #scope: FilterScope;
  readonly #context: HoldContext;
  readonly #host: StreamChannelsHost;
  readonly #framing: StreamFraming;
  readonly #plain: PlainFraming;
  readonly #attendee: Attendee | null;
  #feeds = new Map<ChannelFeed<StreamFrame>, HoldChannel>();
  #meta: ReadonlyMap<string, string> = new Map();
  #session: SessionTrack | null = null;
  /** Null for nobody in particular. */
  #present: PresentUser | null = null;
  /** What came and is not done: the origin is asked about it, or about what came before it. */
  #work: Work = AT_ONCE;
  #state: 'shut' | 'open' | 'closed' = 'shut';
  #output: StreamOutput | null = null;

  constructor({ exchange, head, route, base, context }: StreamChannelsOptions, host: StreamChannelsHost) {
    this.#scope = { route, base };
    this.#context = context;
    this.#host = host;
    this.#framing = framingFor(exchange.request.minorVersion);
    this.#plain = /^text\/event-stream\b/i.test(fieldOf(head.fields, 'content-type') ?? '') ? 'sse' : 'raw';
    const { remoteAddress, scheme } = exchange.request;
    this.#attendee =
      context.attendance?.arrive({
        mode: 'stream',
        id: null,
        route: route.name,
        remoteAddress,
        scheme,
        refresh: null,
      }) ?? null;
  }

  #newWork(): OrderedWork {
    return new OrderedWork(() => {
      this.drained();
      this.#host.settled();
    });
  }

  /** Whether everything that came is done. */
  get isIdle(): boolean {
    return this.#work.isIdle;
  }

  /**
   * Leaves the channels that there are, and subscribes to those of an instruction, shut.
   * @throws TidegateError what a channel is refused for
   */
  subscribe(instruct: GripInstruct, asked: ReadonlyMap<string, AskedAt>): void {
    const earlier = this.#feeds;
    for (const feed of earlier.keys()) feed.close();
    this.#feeds = new Map();
    this.#meta = instruct.meta;
    this.#followSession(instruct);
    if (instruct.hold === 'stream') this.#follow(instruct.channels, asked, earlier.keys());
    this.#beThere();
    // Last: of a channel that goes on, nobody is to hear that it had no subscriber for a moment.
    for (const { channel } of earlier.values()) this.#attendee?.part(channel);
  }

  #follow(
    channels: GripInstruct['channels'],
    asked: ReadonlyMap<string, AskedAt>,
    earlier: Iterable<ChannelFeed<StreamFrame>>,
  ): void {
    const { encoders } = this.#context;
    const heardTo = new Map<string, string | undefined>();
    for (const { options, heardTo: cursor } of earlier) heardTo.set(options.name, cursor);
    const wanted = holdChannels(channels, this.#scope.route.rule);
    // Nothing waits here any more: what came before was settled before the origin was asked.
    this.#work = wanted.some(({ asks }) => asks) ? this.#newWork() : AT_ONCE;
    // Filters of one channel may ask for the ids of the others.
    const looks = this.#session !== null || wanted.some(({ filters, asks }) => filters.length > 0 || asks);
    const bytes = looks ? null : encoders.stream(this.#framing, this.#plain);
    try {
      for (const channel of wanted) {
        const feed = new ChannelFeed<StreamFrame>({
          channel: channel.channel,
          name: channel.name,
          ...beginning(channel, asked.get(channel.name)),
          frames: encoders.streamFrames(this.#plain),
          readFrame: readStreamFrame,
          bytes: channel.filterNames.length > 0 ? null : bytes,
          host: this,
          context: this.#context,
          ...controlsFrom(heardTo.get(channel.name)),
        });
        this.#feeds.set(feed, channel);
        this.#attendee?.join(channel.channel);
        feed.start();
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Is present in its channels, if the origin says who it is. */
  #beThere(): void {
    if (this.#state === 'closed') return;
    const { present, random } = this.#context;
    this.#present = presentUser(this.#meta, this.#present, { present, random, client: null });
    this.#present?.follow([...this.#feeds.values()].map(({ channel }) => channel));
  }

  /** A session goes on until another takes its place. */
  #followSession(instruct: GripInstruct): void {
    const { route, base } = this.#scope;
    const session = this.#context.sessions.follow(route, base.publicAuthority, instruct);
    if (session === null) return;
    this.#session?.end();
    this.#session = session;
  }

  /** What they bring is sent from now on. */
  open(output: StreamOutput): void {
    if (this.#state === 'closed') return;
    this.#state = 'open';
    this.#output = output;
    if (output.hasRoom) this.#session?.settle();
    // What one brings may shut or close them all.
    for (const feed of this.#feeds.keys()) if ((this.#state as string) === 'open') feed.open();
  }

  /** Returns the feeds, whose places do not change any more. */
  shut(): readonly ChannelFeed<StreamFrame>[] {
    if (this.#state === 'open') this.#state = 'shut';
    const feeds = [...this.#feeds.keys()];
    for (const feed of feeds) feed.shut();
    return feeds;
  }

  keepAlive(output: StreamOutput, bytes: Uint8Array): void {
    output.send(bytes);
    this.#attendee?.active();
  }

  drained(): void {
    if (this.#output?.hasRoom !== true) return;
    this.#session?.settle();
    if (!this.#work.isIdle) return;
    for (const feed of this.#feeds.keys()) feed.drained();
  }

  close(): void {
    if (this.#state !== 'closed') this.#session?.end();
    this.#state = 'closed';
    this.#work.close();
    this.#attendee?.leave();
    this.#present?.leave();
    for (const feed of this.#feeds.keys()) feed.close();
  }

  // --- What feeds tell. ---

  write(bytes: Buffer): boolean {
    if (this.#state !== 'open' || this.#output === null) return false;
    this.#host.active();
    return this.#output.sendFramed(bytes);
  }

  item(frame: StreamFrame, feed: ChannelFeed<StreamFrame>): boolean {
    const output = this.#output;
    const channel = this.#feeds.get(feed);
    if (this.#state !== 'open' || output === null || channel === undefined) return false;
    const { content } = frame;
    if (content === null) return output.hasRoom && this.#work.isIdle;
    const ids = this.#ids();
    if (channel.asks) {
      const terms = {
        scope: this.#scope,
        requests: this.#context.filters,
        subscriptionMeta: this.#meta,
        channelIds: ids,
      };
      this.#work.add((done) =>
        filterItemAsking(frame, content, channel, terms, (asked) => {
          this.#send(asked, output, channel.name, frame.id);
          done();
        }),
      );
    } else {
      this.#work.do(() => {
        this.#send(filterItem(frame, content, channel, this.#meta, ids), output, channel.name, frame.id);
      });
    }
    return output.hasRoom && this.#work.isIdle;
  }

  #send(asked: Asked, output: StreamOutput, name: string, id: string): void {
    if (typeof asked === 'string') {
      this.#context.metrics.filtered(asked);
    } else {
      this.#host.active();
      output.send(asked);
    }
    if (this.#session === null) return;
    this.#session.sent(name, id);
    if (output.hasRoom) this.#session.settle();
  }

  #ids(): ReadonlyMap<string, string | null> {
    return new Map([...this.#feeds].map(([feed, { name }]) => [name, feed.lastId]));
  }

  signal(item: StoredItem): void {
    this.#work.do(() => this.#host.signal(item));
  }

  missed(): void {
    this.#work.do(() => this.#host.missed());
  }

  feedEnded(reason: EndReason): void {
    // Whoever is to go soon does not wait for anybody.
    if (reason === 'draining') this.#host.feedEnded(reason);
    else this.#work.do(() => this.#host.feedEnded(reason));
  }
}

/** A channel that the stream had before is told what was not told yet. */
function controlsFrom(cursor: string | undefined): Pick<FeedOptions<StreamFrame>, 'controlsFrom'> {
  return cursor === undefined ? {} : { controlsFrom: cursor };
}
