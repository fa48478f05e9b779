import {
  type Clock,
  type Limits,
  type Line,
  type Metrics,
  TidegateError,
  type Timer,
} from '../kernel/index.ts';
import type { LogFeed } from './feed.ts';
import { Maintenance, type Thoroughness } from './maintenance.ts';
import type {
  AppendCallback,
  Durability,
  Log,
  PartitionBounds,
  ReadRequest,
  ReadResult,
  TailListener,
  Topic,
  TopicAppend,
  TopicSpec,
  TopicStatistics,
} from './port.ts';
import type { Shard } from './shard.ts';
import { TopicReader, unknownTopic } from './topic-reader.ts';
import type { TopicState } from './topic-state.ts';
import type { Topics } from './topics.ts';

/** How often retention and compaction look for something to do. */
const MAINTENANCE_INTERVAL_MS = 30_000;

export interface EventLogOptions {
  readonly topics: Topics;
  readonly shards: ReadonlyMap<Durability, Shard>;
  readonly tailListeners: TailListeners;
  readonly feed: LogFeed;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly metrics: Metrics;
  /** Called once everything is closed. */
  readonly release: () => void;
}

/** Who wants to know that there is more to read. */
export class TailListeners {
  #listeners: readonly TailListener[] = [];

  add(listener: TailListener): () => void {
    // An object of its own, so that the same function can listen twice.
    const own: TailListener = (topic, partition, end) => listener(topic, partition, end);
    this.#listeners = [...this.#listeners, own];
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== own);
    };
  }

  announce(topic: Topic, partition: number, end: number): void {
    for (const listener of this.#listeners) listener(topic, partition, end);
  }
}

/** The log: topics of each durability on the backend that gives it. */
export class EventLog implements Log {
  readonly #topics: Topics;
  readonly #shards: readonly Shard[];
  readonly #tailListeners: TailListeners;
  readonly #feed: LogFeed;
  readonly #reader: TopicReader;
  readonly #clock: Clock;
  readonly #maintenance: Maintenance;
  readonly #release: () => void;
  readonly #timer: Timer;
  #closing: Promise<void> | null = null;

  constructor(options: EventLogOptions) {
    this.#topics = options.topics;
    this.#shards = [...new Set(options.shards.values())];
    this.#tailListeners = options.tailListeners;
    this.#feed = options.feed;
    const { topics } = options;
    this.#reader = new TopicReader({
      get: (name) => topics.get(name),
      batchesOf: (state) => topics.shardOf(state).store,
    });
    this.#clock = options.clock;
    this.#release = options.release;
    this.#maintenance = new Maintenance(options.topics, options.clock, options.limits);
    this.#timer = options.clock.setRepeatingTimer(() => {
      // A failure is in the server's log already, and the next round tries again.
      this.#maintain('worthwhile').catch(() => {});
    }, MAINTENANCE_INTERVAL_MS);
    for (const [durability, shard] of options.shards) {
      options.metrics.observedGauge(
        { name: 'tidegate_log_file_bytes', help: 'Size of the log files.', labels: ['durability'] },
        () => (this.#closing === null ? shard.store.fileBytes() : 0),
        [durability],
      );
      options.metrics.observedGauge(
        { name: 'tidegate_log_stored_bytes', help: 'Bytes of all stored batches.', labels: ['durability'] },
        () => this.#bytesStored(durability),
        [durability],
      );
    }
  }

  get topics(): ReadonlyMap<string, Topic> {
    return this.#topics.map;
  }

  createTopic(spec: TopicSpec): Promise<Topic> {
    return this.#closing === null
      ? this.#topics.create(spec)
      : Promise.reject(new TidegateError('log_closed'));
  }

  alterTopic(spec: TopicSpec): Promise<Topic> {
    return this.#closing === null
      ? this.#topics.alter(spec)
      : Promise.reject(new TidegateError('log_closed'));
  }

  deleteTopic(name: string): Promise<void> {
    return this.#closing === null
      ? this.#topics.delete(name)
      : Promise.reject(new TidegateError('log_closed'));
  }

  append(appends: readonly TopicAppend[], done: AppendCallback): void {
    if (this.#closing !== null) {
      this.#clock.endOfTurn(() => done(new TidegateError('log_closed'), []));
      return;
    }
    const states: TopicState[] = [];
    for (const { topic } of appends) {
      const state = this.#topics.find(topic);
      if (state === undefined) {
        const first = states.length === 0 ? this.#shards[0] : this.#topics.shardOf(states[0]);
        first.refuse(unknownTopic(topic), done);
        return;
      }
      states.push(state);
    }
    if (states.length === 0) {
      this.#clock.endOfTurn(() => done(null, []));
      return;
    }
    const shard = this.#topics.shardOf(states[0]);
    const { durability } = states[0].topic;
    for (const { topic } of states) {
      if (topic.durability !== durability) {
        const detail = `${states[0].topic.name} is ${durability}, ${topic.name} is ${topic.durability}.`;
        shard.refuse(new TidegateError('log_durability_mixed', detail), done);
        return;
      }
    }
    shard.append(states, appends, done);
  }

  read(request: ReadRequest): ReadResult {
    return this.#reader.read(request);
  }

  bounds(topic: string, partition: number): PartitionBounds {
    return this.#reader.bounds(topic, partition);
  }

  offsetAtTime(topic: string, partition: number, timeMs: number): number {
    return this.#reader.offsetAtTime(topic, partition, timeMs);
  }

  offsetOfLast(topic: string, partition: number, count: number, key?: string, before?: number): number {
    return this.#reader.offsetOfLast(topic, partition, count, key, before);
  }

  partitionOf(topic: Topic, key: string): number {
    return this.#reader.partitionOf(topic, key);
  }

  lead(line: Line): void {
    this.#feed.lead(line);
  }

  statistics(topic: string): TopicStatistics {
    let recordsStored = 0;
    let bytesStored = 0;
    for (const { records, bytes } of this.#topics.get(topic).partitions) {
      recordsStored += records;
      bytesStored += bytes;
    }
    return { recordsStored, bytesStored };
  }

  onTail(listener: TailListener): () => void {
    return this.#tailListeners.add(listener);
  }

  maintain(): Promise<void> {
    return this.#maintain('all');
  }

  async #maintain(thoroughness: Thoroughness): Promise<void> {
    if (this.#closing !== null) return;
    for (const shard of this.#shards) shard.store.check();
    await this.#maintenance.run(thoroughness);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#clock.clearTimer(this.#timer);
    this.#maintenance.stop();
    await this.#topics.stop();
    for (const shard of this.#shards) await shard.idle();
    this.#release();
    for (const shard of this.#shards) await shard.close();
  }

  #bytesStored(durability: Durability): number {
    let bytesStored = 0;
    for (const { topic, partitions } of this.#topics.states) {
      if (topic.durability === durability) for (const { bytes } of partitions) bytesStored += bytes;
    }
    return bytesStored;
  }
}
