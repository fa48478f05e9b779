import { Buffer } from 'node:buffer';
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
  FOLLOW,
  type LogMessages,
  MORE_TO_HAND_OVER,
  NEXT_PIECE,
  REACH,
  readLogMessage,
  type ToldBatch,
  type ToldMerge,
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
  readonly #line: Line;
  readonly #files: FollowedFiles;
  readonly #memory = new MemoryStore();
  readonly #states = new Map<number, TopicState>();
  readonly #byName = new Map<string, TopicState>();
  readonly #reader: TopicReader;
  readonly #tailListeners = new TailListeners();
  #topics: ReadonlyMap<string, Topic> = new Map();
  /** Who waits for the next question, while one is under way. */
  #reaching: (() => void)[] = [];
  #isReaching = false;

  private constructor(options: FollowOptions) {
    this.#line = options.line;
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
        merged: (told) => log.#takeMerge(told),
      };
      line.onTold('log', (message) => readLogMessage(message, messages));
      const ask = (question: number): void =>
        line.ask('log', Uint8Array.of(question), (error, answer) => {
          if (error !== null) reject(error);
          else if (answer[0] === MORE_TO_HAND_OVER) ask(NEXT_PIECE);
          else resolve(log);
        });
      ask(FOLLOW);
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

  reach(done: () => void): void {
    this.#reaching.push(done);
    if (!this.#isReaching) this.#askToReach();
  }

  close(): Promise<void> {
    return this.#files.close();
  }

  /** One question for all who came since the last one was asked; its answer may be about what was before them. */
  #askToReach(): void {
    const waiting = this.#reaching;
    this.#reaching = [];
    this.#isReaching = true;
    // Without an owner, what is there is all there will be.
    this.#line.ask('log', Uint8Array.of(REACH), () => {
      this.#isReaching = false;
      for (const done of waiting) done();
      if (!this.#isReaching && this.#reaching.length > 0) this.#askToReach();
    });
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
      for (const [index, [start, end, merges]] of bounds.entries()) {
        const partition = state.partitions[index];
        partition.start = start;
        partition.end = end;
        partition.merges = merges;
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
    // What came over the line is a view of a chunk of it, with whatever else came at that time, and the ring keeps its batches for long.
    const own = Buffer.allocUnsafeSlow(bytes.length);
    own.set(bytes);
    const batch = new StoredBatch(own);
    if (place === 'end') partition.ring.push(batch);
    else partition.ring.replace(batch);
  }

  #takeMerge({ topicId, partition: index, bases, merges }: ToldMerge): void {
    const partition = this.#states.get(topicId)?.partitions[index];
    if (partition !== undefined) this.#files.merged(partition, bases, merges);
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
