import type { Buffer } from 'node:buffer';
import type { EndReason } from '../../channels/index.ts';
import type { HttpExchange, StreamFraming } from '../../listeners/port.ts';
import { type GripInstruct, messageFilters } from '../../wire/grip/index.ts';
import { framingFor } from '../../wire/http1/index.ts';
import type { Attendee } from '../grip-attendance/port.ts';
import { ChannelFeed, type FeedHost, type FeedOptions } from './channel-feed.ts';
import { fieldOf, type HeldHead } from './held-response.ts';
import { type AskedAt, beginning, filterItem, type HoldChannel, holdChannels } from './hold-channels.ts';
import type { HoldContext } from './hold-context.ts';
import { readStreamFrame, type StreamFrame } from './hold-frames.ts';
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
}

export interface StreamChannelsOptions {
  readonly exchange: HttpExchange;
  readonly head: HeldHead;
  readonly route: GripRoute;
  readonly context: HoldContext;
}

/** The channels of one stream: what they bring comes to it filtered, and only while they are open. */
export class StreamChannels implements FeedHost<StreamFrame> {
  readonly #route: GripRoute;
  readonly #context: HoldContext;
  readonly #host: StreamChannelsHost;
  readonly #framing: StreamFraming;
  readonly #plain: PlainFraming;
  readonly #attendee: Attendee | null;
  #feeds = new Map<ChannelFeed<StreamFrame>, HoldChannel>();
  #meta: ReadonlyMap<string, string> = new Map();
  #state: 'shut' | 'open' | 'closed' = 'shut';
  #output: StreamOutput | null = null;

  constructor({ exchange, head, route, context }: StreamChannelsOptions, host: StreamChannelsHost) {
    this.#route = route;
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

  /**
   * Leaves the channels that there are, and subscribes to those of an instruction, shut.
   * @throws TidegateError what a channel is refused for
   */
  subscribe({ hold, channels, meta }: GripInstruct, asked: ReadonlyMap<string, AskedAt>): void {
    const earlier = this.#feeds;
    for (const feed of earlier.keys()) feed.close();
    this.#feeds = new Map();
    this.#meta = meta;
    if (hold === 'stream') this.#follow(channels, asked, earlier.keys());
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
    const wanted = holdChannels(channels, this.#route.rule);
    // Filters of one channel may ask for the ids of the others.
    const looks = wanted.some(({ filterNames }) => messageFilters(filterNames).length > 0);
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

  /** What they bring is sent from now on. */
  open(output: StreamOutput): void {
    if (this.#state === 'closed') return;
    this.#state = 'open';
    this.#output = output;
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
    for (const feed of this.#feeds.keys()) feed.drained();
  }

  close(): void {
    this.#state = 'closed';
    this.#attendee?.leave();
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
    if (frame.content === null) return output.hasRoom;
    const filtered = filterItem(frame, frame.content, channel, this.#meta, this.#ids());
    if (typeof filtered === 'string') {
      this.#context.metrics.filtered(filtered);
      return output.hasRoom;
    }
    this.#host.active();
    return output.send(filtered);
  }

  #ids(): ReadonlyMap<string, string | null> {
    return new Map([...this.#feeds].map(([feed, { name }]) => [name, feed.lastId]));
  }

  signal(item: StoredItem): void {
    this.#host.signal(item);
  }

  missed(): void {
    this.#host.missed();
  }

  feedEnded(reason: EndReason): void {
    this.#host.feedEnded(reason);
  }
}

/** A channel that the stream had before is told what was not told yet. */
function controlsFrom(cursor: string | undefined): Pick<FeedOptions<StreamFrame>, 'controlsFrom'> {
  return cursor === undefined ? {} : { controlsFrom: cursor };
}
