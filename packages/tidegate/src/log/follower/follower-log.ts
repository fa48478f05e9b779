import { type Limits, type Line, type Logger, type Metrics, noMetrics } from '../../kernel/index.ts';
import { TailListeners } from '../event-log.ts';
import { logMetrics } from '../log-metrics.ts';
import { MemoryStore } from '../memory/store.ts';
import type { Partition } from '../partition.ts';
import type {
  Durability,
  FollowedLog,
  PartitionBounds,
  ReadRequest,
  ReadResult,
  TailListener,
  Topic,
} from '../port.ts';
import type { BatchSource } from '../store.ts';
import { StoredBatch } from '../stored-batch.ts';
import { TopicReader, unknownTopic } from '../topic-reader.ts';
import { TopicState } from '../topic-state.ts';
import { FollowedFiles } from './followed-files.ts';
import {
  type LogMessages,
  readLogMessage,
  type ToldBatch,
  type ToldPartition,
  type ToldTopics,
} from './messages.ts';

export interface FollowOptions {
  /** The data folder, which the owner has open. */
  readonly folder: string;
  /** To the owner. */
  readonly line: Line;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly limits: Limits;
}

/** The owner counts what is appended. */
const UNCOUNTED = logMetrics(noMetrics, 'none');

/**
 * Reads a log that another process owns: what is in files there, what is in memory from a copy that the owner keeps up to date. The owner says
 * how far it goes, so that nothing is read before it is durable. It may drop what is old at any moment: a reading that finds nothing where
 * something was looks again from where the log begins by then.
 */
export class FollowerLog implements FollowedLog {
  readonly #files: FollowedFiles;
  readonly #memory = new MemoryStore();
  readonly #states = new Map<number, TopicState>();
  readonly #byName = new Map<string, TopicState>();
  readonly #reader: TopicReader;
  readonly #tailListeners = new TailListeners();
  #topics: ReadonlyMap<string, Topic> = new Map();

  private constructor(options: FollowOptions) {
    this.#files = new FollowedFiles(options);
    this.#reader = new TopicReader({
      get: (name) => {
        const state = this.#byName.get(name);
        if (state === undefined) throw unknownTopic(name);
        return state;
      },
      batchesOf: ({ topic }) => this.#batchesOf(topic.durability),
    });
  }

  /** Resolves once everything that there is can be read. @throws TidegateError worker_unavailable, log_folder_unusable */
  static follow(options: FollowOptions): Promise<FollowerLog> {
    return new Promise((resolve, reject) => {
      const log = new FollowerLog(options);
      const { line } = options;
      const messages: LogMessages = {
        topics: (told) => log.#takeTopics(told),
        partitions: (told) => log.#takePartitions(told),
        batch: (told) => log.#takeBatch(told),
      };
      line.onTold('log', (message) => readLogMessage(message, messages));
      line.ask('log', new Uint8Array(0), (error) => {
        if (error === null) resolve(log);
        else reject(error);
      });
    });
  }

  get topics(): ReadonlyMap<string, Topic> {
    return this.#topics;
  }

  read(request: ReadRequest): ReadResult {
    return this.#whole(() => this.#reader.read(request));
  }

  bounds(topic: string, partition: number): PartitionBounds {
    return this.#reader.bounds(topic, partition);
  }

  offsetAtTime(topic: string, partition: number, timeMs: number): number {
    return this.#whole(() => this.#reader.offsetAtTime(topic, partition, timeMs));
  }

  offsetOfLast(topic: string, partition: number, count: number, key?: string, before?: number): number {
    return this.#whole(() => this.#reader.offsetOfLast(topic, partition, count, key, before));
  }

  partitionOf(topic: Topic, key: string): number {
    return this.#reader.partitionOf(topic, key);
  }

  onTail(listener: TailListener): () => void {
    return this.#tailListeners.add(listener);
  }

  close(): Promise<void> {
    return this.#files.close();
  }

  // --- What the owner tells. ---

  #takeTopics({ put, removed }: ToldTopics): void {
    for (const id of removed) this.#remove(id);
    for (const { stored, bounds } of put) {
      const known = this.#states.get(stored.topic.id);
      if (known !== undefined) {
        known.topic = stored.topic;
        continue;
      }
      const state = new TopicState(stored, [], UNCOUNTED.recordsAppended(''), UNCOUNTED.bytesAppended(''));
      for (const [index, [start, end]] of bounds.entries()) {
        state.partitions[index].start = start;
        state.partitions[index].end = end;
      }
      this.#states.set(stored.topic.id, state);
      this.#byName.set(stored.topic.name, state);
    }
    this.#topics = new Map([...this.#byName].map(([name, { topic }]) => [name, topic]));
  }

  #takePartitions(told: readonly ToldPartition[]): void {
    // All of them first, so that who is told of one finds all as far as one commit brought them.
    const grown: Partition[] = [];
    for (const { topicId, partition: index, start, end } of told) {
      const partition = this.#states.get(topicId)?.partitions[index];
      if (partition === undefined) continue;
      if (end > partition.end) grown.push(partition);
      partition.end = end;
      partition.start = Math.max(start, partition.start);
      if (partition.topic.topic.durability === 'none') dropBefore(partition);
    }
    for (const { topic, index, end } of grown) this.#tailListeners.announce(topic.topic, index, end);
  }

  #takeBatch({ topicId, partition: index, place, bytes }: ToldBatch): void {
    const partition = this.#states.get(topicId)?.partitions[index];
    if (partition === undefined) return;
    const batch = new StoredBatch(bytes);
    if (place === 'end') partition.ring.push(batch);
    else partition.ring.replace(batch);
  }

  #remove(id: number): void {
    const state = this.#states.get(id);
    if (state === undefined) return;
    this.#states.delete(id);
    const { name } = state.topic;
    // One that was made anew under the name may be there already.
    if (this.#byName.get(name) === state) this.#byName.delete(name);
    for (const partition of state.partitions) {
      partition.ring.clear();
      partition.recent = null;
    }
  }

  #batchesOf(durability: Durability): BatchSource {
    return durability === 'none' ? this.#memory : this.#files.of(durability);
  }

  /** Reads, and again if the log turned out to begin further on. It begins further on at most once for each time that the owner drops something. */
  #whole<Result>(read: () => Result): Result {
    for (;;) {
      const { movedStarts } = this.#files;
      const result = read();
      if (this.#files.movedStarts === movedStarts) return result;
    }
  }
}

function dropBefore(partition: Partition): void {
  const { ring } = partition;
  while (ring.oldest !== undefined && ring.oldest.endOffset <= partition.start) ring.shift();
}
