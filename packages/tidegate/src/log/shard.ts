import { type Clock, type Limits, type Logger, TidegateError } from '../kernel/index.ts';
import { BatchBuilder } from './batch-builder.ts';
import { type CommitGroup, PartitionAppend, type PendingTopic } from './commit-group.ts';
import type { DiskSpace } from './disk-space.ts';
import { IdempotenceWindow } from './idempotence-window.ts';
import type { IdentityChunkBuilder } from './identity-chunk.ts';
import type { LogMetrics } from './log-metrics.ts';
import { partitionOfKey } from './murmur2.ts';
import type { Partition, PartitionState } from './partition.ts';
import { Pipeline } from './pipeline.ts';
import {
  type AppendCallback,
  type AppendedTopic,
  type AppendRecord,
  RECORD_NULL,
  type TopicAppend,
} from './port.ts';
import { type DropPlan, planDrop } from './retention.ts';
import type { Changes, IdentityChunk, NewBatch, Store } from './store.ts';
import { StoredBatch, stampBatch } from './stored-batch.ts';
import type { TopicState } from './topic-state.ts';

/** What a waiting record costs besides its bytes. */
const RECORD_OVERHEAD_BYTES = 64;
/** Builders kept for the next group; each holds its scratch memory. */
const BUILDERS_KEPT_MAX = 64;
/** Chunks of old ids that one commit removes besides its own work. */
const FORGOTTEN_PER_COMMIT_MAX = 64;
/** Chunks of ids that one turn loads. */
const CHUNKS_LOADED_AT_ONCE = 32;

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
  readonly #pipeline: Pipeline;
  readonly #builders: BatchBuilder[] = [];
  /** Chunks of ids of groups that are not committed yet, by topic: which group each belongs to. */
  readonly #chunkGroups = new Map<TopicState, Map<number, CommitGroup>>();
  /** Topics whose window of ids is not complete, and the sequence number from which chunks are missing. */
  readonly #loading = new Map<TopicState, number>();
  #bytesPending = 0;
  #closed = false;

  constructor(options: ShardOptions) {
    this.store = options.store;
    this.#clock = options.clock;
    this.#limits = options.limits;
    this.#logger = options.logger;
    this.#metrics = options.metrics;
    this.#diskSpace = options.diskSpace;
    this.#partitionBytesMax = options.partitionBytesMax;
    this.#announce = options.announce;
    this.#pipeline = new Pipeline(options.clock, (group, next) => this.#commitGroup(group, next));
  }

  /** Bytes of appends that are not answered yet. */
  get bytesPending(): number {
    return this.#bytesPending;
  }

  /** Answers `done` with `error`, in its turn among the other appends. */
  refuse(error: TidegateError, done: AppendCallback): void {
    this.#pipeline.group().appends.push({ error, topics: [], done });
  }

  /** @param states the topics of `appends`, all of this shard */
  append(states: readonly TopicState[], appends: readonly TopicAppend[], done: AppendCallback): void {
    const size = this.#sizeOf(appends);
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
    const topics = appends.map((append, index) => this.#encode(group, states[index], append.records));
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
        drop = plan();
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
    this.#closed = true;
    await this.store.close();
  }

  /** Resolves when everything is done. */
  idle(): Promise<void> {
    return new Promise((resolve) => this.#pipeline.whenIdle(resolve));
  }

  /** The window of the topic's ids, loaded if it was not. */
  windowOf(state: TopicState): IdempotenceWindow {
    if (state.window === null) this.#openWindow(state);
    while (this.#loading.has(state)) this.#loadSome(state);
    return state.window!;
  }

  /**
   * Loads the windows of ids a little in each turn, so that a start does not wait for them, nor, most likely, the first
   * record with an id.
   */
  preload(states: readonly TopicState[]): void {
    const waiting = [...states];
    const step = (): void => {
      const state = waiting[0];
      if (state === undefined || this.#closed) return;
      if (state.window === null) this.#openWindow(state);
      if (this.#loading.has(state) && !state.gone) {
        this.#loadSome(state);
      } else {
        // Most topics have no ids, and need no table for them.
        if (state.window!.isUnused) state.window = null;
        waiting.shift();
      }
      this.#clock.endOfTurn(step);
    };
    this.#clock.endOfTurn(step);
  }

  #openWindow(state: TopicState): void {
    state.window = new IdempotenceWindow({
      hash: state.hash,
      idsMax: this.#limits.idempotenceIdsMax,
      windowMs: this.#limits.idempotenceWindowMs,
      chunk: (sequence) => this.store.identityChunk(state.topic.id, sequence),
    });
    this.#loading.set(state, 0);
  }

  #loadSome(state: TopicState): void {
    const chunks = this.store.identityChunks(
      state.topic.id,
      this.#loading.get(state)!,
      CHUNKS_LOADED_AT_ONCE,
    );
    const nowMs = this.#clock.nowMs();
    for (const { sequence, bytes } of chunks) state.window!.restore(sequence, bytes, nowMs);
    if (chunks.length < CHUNKS_LOADED_AT_ONCE) this.#loading.delete(state);
    else this.#loading.set(state, chunks[chunks.length - 1].sequence + 1);
  }

  #sizeOf(appends: readonly TopicAppend[]): number | TidegateError {
    const { messageBytesMax, eventAttributesBytesMax, channelBytesMax } = this.#limits;
    let size = 0;
    for (const { records } of appends) {
      for (const record of records) {
        const dataBytes = record.data === null ? 0 : record.data.length;
        const headersBytes = record.headers === null ? 0 : record.headers.length;
        if (dataBytes > messageBytesMax || headersBytes > eventAttributesBytesMax) {
          return new TidegateError(
            'log_record_too_large',
            `Data of ${dataBytes} and headers of ${headersBytes} bytes; at most ${messageBytesMax} and ${eventAttributesBytesMax} are taken.`,
          );
        }
        const key = record.key;
        if (key !== null && key.length * 3 > channelBytesMax && Buffer.byteLength(key) > channelBytesMax) {
          return new TidegateError(
            'log_record_too_large',
            `The key is longer than ${channelBytesMax} bytes.`,
          );
        }
        size += dataBytes + headersBytes + RECORD_OVERHEAD_BYTES;
      }
    }
    return size;
  }

  #encode(group: CommitGroup, state: TopicState, records: readonly AppendRecord[]): PendingTopic {
    const count = records.length;
    const partitionCount = state.partitions.length;
    const pending: PendingTopic = {
      state,
      partitions: new Array(count),
      offsets: new Array(count),
      duplicates: null,
      settled: null,
    };
    const nowMs = this.#clock.nowMs();
    for (let i = 0; i < count; i++) {
      const record = records[i];
      const key = record.key;
      if (record.identity !== null && this.#isDuplicate(group, pending, i, record.identity, nowMs)) continue;
      const index = partitionCount === 1 ? 0 : partitionOfKey(key ?? '', partitionCount);
      const partition = state.partitions[index];
      const open = partition.open;
      const part = open !== null && open.group === group ? open : this.#openPart(group, partition);
      if (nowMs > partition.maxTimestampMs) partition.maxTimestampMs = nowMs;
      const timestampMs = partition.maxTimestampMs;
      const flags = record.data === null ? record.flags | RECORD_NULL : record.flags & ~RECORD_NULL;
      const builder = part.builder;
      if (!builder.add(builder.count, timestampMs, flags, key, record.headers, record.data)) {
        part.seal();
        builder.add(0, timestampMs, flags, key, record.headers, record.data);
      }
      pending.partitions[i] = index;
      pending.offsets[i] = part.count;
      if (record.identity !== null) {
        this.windowOf(state).add(this.#openChunk(group, state), record.identity, index, part.count);
      }
      part.count++;
      partition.recordsPending++;
    }
    return pending;
  }

  /** Whether the record repeats an earlier one; notes the earlier one's position and what the answer depends on. */
  #isDuplicate(
    group: CommitGroup,
    pending: PendingTopic,
    index: number,
    identity: string,
    nowMs: number,
  ): boolean {
    const { state } = pending;
    const window = this.windowOf(state);
    const entry = window.find(identity, nowMs);
    if (entry === -1) return false;
    pending.duplicates ??= new Set();
    pending.duplicates.add(index);
    pending.partitions[index] = window.partitionOf(entry);
    pending.offsets[index] = window.offsetOf(entry);
    const first = this.#chunkGroups.get(state)?.get(window.sequenceOf(entry));
    if (first === group) return true;
    pending.settled ??= new Map();
    pending.settled.set(index, first === undefined || first.bases !== null ? null : first);
    if (first !== undefined) group.dependsOn.add(first);
    return true;
  }

  #openPart(group: CommitGroup, partition: Partition): PartitionAppend {
    const builder = this.#builders.pop() ?? new BatchBuilder(this.#limits.batchStoredBytesMax);
    const part = new PartitionAppend(group, partition, builder);
    partition.open = part;
    group.parts.push(part);
    return part;
  }

  #openChunk(group: CommitGroup, state: TopicState): IdentityChunkBuilder {
    for (const { state: known, chunk } of group.chunks) if (known === state) return chunk;
    const chunk = this.windowOf(state).open();
    group.chunks.push({ state, chunk });
    let groups = this.#chunkGroups.get(state);
    if (groups === undefined) {
      groups = new Map();
      this.#chunkGroups.set(state, groups);
    }
    groups.set(chunk.sequence, group);
    return chunk;
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
    for (const part of group.parts) this.#stampPart(part, batches, partitions);
    const identities: IdentityChunk[] = [];
    const forgotten: { topicId: number; sequence: number; state: TopicState }[] = [];
    const nowMs = this.#clock.nowMs();
    for (const { state, chunk } of group.chunks) {
      const window = this.windowOf(state);
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

  #stampPart(
    part: PartitionAppend,
    batches: NewBatch[],
    partitions: { partition: Partition; state: PartitionState }[],
  ): void {
    const { partition } = part;
    part.seal();
    this.#returnBuilder(part.builder);
    let offset = partition.end;
    let bytes = partition.bytes;
    for (let i = 0; i < part.sealed.length; i++) {
      const sealed = part.sealed[i];
      const end = offset + part.sealedCounts[i];
      stampBatch(sealed, offset, end);
      batches.push({ partition, batch: new StoredBatch(sealed), place: 'end' });
      offset = end;
      bytes += sealed.length;
    }
    partitions.push({
      partition,
      state: partition.state({ end: offset, bytes, records: partition.records + part.count }),
    });
  }

  #returnBuilder(builder: BatchBuilder): void {
    if (this.#builders.length < BUILDERS_KEPT_MAX) this.#builders.push(builder);
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
    this.store.commit(changes, done);
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
      error === null && append.error === null ? append.topics.map((topic) => settle(topic)) : NO_TOPICS,
    );
    for (const part of group.parts) {
      part.partition.recordsPending -= part.count;
      if (group.bases === null) {
        part.seal();
        this.#returnBuilder(part.builder);
      }
    }
    for (const { state, chunk } of group.chunks) {
      this.#chunkGroups.get(state)?.delete(chunk.sequence);
      if (error === null) this.windowOf(state).stored(chunk);
      else this.windowOf(state).failed(chunk);
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
      for (const { state, sequence } of forgotten) this.windowOf(state).remember([sequence]);
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
    }
  }
}

/** The group is stamped, and its partitions stand where it began: turns numbers within the group into offsets. */
function settle(pending: PendingTopic): AppendedTopic {
  const { state, partitions, offsets, duplicates, settled } = pending;
  for (let i = 0; i < offsets.length; i++) {
    const partition = state.partitions[partitions[i]];
    const first = settled?.get(i);
    if (first === undefined) offsets[i] += partition.end;
    else if (first !== null) offsets[i] += first.bases!.get(partition)!;
  }
  return { topic: state.topic, partitions, offsets, duplicates };
}
