import { type Clock, type Limits, type Logger, type Metrics, TidegateError } from '../kernel/index.ts';
import type { FollowedLog, Log, LogReader, Topic } from '../log/index.ts';
import { Audience, type AudienceContext } from './audience.ts';
import { CatchUp } from './catch-up.ts';
import { ChannelMap } from './channel-map.ts';
import { assertSubscribable } from './channel-name.ts';
import { Dispatcher } from './dispatcher.ts';
import { FlushPace } from './flush-pace.ts';
import { FlushWriter } from './flush-writer.ts';
import { HubMetrics } from './hub-metrics.ts';
import { KeepAlive } from './keep-alive.ts';
import { Member, type MemberHost } from './member.ts';
import { MessageView } from './message.ts';
import { OnceScheduled } from './once-scheduled.ts';
import { distanceToLive } from './place.ts';
import type {
  Channels,
  EventPublisher,
  Footing,
  HubEndReason,
  PublishCallback,
  PublishedEvent,
  Receivers,
  SubscribeRequest,
  Subscription,
} from './port.ts';
import { Publisher } from './publisher.ts';
import { readsExactly, resolveSources, type Source } from './source.ts';
import { resolveControls, resolveStart } from './start-place.ts';
import { TailBudget } from './tail-budget.ts';

interface HubSettings {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly limits: Limits;
  /** Further channel prefixes that a topic stores, by topic; `setPrefixes` changes them. */
  readonly prefixes: ReadonlyMap<string, readonly string[]>;
}

/** A hub publishes to the log that it reads, if that is its own to write to. */
export type HubOptions = HubSettings &
  ({ readonly log: Log } | { readonly log: FollowedLog; readonly publisher: EventPublisher });

/** What a keyed reading may touch at once, as a share of the log's cache: more would push out what others read next. */
const INDEXED_READ_CACHE_SHARE = 4;
/** A hand-over is small if it is at most this share of a full flush. */
const SMALL_FLUSH_SHARE = 2;

/**
 * The hub of one event loop: events go in through the publisher to the log, and come out of the log to the subscribers of
 * their channels. Several hubs can share one log.
 */
export class Hub implements Channels, Receivers {
  readonly #log: LogReader;
  /** The log, if it is another process's. */
  readonly #followed: FollowedLog | null;
  readonly #limits: Limits;
  readonly #map: ChannelMap;
  readonly #publisher: EventPublisher;
  readonly #dispatcher: Dispatcher;
  readonly #pace: FlushPace;
  readonly #catchUp: CatchUp;
  readonly #keepAlive: KeepAlive;
  readonly #turnEnd: OnceScheduled;
  readonly #metrics: HubMetrics;
  readonly #context: AudienceContext;
  readonly #audiences = new Map<string, Audience>();
  readonly #members = new Set<Member>();
  readonly #behind = new Set<Member>();
  readonly #host: MemberHost;
  /** The log's topics when the audiences were last compared with them. */
  #topics: ReadonlyMap<string, Topic>;
  /** Topics whose prefixes have changed since: channels of theirs are others now. */
  readonly #renamedTopics = new Set<string>();
  #draining = false;

  constructor(options: HubOptions) {
    const { log, clock, logger, metrics, limits } = options;
    this.#log = log;
    this.#followed = 'publisher' in options ? options.log : null;
    this.#topics = log.topics;
    this.#limits = limits;
    this.#map = new ChannelMap(log, options.prefixes);
    this.#publisher =
      'publisher' in options ? options.publisher : new Publisher(options.log, this.#map, limits, metrics);
    this.#turnEnd = new OnceScheduled(
      (callback) => clock.endOfTurn(callback),
      () => this.#endTurn(),
    );
    // The log announces all that became durable together, so that what follows is one flush.
    const flush = new OnceScheduled(
      (callback) => clock.soon(callback),
      () => this.#flush(),
    );
    const failed = (error: unknown): void => logger.error({ error }, 'A delivery failed');
    this.#dispatcher = new Dispatcher(log, this.#map, {
      wake: flush.wake,
      emptied: (audience) => this.#dismissIfEmpty(audience),
      failed,
    });
    this.#pace = new FlushPace(clock, limits.flushBytesMax / SMALL_FLUSH_SHARE);
    this.#catchUp = new CatchUp(clock, limits.catchUpTurnMs);
    this.#keepAlive = new KeepAlive(
      clock,
      limits.keepAliveIntervalMs,
      { [Symbol.iterator]: () => this.#audiences.values() },
      () => this.#members.size,
    );
    this.#metrics = new HubMetrics(metrics, {
      audiences: () => this.#audiences.size,
      behind: () => this.#behind.size,
      backlog: () => this.#largestBacklog(),
    });
    this.#context = {
      log,
      logger,
      writer: new FlushWriter(limits.flushBytesMax * 2),
      spareWriters: [],
      view: new MessageView(),
      channelOf: (topic, key) => this.#map.channelOf(topic, key),
      flushBytesMax: limits.flushBytesMax,
      catchUpReadBytesMax: limits.catchUpReadBytesMax,
      indexedReadBytesMax: Math.max(
        limits.catchUpReadBytesMax,
        limits.tailCacheBytesMax / INDEXED_READ_CACHE_SHARE,
      ),
      tailBytesMax: limits.tailBytesMax,
      tailBudget: new TailBudget(limits.tailsBytesMax),
      monotonicMs: () => clock.monotonicMs(),
    };
    this.#host = {
      catchUp: (member) => {
        this.#catchUp.add(member);
        this.#turnEnd.wake();
      },
      behind: (member) => this.#behind.add(member),
      caughtUp: (member) => this.#behind.delete(member),
      left: (member, reason) => this.#left(member, reason),
      failed,
    };
  }

  /** Takes other prefixes from now on. Subscriptions that read what they move end with `topics_changed`. */
  setPrefixes(prefixes: ReadonlyMap<string, readonly string[]>): void {
    for (const topic of this.#map.setPrefixes(prefixes)) this.#renamedTopics.add(topic);
    if (this.#renamedTopics.size > 0) this.#turnEnd.wake();
  }

  publish(events: readonly PublishedEvent[], protocol: string, done: PublishCallback): void {
    this.#publisher.publish(events, protocol, done);
  }

  reach(channels: readonly string[], footing: () => Footing, ready: () => void): void {
    if (this.#followed === null || !this.#mayLack(channels, footing())) ready();
    else this.#followed.reach(ready);
  }

  subscribe(request: SubscribeRequest): Subscription {
    if (this.#draining) throw new TidegateError('draining');
    for (const channel of request.channels) assertSubscribable(channel, this.#limits);
    this.#followTopics();
    const audience = this.#audienceOf(request);
    const { sources } = audience;
    let member: Member;
    try {
      const start = resolveStart(sources, request.from, this.#log, this.#limits);
      const isTold = request.encoder.controls === 'taken';
      const controls = isTold
        ? resolveControls(sources, request.controlsFrom, this.#log, this.#limits)
        : start.place;
      member = new Member(audience, start, controls, request, this.#host);
    } catch (error) {
      this.#dismissIfEmpty(audience);
      throw error;
    }
    audience.size++;
    this.#members.add(member);
    this.#metrics.of(request.protocol).subscriptions.add(1);
    this.#catchUp.welcome(member);
    this.#turnEnd.wake();
    return member;
  }

  count(channel: string): number {
    return this.#map
      .topicsOf(channel)
      .reduce((sum, topic) => sum + this.#dispatcher.countOf(topic, channel), 0);
  }

  drain(): void {
    this.#draining = true;
    this.endAll('draining');
  }

  /** Ends every subscription. New ones may come. */
  endAll(reason: HubEndReason): void {
    for (const member of [...this.#members]) member.end(reason);
  }

  /** Stops listening to the log. Subscriptions must have been drained. */
  close(): void {
    this.#dispatcher.close();
    this.#keepAlive.close();
  }

  /** Live delivery first, so that whoever catches up can join it at its newest place. */
  #endTurn(): void {
    this.#flush();
    this.#catchUp.run();
    if (!this.#catchUp.isEmpty) this.#turnEnd.wake();
  }

  #flush(): void {
    this.#followTopics();
    if (this.#dispatcher.isIdle) return;
    if (this.#pace.isResting) this.#turnEnd.wake();
    else this.#pace.run(() => this.#dispatcher.flush());
  }

  /** Ends the subscriptions whose channels are stored in other topics than when they began: resuming finds them there. */
  #followTopics(): void {
    const { topics } = this.#log;
    if (topics === this.#topics && this.#renamedTopics.size === 0) return;
    this.#topics = topics;
    const outdated = new Set<Audience>();
    for (const audience of this.#audiences.values()) {
      const stored = audience.channels.flatMap((channel) => this.#map.topicsOf(channel));
      const renamed = audience.sources.some(({ topic }) => this.#renamedTopics.has(topic.name));
      if (renamed || !readsExactly(audience.sources, stored)) outdated.add(audience);
    }
    this.#renamedTopics.clear();
    for (const audience of outdated) this.#audiences.delete(audience.key);
    for (const member of [...this.#members]) if (outdated.has(member.audience)) member.end('topics_changed');
  }

  /** Whether what somebody was given elsewhere would not be found here: the owner may have told of it since. */
  #mayLack(channels: readonly string[], footing: Footing): boolean {
    if (footing === 'everything') return true;
    if (footing?.kind !== 'cursor' && footing?.kind !== 'offset') return false;
    try {
      for (const channel of channels) assertSubscribable(channel, this.#limits);
      return resolveStart(this.#sourcesOf(channels), footing, this.#log, this.#limits).gap !== null;
    } catch {
      // Subscribing says what is wrong with it.
      return false;
    }
  }

  #audienceOf(request: SubscribeRequest): Audience {
    const channels = [...new Set(request.channels)].sort();
    // A line feed is in no channel name.
    const key = [request.protocol, request.encoder.key, ...channels].join('\n');
    const known = this.#audiences.get(key);
    if (known !== undefined) return known;
    const sources = this.#sourcesOf(channels);
    const counters = this.#metrics.of(request.protocol);
    const audience = new Audience(key, sources, request.encoder, counters, this.#context);
    this.#audiences.set(key, audience);
    this.#dispatcher.add(audience);
    return audience;
  }

  #sourcesOf(channels: readonly string[]): readonly Source[] {
    return resolveSources(
      channels,
      this.#log,
      this.#map,
      (topic, partition) => this.#dispatcher.audiencesOf(topic).partitions[partition],
      this.#limits,
    );
  }

  #left(member: Member, reason: HubEndReason | null): void {
    const { audience } = member;
    this.#members.delete(member);
    this.#behind.delete(member);
    audience.size--;
    const metrics = this.#metrics.of(audience.protocol);
    metrics.subscriptions.add(-1);
    if (reason !== null) this.#metrics.ended(reason);
    this.#dismissIfEmpty(audience);
  }

  #dismissIfEmpty(audience: Audience): void {
    if (audience.size > 0 || audience.inRun) return;
    if (this.#audiences.get(audience.key) === audience) this.#audiences.delete(audience.key);
    audience.dismiss();
    this.#dispatcher.delete(audience);
  }

  #largestBacklog(): number {
    let largest = 0;
    for (const member of this.#behind) {
      if (member.place !== null)
        largest = Math.max(largest, distanceToLive(member.place, member.audience.sources));
    }
    return largest;
  }
}
