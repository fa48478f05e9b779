import { type Clock, type Limits, type Logger, TidegateError } from '../kernel/index.ts';
import { AppendEncoder } from './append-encoder.ts';
import { type CommitGroup, settledTopic } from './commit-group.ts';
import type { DiskSpace } from './disk-space.ts';
import type { LogMetrics } from './log-metrics.ts';
import type { Partition, PartitionState } from './partition.ts';
import { Pipeline } from './pipeline.ts';
import type { AppendCallback, AppendedTopic, TopicAppend } from './port.ts';
import { type DropPlan, planDrop } from './retention.ts';
import type { Changes, IdentityChunk, NewBatch, Store } from './store.ts';
import type { TopicState } from './topic-state.ts';
import { TopicWindows } from './topic-windows.ts';

/** Chunks of old ids that one commit removes besides its own work. */
const FORGOTTEN_PER_COMMIT_MAX = 64;

export interface ShardOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly logger: Logger;
  readonly metrics: LogMetrics;
  /** Null where there is no disk. */
  readonly diskSpace: DiskSpace | null;
  /** How much of each partition is kept, whatever its topic says; null for no such bound. */
  readonly partitionBytesMax: number | null;
  /** Called for each partition of which more can be seen. */
  readonly announce: (state: TopicState, partition: number, end: number) => void;
  /** Called for all that was stored, before it is announced. */
  readonly committed: (changes: Changes) => void;
}

const NO_TOPICS: readonly AppendedTopic[] = [];

/** All topics of one durability: encodes appends, commits them in groups, and tells their callers. */
export class Shard {
  readonly store: Store;
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #logger: Logger;
  readonly #metrics: LogMetrics;
  readonly #diskSpace: DiskSpace | null;
  readonly #partitionBytesMax: number | null;
  readonly #announce: (state: TopicState, partition: number, end: number) => void;
  readonly #committed: (changes: Changes) => void;
  readonly #pipeline: Pipeline;
  readonly #windows: TopicWindows;
  readonly #encoder: AppendEncoder;
  #bytesPending = 0;

  constructor(options: ShardOptions) {
    this.store = options.store;
    this.#clock = options.clock;
    this.#limits = options.limits;
    this.#logger = options.logger;
    this.#metrics = options.metrics;
    this.#diskSpace = options.diskSpace;
    this.#partitionBytesMax = options.partitionBytesMax;
    this.#announce = options.announce;
    this.#committed = options.committed;
    this.#windows = new TopicWindows(options.store, options.clock, options.limits);
    this.#encoder = new AppendEncoder(options.clock, options.limits, this.#windows);
    this.#pipeline = new Pipeline(options.clock, (group, next) => this.#commitGroup(group, next));
  }

  /** Answers `done` with `error`, in its turn among the other appends. */
  refuse(error: TidegateError, done: AppendCallback): void {
    this.#pipeline.group().appends.push({ error, topics: [], done });
  }

  /** @param states the topics of `appends`, all of this shard */
  append(states: readonly TopicState[], appends: readonly TopicAppend[], done: AppendCallback): void {
    const size = this.#encoder.sizeOf(appends);
    if (size instanceof TidegateError) {
      this.refuse(size, done);
      return;
    }
    if (this.#bytesPending > 0 && this.#bytesPending + size > this.#limits.appendBytesPendingMax) {
      this.refuse(new TidegateError('log_overloaded'), done);
      return;
    }
    const group = this.#pipeline.group();
    this.#bytesPending += size;
    group.bytes += size;
    const topics = appends.map((append, index) => this.#encoder.encode(group, states[index], append.records));
    group.appends.push({ error: null, topics, done });
  }

  /**
   * Commits what `plan` gives when its turn has come; `plan` sees the state that all earlier commits left, and may give
   * null for nothing. Resolves when it is durable.
   */
  transact(plan: () => Changes | null): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#pipeline.job((next) => {
        let changes: Changes | null;
        try {
          changes = plan();
        } catch (error) {
          reject(TidegateError.from(error));
          next();
          return;
        } finally {
          this.store.endReading();
        }
        if (changes === null) {
          resolve();
          next();
          return;
        }
        const { partitions } = changes;
        this.#commitChanges(changes, (error) => {
          if (error === null) {
            for (const { partition, state } of partitions ?? []) partition.adopt(state);
            resolve();
          } else {
            reject(error);
          }
          next();
        });
      });
    });
  }

  /**
   * Drops what `plan` names from the partition's front. Resolves to whether something was dropped. The partition begins further on
   * before the commit, so that no reader looks for what the commit takes away; if it fails, the start moves back.
   */
  async drop(partition: Partition, plan: () => DropPlan | null): Promise<boolean> {
    let before = partition.start;
    let drop: DropPlan | null = null;
    try {
      await this.transact(() => {
        drop = partition.topic.gone ? null : plan();
        before = partition.start;
        if (drop !== null) partition.start = drop.state.start;
        return drop?.changes ?? null;
      });
    } catch (error) {
      partition.start = before;
      throw error;
    }
    return drop !== null;
  }

  /** Runs `job` when everything before it is done; nothing else is committed until it calls back. */
  exclusively(job: (next: () => void) => void): void {
    this.#pipeline.job(job);
  }

  /** Closes the store when everything is done. */
  async close(): Promise<void> {
    await this.idle();
    this.#windows.stop();
    await this.store.close();
  }

  /** Loads remembered ids a little in each turn. */
  preload(states: readonly TopicState[]): void {
    this.#windows.preload(states);
  }

  /** Resolves when everything is done. */
  idle(): Promise<void> {
    return this.#pipeline.idle();
  }

  #commitGroup(group: CommitGroup, next: () => void): void {
    const startedMs = this.#clock.monotonicMs();
    group.close();
    for (const before of group.dependsOn) {
      if (before.failure !== null) {
        this.#finish(group, [], [], [], before.failure, next);
        return;
      }
    }
    if (group.parts.some((part) => part.partition.topic.gone)) {
      this.#finish(
        group,
        [],
        [],
        [],
        new TidegateError('log_write_failed', 'A topic of it could not be created.'),
        next,
      );
      return;
    }
    const batches: NewBatch[] = [];
    const partitions: { partition: Partition; state: PartitionState }[] = [];
    group.stamp();
    for (const part of group.parts) {
      const { partition } = part;
      const stamped = part.stamp();
      this.#encoder.release(part.builder);
      for (const batch of stamped.batches) batches.push({ partition, batch, place: 'end' });
      partitions.push({ partition, state: stamped.state });
    }
    const identities: IdentityChunk[] = [];
    const forgotten: { topicId: number; sequence: number; state: TopicState }[] = [];
    const nowMs = this.#clock.nowMs();
    for (const { state, chunk } of group.chunks) {
      const window = this.#windows.of(state);
      const bytes = window.stamp(chunk, nowMs, (partition) => state.partitions[partition].end);
      identities.push({ topicId: state.topic.id, sequence: chunk.sequence, bytes });
      for (const sequence of window.takeForgotten(FORGOTTEN_PER_COMMIT_MAX)) {
        forgotten.push({ topicId: state.topic.id, sequence, state });
      }
    }
    if (batches.length === 0) {
      this.#finish(group, batches, partitions, forgotten, null, next);
      return;
    }
    this.#commitChanges({ batches, partitions, identities, forgotten }, (error) => {
      this.#metrics.commitSeconds.observe((this.#clock.monotonicMs() - startedMs) / 1000);
      this.#finish(group, batches, partitions, forgotten, error, next);
    });
  }

  #commitChanges(changes: Changes, done: (error: TidegateError | null) => void): void {
    // Only what makes the files grow is refused: dropping what is old must go on, or the disk would stay full.
    if (this.#diskSpace !== null && changes.batches !== undefined && changes.dropped === undefined) {
      let bytes = 0;
      for (const { batch } of changes.batches) bytes += batch.bytes.length;
      if (this.#diskSpace.isShortOf(bytes)) {
        done(new TidegateError('log_disk_full', this.#diskSpace.describe()));
        return;
      }
    }
    this.store.commit(changes, (error) => {
      if (error === null) this.#committed(changes);
      done(error);
    });
  }

  #finish(
    group: CommitGroup,
    batches: readonly NewBatch[],
    partitions: readonly { readonly partition: Partition; readonly state: PartitionState }[],
    forgotten: readonly { readonly state: TopicState; readonly sequence: number }[],
    error: TidegateError | null,
    next: () => void,
  ): void {
    group.failure = error;
    const answers = group.appends.map((append) =>
      error === null && append.error === null ? append.topics.map(settledTopic) : NO_TOPICS,
    );
    for (const part of group.parts) {
      part.partition.recordsPending -= part.count;
      if (group.bases === null) {
        part.seal();
        this.#encoder.release(part.builder);
      }
    }
    for (const { state, chunk } of group.chunks) {
      this.#encoder.settle(state, chunk, error === null ? 'stored' : 'failed');
    }
    if (error === null) {
      for (const { partition, state } of partitions) partition.adopt(state);
      for (const { partition, batch } of batches) {
        partition.topic.recordsAppended.add(batch.count);
        partition.topic.bytesAppended.add(batch.bytes.length);
      }
      this.#trimRings(partitions);
      for (const { partition, state } of partitions)
        this.#announce(partition.topic, partition.index, state.end);
    } else {
      for (const { state, sequence } of forgotten) this.#windows.of(state).remember([sequence]);
    }
    this.#bytesPending -= group.bytes;
    for (let i = 0; i < group.appends.length; i++) {
      const append = group.appends[i];
      try {
        append.done(append.error ?? error, answers[i]);
      } catch (thrown) {
        this.#logger.error({ err: thrown }, 'A caller of the log failed while it took the answer');
      }
    }
    next();
  }

  /** Where memory is all there is, a partition's oldest batches make room at once. */
  #trimRings(partitions: readonly { readonly partition: Partition }[]): void {
    if (this.#partitionBytesMax === null) return;
    for (const { partition } of partitions) {
      if (partition.bytes <= this.#partitionBytesMax) continue;
      const drop = planDrop(this.store, partition, {
        bytesMax: this.#partitionBytesMax,
        olderThanMs: null,
        countMax: Number.POSITIVE_INFINITY,
      });
      if (drop === null) continue;
      this.store.commit(drop.changes, () => partition.adopt(drop.state));
      this.#committed(drop.changes);
    }
  }
}
