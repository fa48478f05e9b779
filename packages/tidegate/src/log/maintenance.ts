import type { Clock } from '../kernel/index.ts';
import type { Partition } from './partition.ts';
import { planDrop } from './retention.ts';
import type { Shard } from './shard.ts';
import type { TopicState } from './topic-state.ts';
import type { Topics } from './topics.ts';

/** Batches that one commit drops: few enough that appends do not wait long behind it. */
const DROPPED_PER_COMMIT_MAX = 64;
/** Chunks of old ids that one commit removes. */
const FORGOTTEN_PER_COMMIT_MAX = 1024;

/** Drops what the topics' retention allows to drop, in small commits between which appends go on. */
export class Maintenance {
  readonly #topics: Topics;
  readonly #clock: Clock;
  #stopped = false;
  #running: Promise<void> | null = null;

  constructor(topics: Topics, clock: Clock) {
    this.#topics = topics;
    this.#clock = clock;
  }

  /** One round over all topics. A round that is asked for while one runs begins when that one is done. */
  async run(): Promise<void> {
    while (this.#running !== null) await this.#running;
    const round = this.#round();
    this.#running = round
      .catch(() => {})
      .finally(() => {
        this.#running = null;
      });
    await round;
  }

  /** Ends the round that runs, after its current commit. */
  stop(): void {
    this.#stopped = true;
  }

  async #round(): Promise<void> {
    for (const state of [...this.#topics.states]) {
      const shard = this.#topics.shardOf(state);
      for (const partition of state.partitions) await this.#drop(state, partition, shard);
      await this.#forget(state, shard);
    }
  }

  async #drop(state: TopicState, partition: Partition, shard: Shard): Promise<void> {
    let more = true;
    while (more && !this.#stopped && !state.gone) {
      more = await shard.drop(partition, () => {
        const { retentionMs, retentionBytes } = state.topic;
        return planDrop(shard.store, partition, {
          bytesMax: retentionBytes,
          olderThanMs: retentionMs === null ? null : this.#clock.nowMs() - retentionMs,
          countMax: DROPPED_PER_COMMIT_MAX,
        });
      });
    }
  }

  async #forget(state: TopicState, shard: Shard): Promise<void> {
    const { window } = state;
    if (window === null || this.#stopped || state.gone) return;
    window.expire(this.#clock.nowMs());
    for (;;) {
      const sequences = window.takeForgotten(FORGOTTEN_PER_COMMIT_MAX);
      if (sequences.length === 0 || this.#stopped) return;
      try {
        const topicId = state.topic.id;
        await shard.transact(() => ({ forgotten: sequences.map((sequence) => ({ topicId, sequence })) }));
      } catch (error) {
        window.remember(sequences);
        throw error;
      }
    }
  }
}
