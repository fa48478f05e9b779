import { Buffer } from 'node:buffer';
import { type Clock, type Limits, TidegateError } from '../kernel/index.ts';
import { BatchBuilder } from './batch-builder.ts';
import { type CommitGroup, PartitionAppend, type PendingTopic } from './commit-group.ts';
import type { IdentityChunkBuilder } from './identity-chunk.ts';
import { partitionOfKey } from './murmur2.ts';
import type { Partition } from './partition.ts';
import { type AppendRecord, RECORD_NULL, type TopicAppend } from './port.ts';
import type { TopicState } from './topic-state.ts';
import type { TopicWindows } from './topic-windows.ts';

/** What a waiting record costs besides its bytes. */
const RECORD_OVERHEAD_BYTES = 64;
/** Builders kept for the next group; each holds its scratch memory. */
const BUILDERS_KEPT_MAX = 64;

/**
 * Puts records into the batches of the group that is open, and finds those that were there before. Records are encoded when they
 * are appended, so that nothing of the caller's is kept while a group waits.
 */
export class AppendEncoder {
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #windows: TopicWindows;
  readonly #builders: BatchBuilder[] = [];
  /** Chunks of ids of groups that are not committed yet, by topic: which group each belongs to. */
  readonly #chunkGroups = new Map<TopicState, Map<number, CommitGroup>>();

  constructor(clock: Clock, limits: Limits, windows: TopicWindows) {
    this.#clock = clock;
    this.#limits = limits;
    this.#windows = windows;
  }

  /** What the appends cost while they wait, or why they are refused. */
  sizeOf(appends: readonly TopicAppend[]): number | TidegateError {
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

  /** Adds the records to the group's batches; a repeated id gets the position of the first one. */
  encode(group: CommitGroup, state: TopicState, records: readonly AppendRecord[]): PendingTopic {
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
        this.#windows.of(state).add(this.#openChunk(group, state), record.identity, index, part.count);
      }
      part.count++;
      partition.recordsPending++;
    }
    return pending;
  }

  /** Takes back the builder of a part that is sealed. */
  release(builder: BatchBuilder): void {
    if (this.#builders.length < BUILDERS_KEPT_MAX) this.#builders.push(builder);
  }

  /** The chunk's group is done: its entries are remembered for good, or its ids are free again. */
  settle(state: TopicState, chunk: IdentityChunkBuilder, outcome: 'stored' | 'failed'): void {
    this.#chunkGroups.get(state)?.delete(chunk.sequence);
    const window = this.#windows.of(state);
    if (outcome === 'stored') window.stored(chunk);
    else window.failed(chunk);
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
    const window = this.#windows.of(state);
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
    const chunk = this.#windows.of(state).open();
    group.chunks.push({ state, chunk });
    let groups = this.#chunkGroups.get(state);
    if (groups === undefined) {
      groups = new Map();
      this.#chunkGroups.set(state, groups);
    }
    groups.set(chunk.sequence, group);
    return chunk;
  }
}
