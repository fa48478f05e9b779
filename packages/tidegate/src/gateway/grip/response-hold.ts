import { Buffer } from 'node:buffer';
import type { EndReason } from '../../channels/index.ts';
import { EMPTY, type Expiring, TidegateError } from '../../kernel/index.ts';
import type { HttpExchange, RelayOwner } from '../../listeners/port.ts';
import type { GripInstruct } from '../../wire/grip/index.ts';
import type { Attendee } from '../grip-attendance/port.ts';
import type { SessionTrack } from '../grip-sessions/index.ts';
import { ChannelFeed, type FeedHost } from './channel-feed.ts';
import type { Asked } from './filter-requests.ts';
import type { HoldEnd } from './grip-metrics.ts';
import { type HeldResponse, publishedResponse } from './held-response.ts';
import {
  type AskedAt,
  beginning,
  filterItem,
  filterItemAsking,
  type HoldChannel,
  holdChannels,
} from './hold-channels.ts';
import type { HoldContext } from './hold-context.ts';
import { type PublishedAnswer, type ResponseFrame, readResponseFrame } from './hold-frames.ts';
import type { LinkBase } from './link-target.ts';
import { AT_ONCE, OrderedWork, type Work } from './ordered-work.ts';
import type { GripRoute } from './port.ts';
import type { StoredItem } from './stored-item.ts';

export interface ResponseHoldOptions {
  readonly exchange: HttpExchange;
  /** What the client gets at the time-out. */
  readonly held: HeldResponse;
  readonly instruct: GripInstruct;
  readonly route: GripRoute;
  readonly base: LinkBase;
  readonly context: HoldContext;
  /** Where the client was in each channel when the origin was asked again; empty for a new request. */
  readonly asked: ReadonlyMap<string, AskedAt>;
  /** Asks the origin again, on behalf of the same exchange; null if the request cannot be repeated. */
  readonly again: ((asked: ReadonlyMap<string, AskedAt>) => void) | null;
  /** Tells the origin that the client has gone. */
  readonly gone: () => void;
}

/** A response that waits for the first message. */
export class ResponseHold implements FeedHost<ResponseFrame>, Expiring, RelayOwner {
  deadlineMs: number;
  readonly #options: ResponseHoldOptions;
  readonly #feeds = new Map<ChannelFeed<ResponseFrame>, HoldChannel>();
  /** What came and is not done: the origin is asked about it, or about what came before it. */
  #work: Work = AT_ONCE;
  #session: SessionTrack | null = null;
  #attendee: Attendee | null = null;
  #isOver = false;
  #status = 0;

  constructor(options: ResponseHoldOptions) {
    this.#options = options;
    this.deadlineMs = options.context.deadlines.after(options.instruct.timeoutMs);
  }

  /** Subscribes. Errors are answered. */
  start(): void {
    const { exchange, instruct, route, base, context, asked } = this.#options;
    const { metrics, deadlines, encoders } = context;
    metrics.began('response');
    const { remoteAddress, scheme } = exchange.request;
    this.#attendee =
      context.attendance?.arrive({
        mode: 'response',
        id: null,
        route: route.name,
        remoteAddress,
        scheme,
        refresh: null,
      }) ?? null;
    deadlines.add(this);
    exchange.onAbandoned(() => this.#clientEnded());
    this.#session = context.sessions.follow(route, base.publicAuthority, instruct);
    // Whoever waits for what comes after an item has it.
    this.#session?.settle();
    try {
      const channels = holdChannels(instruct.channels, route.rule);
      if (channels.some(({ asks }) => asks)) this.#work = new OrderedWork(() => this.#drained());
      for (const channel of channels) {
        const feed = new ChannelFeed<ResponseFrame>({
          channel: channel.channel,
          name: channel.name,
          ...beginning(channel, asked.get(channel.name)),
          frames: encoders.responseFrames,
          readFrame: readResponseFrame,
          bytes: null,
          host: this,
          context,
        });
        this.#feeds.set(feed, channel);
        this.#attendee?.join(channel.channel);
        feed.start();
        feed.open();
      }
    } catch (error) {
      this.#refuse(TidegateError.from(error));
    }
  }

  // --- What feeds tell. ---

  write(): boolean {
    return false;
  }

  item(frame: ResponseFrame, feed: ChannelFeed<ResponseFrame>): boolean {
    const { answer } = frame;
    const channel = this.#feeds.get(feed);
    if (this.#isOver || channel === undefined) return false;
    if (answer === null) return true;
    const { instruct, route, base, context } = this.#options;
    const content = answer.body.kind === 'whole' ? answer.body.bytes : EMPTY;
    const channelIds = this.#channelIds();
    const take = (asked: Asked): void => {
      if (this.#isOver) return;
      this.#session?.sent(channel.name, frame.id);
      this.#take(asked, answer, frame.channel);
    };
    if (channel.asks) {
      const scope = { route, base };
      const terms = { scope, requests: context.filters, subscriptionMeta: instruct.meta, channelIds };
      this.#work.add((done) =>
        filterItemAsking(frame, content, channel, terms, (asked) => {
          take(asked);
          done();
        }),
      );
    } else {
      this.#work.do(() => take(filterItem(frame, content, channel, instruct.meta, channelIds)));
    }
    return !this.#isOver && this.#work.isIdle;
  }

  #take(filtered: Asked, answer: PublishedAnswer, channel: string): void {
    const { held, context } = this.#options;
    if (typeof filtered === 'string') {
      context.metrics.filtered(filtered);
      this.#session?.settle();
      return;
    }
    let response: HeldResponse;
    try {
      response = publishedResponse(held, withContent(answer, filtered), context.limits);
    } catch (error) {
      // A patch of something else than what is held: only the origin knows what the client should have.
      context.logger.info({ error, channel }, 'What was published does not fit a held response');
      this.#again('failed');
      return;
    }
    this.#session?.settle();
    this.#answer(response, 'answered');
  }

  #drained(): void {
    for (const feed of this.#feeds.keys()) if (!this.#isOver) feed.drained();
  }

  #channelIds(): ReadonlyMap<string, string | null> {
    return new Map([...this.#feeds].map(([feed, { name }]) => [name, feed.lastId]));
  }

  signal({ formats }: StoredItem): void {
    const action = formats.httpResponse?.action;
    if (action === 'hint') this.#work.do(() => this.#again('closed'));
    else if (action === 'close') this.#work.do(() => this.#answer(this.#options.held, 'closed'));
  }

  missed(): void {
    this.#options.context.metrics.missed.add(1);
    this.#work.do(() => this.#again('failed'));
  }

  feedEnded(reason: EndReason): void {
    if (reason === 'gap') this.#work.do(() => this.#again('failed'));
    else this.#answer(this.#options.held, reason === 'draining' ? 'draining' : 'failed');
  }

  // --- Ends. ---

  expired(): void {
    this.#answer(this.#options.held, 'timed_out');
  }

  /** The client is gone, or has ended its side only, and then it still gets its answer. */
  #clientEnded(): void {
    if (this.#isOver) return;
    this.#options.gone();
    this.#answer(this.#options.held, 'client_left');
  }

  #again(otherwise: HoldEnd): void {
    if (this.#isOver) return;
    const { again, held } = this.#options;
    if (again === null) {
      this.#answer(held, otherwise);
      return;
    }
    const asked = new Map<string, AskedAt>();
    for (const [feed, { name }] of this.#feeds) asked.set(name, { id: feed.lastId, cursor: feed.cursor });
    this.#leave('origin');
    again(asked);
  }

  #answer({ status, reason, fields, body }: HeldResponse, end: HoldEnd): void {
    if (this.#isOver) return;
    this.#leave(end);
    this.#status = status;
    // With a 304, a length would say how long the body of a 200 is (RFC 9110, section 8.6), which nobody knows here.
    const bodyBytes = status === 304 ? null : body.length;
    const relayed = this.#options.exchange.relay({ status, reason, fields, bodyBytes }, this);
    relayed.write(Buffer.from(body.buffer, body.byteOffset, body.length));
    relayed.end();
  }

  #refuse(error: TidegateError): void {
    const { exchange, route, held } = this.#options;
    if (error.code === 'draining') {
      this.#answer(held, 'draining');
      return;
    }
    this.#leave('failed');
    exchange.fail(
      error.entry.blame === 'client' ? new TidegateError('grip_instruct_invalid', error.message) : error,
    );
    route.ended(null);
  }

  #leave(end: HoldEnd): void {
    const { context } = this.#options;
    this.#isOver = true;
    context.deadlines.delete(this);
    context.metrics.ended('response', end);
    this.#work.close();
    this.#session?.end();
    this.#attendee?.leave();
    for (const feed of this.#feeds.keys()) feed.close();
  }

  // --- What the response tells. ---

  drained(): void {}

  receivedEnd(): void {}

  closed(): void {
    this.#options.route.ended(this.#status);
  }
}

function withContent(answer: PublishedAnswer, content: Uint8Array): PublishedAnswer {
  if (answer.body.kind !== 'whole' || content === answer.body.bytes) return answer;
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
  return { ...answer, body: { kind: 'whole', bytes } };
}
