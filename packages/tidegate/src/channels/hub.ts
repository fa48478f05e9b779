import { type Clock, type Limits, type Metrics, TidegateError } from '../kernel/index.ts';
import type { Log } from '../log/index.ts';
import { Audience, type AudienceContext } from './audience.ts';
import { CatchUp } from './catch-up.ts';
import { ChannelMap } from './channel-map.ts';
import { assertSubscribable } from './channel-name.ts';
import { Dispatcher } from './dispatcher.ts';
import { HubMetrics } from './hub-metrics.ts';
import { KeepAlive } from './keep-alive.ts';
import { Member, type MemberHost } from './member.ts';
import { MessageView } from './message.ts';
import { OnceScheduled } from './once-scheduled.ts';
import { distanceToLive } from './place.ts';
import type {
  Channels,
  EndReason,
  PublishCallback,
  PublishedEvent,
  SubscribeRequest,
  Subscription,
} from './port.ts';
import { Publisher } from './publisher.ts';
import { resolveSources } from './source.ts';
import { resolveStart } from './start-place.ts';

export interface HubOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly limits: Limits;
  /** Further channel prefixes that a topic stores, by topic. */
  readonly prefixes: ReadonlyMap<string, readonly string[]>;
}

/** What a keyed reading may touch at once, as a share of the log's cache: more would push out what others read next. */
const INDEXED_READ_CACHE_SHARE = 4;

/**
 * The hub of one event loop: events go in through the publisher to the log, and come out of the log to the subscribers of
 * their channels. Several hubs can share one log.
 */
export class Hub implements Channels {
  readonly #log: Log;
  readonly #limits: Limits;
  readonly #map: ChannelMap;
  readonly #publisher: Publisher;
  readonly #dispatcher: Dispatcher;
  readonly #catchUp: CatchUp;
  readonly #keepAlive: KeepAlive;
  readonly #turnEnd: OnceScheduled;
  readonly #metrics: HubMetrics;
  readonly #context: AudienceContext;
  readonly #audiences = new Map<string, Audience>();
  readonly #members = new Set<Member>();
  readonly #behind = new Set<Member>();
  readonly #host: MemberHost;
  #draining = false;

  constructor(options: HubOptions) {
    const { log, clock, metrics, limits } = options;
    this.#log = log;
    this.#limits = limits;
    this.#map = new ChannelMap(log, options.prefixes);
    this.#publisher = new Publisher(log, this.#map, limits, metrics);
    this.#turnEnd = new OnceScheduled(
      (callback) => clock.endOfTurn(callback),
      () => this.#endTurn(),
    );
    // The log announces all that became durable together, so that what follows is one flush.
    const flush = new OnceScheduled(
      (callback) => clock.soon(callback),
      () => this.#dispatcher.flush(),
    );
    this.#dispatcher = new Dispatcher(log, this.#map, flush.wake);
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
      view: new MessageView(),
      channelOf: (topic, key) => this.#map.channelOf(topic, key),
      flushBytesMax: limits.flushBytesMax,
      catchUpReadBytesMax: limits.catchUpReadBytesMax,
      indexedReadBytesMax: Math.max(
        limits.catchUpReadBytesMax,
        limits.tailCacheBytesMax / INDEXED_READ_CACHE_SHARE,
      ),
      tailBytesMax: limits.tailBytesMax,
      tailBudget: { used: 0, max: limits.tailsBytesMax },
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
    };
  }

  publish(events: readonly PublishedEvent[], protocol: string, done: PublishCallback): void {
    this.#publisher.publish(events, protocol, done);
  }

  subscribe(request: SubscribeRequest): Subscription {
    if (this.#draining) throw new TidegateError('draining');
    for (const channel of request.channels) assertSubscribable(channel, this.#limits);
    const audience = this.#audienceOf(request);
    let start: ReturnType<typeof resolveStart>;
    try {
      start = resolveStart(audience.sources, request.from, this.#log, this.#limits);
    } catch (error) {
      this.#dismissIfEmpty(audience);
      throw error;
    }
    const member = new Member(audience, start.place, start.gap, request, this.#host);
    audience.size++;
    this.#members.add(member);
    this.#metrics.of(request.protocol).subscriptions.add(1);
    this.#host.catchUp(member);
    return member;
  }

  drain(): void {
    this.#draining = true;
    for (const member of [...this.#members]) member.end('draining');
  }

  /** Stops listening to the log. Subscriptions must have been drained. */
  close(): void {
    this.#dispatcher.close();
    this.#keepAlive.close();
  }

  /** Live delivery first, so that whoever catches up can join it at its newest place. */
  #endTurn(): void {
    this.#dispatcher.flush();
    this.#catchUp.run();
    if (!this.#catchUp.isEmpty) this.#turnEnd.wake();
  }

  #audienceOf(request: SubscribeRequest): Audience {
    const channels = [...new Set(request.channels)].sort();
    // A line feed is in no channel name.
    const key = [request.protocol, request.encoder.key, ...channels].join('\n');
    const known = this.#audiences.get(key);
    if (known !== undefined) return known;
    const sources = resolveSources(
      channels,
      this.#log,
      this.#map,
      (topic, partition) => this.#dispatcher.audiencesOf(topic).partitions[partition],
      this.#limits,
    );
    const counters = this.#metrics.of(request.protocol);
    const audience = new Audience(key, sources, request.encoder, counters, this.#context);
    this.#audiences.set(key, audience);
    for (const channel of channels) {
      for (const topic of this.#map.topicsOf(channel))
        this.#dispatcher.audiencesOf(topic).add(channel, audience);
    }
    return audience;
  }

  #left(member: Member, reason: EndReason | null): void {
    const { audience } = member;
    this.#members.delete(member);
    this.#behind.delete(member);
    audience.size--;
    const metrics = this.#metrics.of(protocolOf(audience));
    metrics.subscriptions.add(-1);
    if (reason !== null) this.#metrics.ended(reason);
    this.#dismissIfEmpty(audience);
  }

  #dismissIfEmpty(audience: Audience): void {
    if (audience.size > 0 || audience.inRun) return;
    this.#audiences.delete(audience.key);
    audience.dismiss();
    for (const channel of audience.key.split('\n').slice(2)) {
      for (const topic of this.#map.topicsOf(channel))
        this.#dispatcher.audiencesOf(topic).delete(channel, audience);
    }
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

function protocolOf(audience: Audience): string {
  return audience.key.slice(0, audience.key.indexOf('\n'));
}
