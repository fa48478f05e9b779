import type { Clock, Limits } from '../kernel/index.ts';
import { Compaction, isCompactable, isWorthCompacting } from './compaction.ts';
import type { Partition } from './partition.ts';
import { planDrop } from './retention.ts';
import type { Shard } from './shard.ts';
import type { TopicState } from './topic-state.ts';
import type { Topics } from './topics.ts';

/** Batches that one commit drops: few enough that appends do not wait long behind it. */
const DROPPED_PER_COMMIT_MAX = 64;
/** Chunks of old ids that one commit removes. */
const FORGOTTEN_PER_COMMIT_MAX = 1024;

/** All that can be done, or what is worth the reading. */
export type Thoroughness = 'all' | 'worthwhile';

/** Drops what the topics' retention and compaction allow to drop, in small commits between which appends go on. */
export class Maintenance {
  readonly #topics: Topics;
  readonly #clock: Clock;
  readonly #limits: Limits;
  #stopped = false;
  #running: Promise<void> | null = null;

  constructor(topics: Topics, clock: Clock, limits: Limits) {
    this.#topics = topics;
    this.#clock = clock;
    this.#limits = limits;
  }

  /** One round over all topics. A round that is asked for while one runs begins when that one is done. */
  async run(thoroughness: Thoroughness): Promise<void> {
    while (this.#running !== null) await this.#running;
    const round = this.#round(thoroughness);
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

  async #round(thoroughness: Thoroughness): Promise<void> {
    for (const state of [...this.#topics.states]) {
      const shard = this.#topics.shardOf(state);
      for (const partition of state.partitions) {
        await this.#drop(state, partition, shard);
        if (state.topic.compacted) await this.#compact(state, partition, shard, thoroughness);
      }
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

  async #compact(
    state: TopicState,
    partition: Partition,
    shard: Shard,
    thoroughness: Thoroughness,
  ): Promise<void> {
    const isStopped = (): boolean => this.#stopped || state.gone;
    const nowMs = this.#clock.nowMs();
    const wanted =
      thoroughness === 'all' ? isCompactable(partition, nowMs) : isWorthCompacting(partition, nowMs);
    if (!wanted || isStopped()) return;
    // A pass ends where its memory for keys does; the next one goes on from there.
    const { end } = partition;
    for (let cleanedTo = -1; cleanedTo < partition.cleanedTo && !isStopped(); ) {
      cleanedTo = partition.cleanedTo;
      await new Compaction(partition, shard, this.#clock, this.#limits).run(isStopped);
      if (partition.cleanedTo >= end) return;
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
