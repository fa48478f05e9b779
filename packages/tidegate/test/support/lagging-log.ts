import { TidegateError } from '../../src/kernel/index.ts';
import type {
  FollowedLog,
  Log,
  PartitionBounds,
  ReadRequest,
  TailListener,
  Topic,
} from '../../src/log/index.ts';

/** A log as another process sees it that hears of nothing until the test says so. */
export class LaggingLog implements FollowedLog {
  readonly #log: Log;
  readonly #listeners = new Set<TailListener>();
  #topics: ReadonlyMap<string, Topic> = new Map();
  #ends = new Map<string, number>();
  #waiting: (() => void)[] = [];
  /** How often the owner was asked. */
  questions = 0;
  /** Where partitions begin by what a reading has found, however far that is from what was told; by topic. */
  readonly starts = new Map<string, number>();
  /** Called at the beginning of each reading. */
  onRead: () => void = () => {};

  constructor(log: Log) {
    this.#log = log;
    this.hear();
  }

  /** Hears all that there is by now. */
  hear(): void {
    const before = this.#ends;
    this.#topics = this.#log.topics;
    this.#ends = new Map();
    const grown: [Topic, number, number][] = [];
    for (const topic of this.#topics.values()) {
      for (let partition = 0; partition < topic.partitions; partition++) {
        const place = `${topic.id}/${partition}`;
        const { end } = this.#log.bounds(topic.name, partition);
        this.#ends.set(place, end);
        if (end > (before.get(place) ?? 0)) grown.push([topic, partition, end]);
      }
    }
    for (const news of grown) for (const listener of this.#listeners) listener(...news);
  }

  /** Lets the owner answer whoever asks, after all that it has told. */
  answer(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.hear();
    for (const done of waiting) done();
  }

  // --- As the log is seen. ---

  reach(done: () => void): void {
    this.questions++;
    this.#waiting.push(done);
  }

  get topics(): ReadonlyMap<string, Topic> {
    return this.#topics;
  }

  read(request: ReadRequest): ReturnType<Log['read']> {
    this.onRead();
    const { start, end } = this.bounds(request.topic, request.partition);
    const to = Math.min(request.to ?? end, end);
    return this.#log.read({ ...request, from: Math.max(start, request.from), to });
  }

  bounds(name: string, partition: number): PartitionBounds {
    const topic = this.#topics.get(name);
    const end = topic === undefined ? undefined : this.#ends.get(`${topic.id}/${partition}`);
    if (end === undefined) throw new TidegateError('log_topic_unknown');
    return { start: this.starts.get(name) ?? this.#log.bounds(name, partition).start, end };
  }

  offsetAtTime(topic: string, partition: number, timeMs: number): number {
    return Math.min(this.#log.offsetAtTime(topic, partition, timeMs), this.bounds(topic, partition).end);
  }

  offsetOfLast(topic: string, partition: number, count: number, key?: string, before?: number): number {
    const { end } = this.bounds(topic, partition);
    return this.#log.offsetOfLast(topic, partition, count, key, Math.min(before ?? end, end));
  }

  partitionOf(topic: Topic, key: string): number {
    return this.#log.partitionOf(topic, key);
  }

  onTail(listener: TailListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {}
}
