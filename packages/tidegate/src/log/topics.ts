import {
  type Clock,
  EPOCH_LENGTH,
  type Limits,
  type Random,
  randomId,
  TidegateError,
} from '../kernel/index.ts';
import type { LogMetrics } from './log-metrics.ts';
import type { PartitionState } from './partition.ts';
import type { Durability, Topic, TopicSpec } from './port.ts';
import type { Shard } from './shard.ts';
import { unknownTopic } from './topic-reader.ts';
import { checkAlteration, checkTopicSpec, isSameSpec, specOf } from './topic-rules.ts';
import { type StoredTopic, TopicState } from './topic-state.ts';

type Barrier = Topic['barrier'];

export interface TopicsOptions {
  readonly shards: ReadonlyMap<Durability, Shard>;
  readonly metrics: ReadonlyMap<Durability, LogMetrics>;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: Limits;
  readonly allocateId: () => Promise<number>;
  /** There are other topics, or they are others. */
  readonly changed: () => void;
}

/** The topics of the log: which there are, and how they come and go. */
export class Topics {
  readonly #shards: ReadonlyMap<Durability, Shard>;
  readonly #metrics: ReadonlyMap<Durability, LogMetrics>;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #limits: Limits;
  readonly #allocateId: () => Promise<number>;
  readonly #changed: () => void;
  readonly #states = new Map<string, TopicState>();
  #map: ReadonlyMap<string, Topic> = new Map();
  /** Changes of topics happen one after the other. */
  #lastChange: Promise<unknown> = Promise.resolve();
  #stopped = false;

  constructor(options: TopicsOptions) {
    this.#shards = options.shards;
    this.#metrics = options.metrics;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#limits = options.limits;
    this.#allocateId = options.allocateId;
    this.#changed = options.changed;
  }

  get map(): ReadonlyMap<string, Topic> {
    return this.#map;
  }

  get states(): Iterable<TopicState> {
    return this.#states.values();
  }

  find(name: string): TopicState | undefined {
    return this.#states.get(name);
  }

  get(name: string): TopicState {
    const state = this.#states.get(name);
    if (state === undefined) throw unknownTopic(name);
    return state;
  }

  shardOf(state: TopicState): Shard {
    return this.#shards.get(state.topic.durability)!;
  }

  /** Takes over what a store holds from before. */
  restore(stored: StoredTopic, partitions: readonly PartitionState[], shard: Shard): void {
    if (stored.deleting) {
      this.#erase(stored, shard);
      return;
    }
    this.#states.set(stored.topic.name, this.#stateOf(stored, partitions));
    this.#publish();
  }

  create(spec: TopicSpec): Promise<Topic> {
    return this.#change(async () => {
      checkTopicSpec(spec, this.#limits);
      const existing = this.#states.get(spec.name);
      if (existing !== undefined) {
        if (isSameSpec(existing.topic, spec)) return existing.topic;
        throw new TidegateError('log_topic_exists', `The topic is ${JSON.stringify(spec.name)}.`);
      }
      if (this.#states.size >= this.#limits.topicsMax) {
        throw new TidegateError(
          'config_invalid',
          `limits.topicsMax = ${this.#limits.topicsMax} topics exist already.`,
        );
      }
      const id = await this.#allocateId();
      return this.#createNow(spec, id);
    });
  }

  alter(spec: TopicSpec): Promise<Topic> {
    return this.#change(async () => {
      const state = this.get(spec.name);
      checkTopicSpec(spec, this.#limits);
      checkAlteration(state.topic, spec);
      const topic: Topic = Object.freeze({ ...state.topic, ...specOf(spec) });
      await this.shardOf(state).transact(() => ({ topics: [{ ...state.stored, topic }] }));
      state.topic = topic;
      this.#publish();
      return topic;
    });
  }

  delete(name: string): Promise<void> {
    return this.#change(async () => {
      const state = this.get(name);
      const shard = this.shardOf(state);
      const stored: StoredTopic = { ...state.stored, deleting: true };
      // What was appended before is committed before; from now on the name is unknown.
      this.#states.delete(name);
      this.#publish();
      try {
        await shard.transact(() => {
          // From now on neither retention nor compaction writes anything of it.
          state.gone = true;
          return { topics: [stored] };
        });
      } catch (error) {
        state.gone = false;
        this.#states.set(name, state);
        this.#publish();
        throw error;
      }
      for (const partition of state.partitions) shard.store.release(partition);
      this.#erase(stored, shard);
    });
  }

  /** Waits for the change that is under way. What is being erased is left for the next start. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#lastChange;
  }

  #change<Result>(change: () => Promise<Result>): Promise<Result> {
    const result = this.#lastChange.then(change);
    this.#lastChange = result.catch(() => {});
    return result;
  }

  /**
   * The topic is visible in the turn in which its barrier is taken, so that a record is either in the old topic and
   * before the barrier, or in the new one. Where the others end when all that is on its way is durable is known only
   * then; it is foretold for the time being, and set right if a commit should fail.
   */
  #createNow(spec: TopicSpec, id: number): Promise<Topic> {
    const stored: StoredTopic = {
      topic: Object.freeze({
        ...specOf(spec),
        id,
        epoch: randomId(this.#random, EPOCH_LENGTH),
        createdMs: this.#clock.nowMs(),
        barrier: this.#barrier((state) =>
          state.partitions.map(({ end, recordsPending }) => end + recordsPending),
        ),
      }),
      hashSeed: [this.#random.uint32(), this.#random.uint32()],
      deleting: false,
    };
    const others = [...this.#states.values()];
    const state = this.#stateOf(stored, []);
    this.#states.set(spec.name, state);
    this.#publish();
    const own = this.shardOf(state);
    const ends = new Map<TopicState, readonly number[]>();
    const capture = (shard: Shard): void => {
      for (const other of others) {
        if (this.shardOf(other) === shard)
          ends.set(
            other,
            other.partitions.map(({ end }) => end),
          );
      }
    };
    const captured = [...new Set(this.#shards.values())]
      .filter((shard) => shard !== own)
      .map(
        (shard) =>
          new Promise<void>((resolve) => {
            shard.exclusively((next) => {
              capture(shard);
              resolve();
              next();
            });
          }),
      );
    return new Promise((resolve, reject) => {
      own.exclusively((next) => {
        capture(own);
        void Promise.all(captured).then(() => {
          state.topic = Object.freeze({
            ...stored.topic,
            barrier: this.#barrier((other) => ends.get(other) ?? null),
          });
          own.store.commit({ topics: [state.stored] }, (error) => {
            if (error === null) {
              this.#publish();
              resolve(state.topic);
            } else {
              state.gone = true;
              this.#states.delete(spec.name);
              this.#publish();
              reject(error);
            }
            next();
          });
        });
      });
    });
  }

  #barrier(endsOf: (state: TopicState) => readonly number[] | null): Barrier {
    const barrier: Record<string, { epoch: string; ends: readonly number[] }> = {};
    for (const state of this.#states.values()) {
      const ends = endsOf(state);
      // Where nothing was stored yet there is nothing to read up to, and a thousand such entries would be in every topic.
      if (ends?.some((end) => end > 0)) barrier[state.topic.name] = { epoch: state.topic.epoch, ends };
    }
    return Object.freeze(barrier);
  }

  #stateOf(stored: StoredTopic, partitions: readonly PartitionState[]): TopicState {
    const metrics = this.#metrics.get(stored.topic.durability)!;
    const { name } = stored.topic;
    return new TopicState(stored, partitions, metrics.recordsAppended(name), metrics.bytesAppended(name));
  }

  #publish(): void {
    this.#map = new Map([...this.#states].map(([name, { topic }]) => [name, topic]));
    this.#changed();
  }

  /** Removes what a deleted topic stored, a bounded part at a time; after a kill, the next start goes on. */
  #erase(stored: StoredTopic, shard: Shard): void {
    shard.exclusively((next) => {
      if (this.#stopped) {
        next();
        return;
      }
      shard.store.erase(stored, (error, progress) => {
        if (error === null && progress === 'more') this.#erase(stored, shard);
        next();
      });
    });
  }
}
